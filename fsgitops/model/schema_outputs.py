"""The JSON Schemas of what commands print with `--json`, plans too (docs/json.md)."""

from __future__ import annotations

from typing import Any

from fsgitops.model.applied import COUNTS, REPLIES, Notice
from fsgitops.model.drift import DRIFT_VERSION, DriftReport
from fsgitops.model.plan import (
    ATTRIBUTES,
    DRIFTED,
    PLAN_VERSION,
    SOURCE,
    Action,
    Change,
    Hazard,
    Need,
    ReloadStep,
    ResourceActivity,
)
from fsgitops.model.revision import Revision
from fsgitops.model.schema_parts import (
    DIALECT,
    TEXT,
    by_name,
    count,
    flag,
    list_of,
    maybe_text,
    objects,
    rows,
    rows_of,
    shape,
    text,
    word,
)
from fsgitops.model.schema_switch import SWITCH_OUTPUTS
from fsgitops.model.state import STATE_VERSION, RecordedFile
from fsgitops.model.task import Task


def output_schema(name: str) -> dict[str, Any]:
    """Return the schema of the format `fsgitops-NAME`. Raises KeyError for an unknown name.

    A reader must take fields that are not here: within one version, fields are only added.
    """
    if name == "plan":
        return {"$schema": DIALECT, "title": "fsgitops: a plan", **_PLAN}
    versions = {"drift": DRIFT_VERSION, "state": STATE_VERSION}
    made = OUTPUTS[name]
    head = {
        "format": {"const": f"fsgitops-{name}", "examples": [f"fsgitops-{name}"]},
        "version": {"const": versions.get(name, 1)},
    }
    schema = {**made, "properties": {**head, **made["properties"]}}
    schema["required"] = [*head, *made["required"]]
    return {"$schema": DIALECT, "title": f"fsgitops: {name}", **schema}


