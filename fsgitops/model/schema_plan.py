"""The JSON Schema of a saved plan, for programs that read one."""

from __future__ import annotations

from typing import Any

from fsgitops.model.limits import PERMISSIONS
from fsgitops.model.plan import PLAN_VERSION, Action, Danger
from fsgitops.model.schema_parts import (
    DIALECT,
    TEXT,
    count,
    flag,
    list_of,
    maybe_text,
    objects,
    text,
)
from fsgitops.model.task import TaskKind


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of `plan --out` and `plan --json`.

    A reader must take fields that are not here: within one version, fields are only added.
    """
    properties = {
        "format": {"const": "fsgitops-plan"},
        "version": {"const": PLAN_VERSION},
        "project": text("The project's name.", examples=["example"]),
        "target": text("The target's name.", examples=["prod"]),
        "conf_dir": text("The target's conf directory.", examples=["/etc/freeswitch"]),
        "domain": text("The SIP domain of the agents.", examples=["pbx.example.com"]),
        "commit": text('The commit that was planned; "" outside git.'),
        "dirty": flag("The planned files differ from that commit."),
        "simulated": flag("The target is the embedded switch."),
        "unknown_secrets": flag("A key was missing: the plan can be read but not applied."),
        "live_digest": text("A keyed digest of the live state that the plan was compared with."),
        "fingerprint": text("A hash of the whole plan.", pattern="^[0-9a-f]{16}$"),
        "unchanged": count("Managed files that stay as they are."),
        "unmanaged": count("Files that fsgitops does not manage."),
        "summary": objects(
            {
                **{action.value: count(f"How many to {action.value}.") for action in Action},
                "rename": count("How many to rename; they count here only."),
            },
            "How many resources an apply would change.",
        ),
        "changes": list_of(change_schema(), "What an apply would do, one per file, sorted."),
        "partial": flag("The plan was limited by `only` or `exclude`."),
        "only": list_of(TEXT, "The selectors that limit the plan."),
        "exclude": list_of(TEXT, "What it leaves out."),
        "left_out": count("How many changes it leaves out."),
        "kick_rotated": flag("The apply also ends registrations that used a former password."),
        "unloaded": list_of(
            change_schema(),
            "What an earlier `apply --no-reload` wrote and the switch has not loaded.",
        ),
        **_around(),
    }
    return {"$schema": DIALECT, "title": "fsgitops: a plan", **objects(properties)}


def _around() -> dict[str, Any]:
    """Return the fields that tell what an apply does and needs beside its changes of files."""
    return {
        "reloads": list_of(_reload(), "The commands that the switch gets, in order."),
        "hazards": list_of(_hazard(), "What stops the plan."),
        "warnings": list_of(TEXT, "Warnings, in sentences."),
        "tasks": list_of(_task(), "What people must do because of the plan."),
        "needs": list_of(_need(), "Permissions that an apply needs (docs/limits.md)."),
        "activity": {**_activity(), "type": ["object", "null"]},
    }


def _reload() -> dict[str, Any]:
    return objects(
        {
            "command": text("What the switch is told.", examples=["reloadxml"]),
            "because": text("Why that is needed."),
        }
    )


def _hazard() -> dict[str, Any]:
    return objects(
        {
            "rule": text("What kind of hazard.", examples=["foreign-file"]),
            "path": text("Where, below the conf directory."),
            "message": text("What was found."),
            "hint": text("What to do about it."),
        }
    )


def _task() -> dict[str, Any]:
    return objects(
        {
            "kind": {"enum": [kind.value for kind in TaskKind], "description": "Why."},
            "agents": list_of(TEXT, "The extensions that it concerns, all of them."),
            "text": text("What to do, in a sentence; it names at most ten of them."),
        }
    )


def _need() -> dict[str, Any]:
    return objects(
        {
            "permission": {"enum": list(PERMISSIONS), "description": "Its name."},
            "because": text("What needs it."),
            "allowed": flag("It is given, by settings or --allow."),
        }
    )


def _activity() -> dict[str, Any]:
    agent = objects(
        {
            "resource": text("KIND:NAME", examples=["agent:1020"]),
            "registrations": count("Its registered phones."),
            "calls": count("Its call legs."),
        }
    )
    return objects(
        {
            "problem": text('Why the switch could not be asked; "": it was.'),
            "agents": list_of(agent, "Agents that are deleted or whose registration ends."),
        },
        "Registrations and calls of agents now; null: the switch was not asked.",
    )


def change_schema() -> dict[str, Any]:
    """Return the schema of one change in a plan."""
    attribute = objects(
        {
            "name": text(
                "The attribute.", examples=["user 1020/variable effective_caller_id_name"]
            ),
            "before": maybe_text("What is live; null: nothing."),
            "after": maybe_text("What it becomes; null: nothing."),
            "secret": flag("The values are masked."),
        }
    )
    return objects(
        {
            "action": {"enum": [action.value for action in Action], "description": "What happens."},
            "resource": text("KIND:NAME", examples=["agent:1020", "did:+19495431333"]),
            "path": text("The file, below the conf directory."),
            "source": text("Where it is declared: FILE:LINE:COLUMN."),
            "drifted": flag("Somebody else changed the file since the last apply."),
            "before_digest": text("A keyed digest of what is live."),
            "after_digest": text("A keyed digest of what it becomes."),
            "dangers": list_of(
                {"enum": [danger.value for danger in Danger], "description": "One of them."},
                "What the change can cost while it is carried out.",
            ),
            "renamed_from": maybe_text("The former resource of a rename; null: none."),
            "renamed_to": maybe_text("The new resource of a rename; null: none."),
            "attributes": list_of(attribute, "What differs."),
        }
    )
