"""The JSON Schema of a saved plan, for programs that read one."""

from __future__ import annotations

from typing import Any

from fsgitops.model.plan import PLAN_VERSION, Action

_DIALECT = "http://json-schema.org/draft-07/schema#"
_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {**_TEXT, "description": description, **more}


def _flag(description: str) -> dict[str, Any]:
    return {"type": "boolean", "description": description}


def _count(description: str) -> dict[str, Any]:
    return {**_COUNT, "description": description}


def _object(properties: dict[str, Any], description: str = "") -> dict[str, Any]:
    described = {"description": description} if description else {}
    return {
        "type": "object",
        **described,
        "required": list(properties),
        "properties": properties,
    }


def _list(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": description}


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of `plan --out` and `plan --json`.

    A reader must take fields that are not here: within one version, fields are only added.
    """
    properties = {
        "format": {"const": "fsgitops-plan"},
        "version": {"const": PLAN_VERSION},
        "project": _text("The project's name.", examples=["example"]),
        "target": _text("The target's name.", examples=["prod"]),
        "conf_dir": _text("The target's conf directory.", examples=["/etc/freeswitch"]),
        "domain": _text("The SIP domain of the agents.", examples=["pbx.example.com"]),
        "commit": _text('The commit that was planned; "" outside git.'),
        "dirty": _flag("What was planned differs from that commit."),
        "simulated": _flag("The target is the embedded switch."),
        "unknown_secrets": _flag("No key was at hand: the plan can be read but not applied."),
        "live_digest": _text("A keyed digest of all that the plan was compared with."),
        "fingerprint": _text("A hash of the whole plan.", pattern="^[0-9a-f]{16}$"),
        "unchanged": _count("Managed files that stay as they are."),
        "unmanaged": _count("Files beside ours that are left alone."),
        "summary": _object(
            {action.value: _count(f"How many to {action.value}.") for action in Action}
        ),
        "changes": _list(_change(), "What an apply would do, one per file, sorted."),
        **_around(),
    }
    return {"$schema": _DIALECT, "title": "fsgitops: a plan", **_object(properties)}


def _around() -> dict[str, Any]:
    return {
        "reloads": _list(
            _object(
                {
                    "command": _text("What the switch is told.", examples=["reloadxml"]),
                    "because": _text("Why that is needed."),
                }
            ),
            "What the switch is told, in order.",
        ),
        "hazards": _list(
            _object(
                {
                    "rule": _text("What kind of hazard.", examples=["foreign-file"]),
                    "path": _text("Where, below the conf directory."),
                    "message": _text("What was found."),
                    "hint": _text("What to do about it."),
                }
            ),
            "What stops the plan.",
        ),
        "warnings": _list(_TEXT, "What somebody should know before an apply, in sentences."),
    }


def _change() -> dict[str, Any]:
    attribute = _object(
        {
            "name": _text(
                "The attribute.", examples=["user 1020/variable effective_caller_id_name"]
            ),
            "before": {"type": ["string", "null"], "description": "What is live; null: nothing."},
            "after": {"type": ["string", "null"], "description": "What it becomes."},
            "secret": _flag("The values are masked."),
        }
    )
    return _object(
        {
            "action": {"enum": [action.value for action in Action], "description": "What happens."},
            "resource": _text("KIND:NAME", examples=["agent:1020", "did:+19495431333"]),
            "path": _text("The file, below the conf directory."),
            "source": _text("Where it is declared: FILE:LINE:COLUMN."),
            "drifted": _flag("Somebody else changed the file since the last apply."),
            "before_digest": _text("A keyed digest of what is live."),
            "after_digest": _text("A keyed digest of what it becomes."),
            "attributes": _list(attribute, "What differs."),
        }
    )