_FINDING = objects(
    rule=text("The rule's name.", examples=["unknown-destination"]),
    severity=word("How much it weighs.", "error", "warning", "info"),
    file=text("The file, below the project."),
    line=count("From 1."),
    column=count("From 1."),
    message=text("What was found."),
    hint=text('What to do; "": nothing to add.'),
)
_FINDINGS = list_of(_FINDING, "Everything that was found, in file order.")
_TOKEN = {
    "id": text("The token's id.", examples=["1f2e3d4c"]),
    "name": text("Whose it is."),
    "scopes": list_of(TEXT, "What it may do."),
    "created": text("When it was made (UTC, ISO 8601)."),
    "expires": maybe_text("Until when; null: for ever."),
}
_FILES = rows("The files.", path=text("Below the conf directory."), resource=text("KIND:NAME"))
_REVISION = {"revision": count("The revision's number."), **shape(Revision)["properties"]}
_CHANGE = shape(Change)
_PLAN = objects(
    format={"const": "fsgitops-plan"},
    version={"const": PLAN_VERSION},
    project=text("The project's name.", examples=["example"]),
    target=text("The target's name.", examples=["prod"]),
    conf_dir=text("The target's conf directory.", examples=["/etc/freeswitch"]),
    domain=text("The SIP domain of the agents.", examples=["pbx.example.com"]),
    commit=text('The commit that was planned; "" outside git.'),
    dirty=flag("The planned files differ from that commit."),
    simulated=flag("The target is the embedded switch."),
    unknown_secrets=flag("A key was missing: the plan can be read but not applied."),
    live_digest=text("A keyed digest of the live state that the plan was compared with."),
    fingerprint=text("A hash of the whole plan.", pattern="^[0-9a-f]{16}$"),
    unchanged=count("Managed files that stay as they are."),
    unmanaged=count("Files that fsgitops does not manage."),
    summary=objects(
        "How many resources an apply would change.",
        **{action.value: count(f"How many to {action.value}.") for action in Action},
        rename=count("How many to rename; they count here only."),
    ),
    changes=list_of(_CHANGE, "What an apply would do, one per file, sorted."),
    partial=flag("The plan was limited by `only` or `exclude`."),
    only=list_of(TEXT, "The selectors that limit the plan."),
    exclude=list_of(TEXT, "What it leaves out."),
    left_out=count("How many changes it leaves out."),
    kick_rotated=flag("The apply also ends registrations that used a former password."),
    unloaded=list_of(
        _CHANGE,
        "What an earlier `apply --no-reload` wrote and the switch has not loaded.",
    ),
    reloads=rows_of("The commands that the switch gets, in order.", ReloadStep),
    hazards=rows_of("What stops the plan.", Hazard),
    warnings=list_of(TEXT, "Warnings, in sentences."),
    tasks=rows_of("What people must do because of the plan.", Task),
    needs=rows_of("Permissions that an apply needs (docs/limits.md).", Need),
    activity={
        **objects(
            "Registrations and calls of agents now; null: the switch was not asked.",
            problem=text('Why the switch could not be asked; "": it was.'),
            agents=rows_of("Agents that are deleted or whose registration ends.", ResourceActivity),
        ),
        "type": ["object", "null"],
    },
)
OUTPUTS: dict[str, dict[str, Any]] = {
    **SWITCH_OUTPUTS,
    "findings": objects(
        valid=flag("There are no errors."),
        errors=count("How many findings are errors."),
        warnings=count("How many are warnings."),
        findings=_FINDINGS,
    ),
    "lint": objects(findings=_FINDINGS),
    "rules": objects(
        rules=rows(
            "All rules.",
            name=text("The rule's name."),
            level=word("How much it weighs here.", "error", "warning", "off"),
            fixed=flag("Settings cannot change that."),
            own=flag("It is the project's own."),
            description=text("What it finds."),
        )
    ),
    "fmt": objects(
        changed=list_of(TEXT, "The files that changed, or with --check would."),
        canonical=count("How many were canonical already."),
        check=flag("Nothing was written."),
    ),
    "error": objects(
        error=text("The error's class.", examples=["Usage"]),
        exit_code=count("The exit code (docs/exit-codes.md)."),
        message=text("What went wrong."),
        findings=_FINDINGS,
    ),
    "applied": objects(
        outcome=word("How it ended.", "unchanged", "applied", "written"),
        **COUNTS,
        renamed=count("How many were renamed."),
        replies=REPLIES,
        agents_proved=count("Agents that were read back from the switch."),
        extensions_proved=count("Dialplan extension files that were read back."),
        agents_gone=count("Of agents_proved, those that were deleted."),
        extensions_gone=count("Of extensions_proved, those that were deleted."),
        registrations_ended=count("Registrations of deleted agents that were ended."),
        registrations_kicked=count("Those with a former password."),
        verto_sessions_ended=count("Sessions of mod_verto that were ended."),
        notes=list_of(TEXT, "Sentences."),
    ),
    "notice": shape(Notice),
    "history": objects(revisions=list_of(objects(**_REVISION), "The oldest first.")),
    "revision": objects(
        **_REVISION,
        changes=rows(
            "Every file that it changed.",
            action=word("What happened.", *(action.value for action in Action)),
            resource=text("KIND:NAME"),
            path=text("The file, below the conf directory."),
            source=SOURCE,
            drifted=DRIFTED,
            attributes=ATTRIBUTES,
        ),
    ),
    "adopted": objects(adopted=_FILES, changes=list_of(_CHANGE, "What the next apply changes.")),
    "released": objects(released=_FILES),
    "state": objects(
        "",
        ("owner",),
        target=text("The target's name."),
        domain=text("Its SIP domain."),
        conf_dir=text("Its conf directory."),
        taken_at=text("UTC, ISO 8601."),
        key_id=text("The same for the same key; keyed."),
        commit=text("The commit."),
        foreign=list_of(TEXT, "Paths beside ours."),
        owner=objects(
            "Who applied what is live; absent: nobody yet.",
            project=text("A project."),
            target=text("One of its targets."),
        ),
        files=by_name(
            "The managed files, by path.",
            shape(RecordedFile),
        ),
    ),
    "drift": shape(DriftReport),
    "doctor": objects(
        target=text("The target's name."),
        healthy=flag("There are no errors."),
        checks=rows(
            "Every check.",
            name=text("What was looked at; may stand several times."),
            health=word("How it is.", "ok", "warning", "error", "skipped"),
            message=text("What was found."),
            remedy=text('What to do; "": nothing.'),
        ),
    ),
    "keys": objects(
        current_key=maybe_text("A public fingerprint; null: not at hand."),
        next_key=maybe_text("A public fingerprint; null: not at hand."),
        rotation_under_way=flag("A rotation is under way."),
        agents=count("Those with derived secrets."),
        agents_moved=count("Those on the next key."),
        groups=by_name(
            "By group; `(no group)` stands for the agents in none.",
            objects(agents=count("All."), moved=count("On the next key.")),
        ),
    ),
    "token": objects(token=text("The token: this once."), **_TOKEN),
    "tokens": objects(tokens=list_of(objects(**_TOKEN), "All tokens.")),
}
"""The format\'s name without `fsgitops-`, and what it holds beside `format` and `version`."""
