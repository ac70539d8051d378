"""The JSON Schemas of what commands print with `--json`, plans too (docs/json.md)."""

from __future__ import annotations

from typing import Any

from fsgitops.commands.listing import Listed
from fsgitops.commands.token import ApiToken
from fsgitops.commands.validate import RuleState
from fsgitops.diagnosis import Check
from fsgitops.live.calls import UUID, LiveCall
from fsgitops.live.gateways import GatewayStatus
from fsgitops.model.applied import COUNTS, REPLIES, Notice
from fsgitops.model.drift import DriftReport
from fsgitops.model.graph import Graph
from fsgitops.model.impact import Impact
from fsgitops.model.numbers import Numbers
from fsgitops.model.plan import (
    PLAN_VERSION,
    Action,
    AttributeChange,
    Change,
    Hazard,
    Need,
    ReloadStep,
    ResourceActivity,
)
from fsgitops.model.revision import Revision, RevisionChange
from fsgitops.model.state import STATE_VERSION, RecordedState
from fsgitops.model.task import Task
from fsgitops.model.trace import Trace
from fsgitops.model.verdict import Proof, Tests
from fsgitops.schema_parts import (
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
from fsgitops.switch.calls import Leg
from fsgitops.switch.replies import Registration, VertoUser


def output_schema(name: str) -> dict[str, Any]:
    """Return the schema of the format `fsgitops-NAME`. Raises KeyError for an unknown name.

    A reader must take fields that are not here: within one version, fields are only added.
    """
    if name == "plan":
        return {"$schema": DIALECT, "title": "fsgitops: a plan", **_PLAN}
    made = OUTPUTS[name]
    head = {
        "format": {"const": f"fsgitops-{name}", "examples": [f"fsgitops-{name}"]},
        "version": {"const": STATE_VERSION if name == "state" else 1},
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
_FILES = rows("The files.", path=text("Below the conf directory."), resource=text("KIND:NAME"))
_REVISION = {"revision": count("The revision's number."), **shape(Revision)["properties"]}
_CHANGE = shape(Change)
_PLAN = objects(
    "",
    ("impact", "tests"),
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
    impact=shape(Impact, "What changes for callers; missing: no plan looked."),
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
    tests=shape(Tests, "What became of expectations; left out where there are none."),
)
_EXTENSION = text("The agent's extension.", examples=["1020"])
_FATE = shape(Leg)["properties"]
_WEBRTC = objects(
    "The WebRTC options.",
    rtcpMuxPolicy=text("RTP and RTCP go through one port."),
    iceServers=rows("STUN servers.", urls=text("A STUN server.")),
)
OUTPUTS: dict[str, dict[str, Any]] = {
    "status": objects(
        summary=objects(
            "How many agents and gateways.",
            agents=count("All."),
            enabled=count("Enabled."),
            registered=count("With a registered phone."),
            on_call=count("In a call."),
            not_as_declared=count("The switch holds them differently."),
            gateways=count("Declared gateways that are enabled."),
            gateways_up=count("Those that calls are placed over."),
        ),
        agents=rows(
            "The agents.",
            extension=_EXTENSION,
            user=text("What its phones register as.", examples=["1020"]),
            name=text("The agent's name."),
            enabled=flag("The agent is enabled."),
            registered=flag("A phone is registered."),
            phones=rows_of("The registered phones.", Registration),
            verto=rows_of("Sessions of mod_verto.", VertoUser),
            on_call=flag("The agent is in a call."),
            calls=list_of(TEXT, "The uuids of these calls."),
            memory={
                "enum": ["match", "differs", "missing", "left over", None],
                "description": "What the switch holds, against what is declared; null: not asked.",
            },
            differences=list_of(TEXT, "The names of what differs, never the values."),
        ),
        gateways=rows_of("The gateways; none where agents are asked for.", GatewayStatus),
        verto_not_declared=rows_of("Sessions of no enabled agent.", VertoUser),
    ),
    "registrations": objects(registrations=rows_of("Every registered phone.", Registration)),
    "calls": objects(calls=rows_of("The longest first.", LiveCall)),
    "dial": objects(
        uuid=maybe_text("The call's; null: several phones ring."),
        state=word(
            "How far it is; answered: by the agent.", "ringing", "answered", "connected", "failed"
        ),
        extension=_EXTENSION,
        number=text("Who is called."),
        caller_id_number=text("The number shown."),
        caller_id_name=text("The name shown."),
        gateway=maybe_text("The gateway; null: an extension is called."),
        timeout=count("Seconds that the phone may ring."),
        legs={
            "description": "What became of both legs; null: without --wait.",
            "anyOf": [
                {"type": "null"},
                objects(
                    agent=objects("The agent's leg.", **_FATE),
                    destination=objects(
                        "The leg of whom was called.", called=flag("It was called."), **_FATE
                    ),
                ),
            ],
        },
    ),
    "hangup": objects(uuid=UUID),
    "transfer": objects(
        uuid=UUID,
        destination=text("Where it was sent."),
        other_leg=flag("The leg that it is connected to was sent."),
    ),
    "kick": objects(extension=_EXTENSION, ended=rows_of("What was ended.", Registration)),
    "credentials": objects(
        username=_EXTENSION,
        password=text("(hidden) without --reveal."),
        domain=text("The SIP domain."),
        voicemail_pin=maybe_text("(hidden) without --reveal; null: no voicemail."),
        sip_server=text("Host."),
        sip_port=count("Port."),
        sip_transport=word("How.", "udp", "tcp", "tls"),
        websocket_url=maybe_text("For browsers; null: not a WebRTC agent."),
        stun_server=maybe_text("null: none."),
        jssip=objects(
            "The options of JsSIP.",
            sockets=list_of(TEXT, "WebSocket URLs."),
            uri=text("The SIP URI."),
            password=text("(hidden) without --reveal."),
            register=flag("Register at once."),
            pcConfig=_WEBRTC,
        ),
        sipjs=objects(
            "The options of SIP.js.",
            uri=text("The SIP URI."),
            transportOptions=objects("The transport.", server=text("A WebSocket URL.")),
            authorizationUsername=text("The user."),
            authorizationPassword=text("(hidden) without --reveal."),
            sessionDescriptionHandlerFactoryOptions=objects(
                "Media.", peerConnectionConfiguration=_WEBRTC
            ),
        ),
    ),
    "findings": objects(
        valid=flag("There are no errors."),
        errors=count("How many findings are errors."),
        warnings=count("How many are warnings."),
        findings=_FINDINGS,
    ),
    "lint": objects(findings=_FINDINGS),
    "rules": objects(rules=rows_of("All rules.", RuleState)),
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
        "",
        ("impact",),
        outcome=word("How it ended.", "unchanged", "applied", "written"),
        **COUNTS,
        renamed=count("How many were renamed, or moved to another file."),
        moved=count("Of renamed, those that keep their name in another file."),
        replies=REPLIES,
        agents_proved=count("Agents that were read back from the switch."),
        extensions_proved=count("Dialplan extension files that were read back."),
        agents_gone=count("Of agents_proved, those that were deleted."),
        extensions_gone=count("Of extensions_proved, those that were deleted."),
        registrations_ended=count("Registrations of deleted agents that were ended."),
        registrations_kicked=count("Those with a former password."),
        verto_sessions_ended=count("Sessions of mod_verto that were ended."),
        notes=list_of(TEXT, "Sentences."),
        impact=shape(Impact, "What changed for callers; missing: no plan looked."),
    ),
    "notice": shape(Notice),
    "history": objects(revisions=list_of(objects(**_REVISION), "The oldest first.")),
    "revision": objects(
        **_REVISION,
        changes=rows_of("Every file that it changed.", RevisionChange),
    ),
    "adopted": objects(
        adopted=_FILES,
        changes=list_of(_CHANGE, "What the next apply changes."),
        left=list_of(
            objects(path=text("The file."), reason=text("Why it is left.")),
            "Files that are left as they are.",
        ),
    ),
    "released": objects(released=_FILES),
    "import": objects(
        target=text("The target's name."),
        conf_dir=text("Its conf directory."),
        dry_run=flag("Nothing was written."),
        files=rows("The YAML files.", path=text("The path."), resources=count("How many it has.")),
        imported=rows(
            "What is declared now.",
            resource=text("KIND:NAME"),
            file=text("The file that said it, below the conf directory."),
            line=count("From 1."),
            changes=list_of(TEXT, "What FreeSWITCH will hold that it did not: NAME=VALUE."),
        ),
        left=rows(
            "What stays as it is.",
            what=text("What it is."),
            file=text("The file, below the conf directory."),
            line=count("From 1."),
            reasons=rows(
                "Why.", file=text("The file."), line=count("From 1."), reason=text("The reason.")
            ),
        ),
        declared=count("How many were declared, or managed, already."),
        register_anew=rows(
            "Whose phones must log in anew.", agent=text("The extension."), reason=text("Why.")
        ),
        new_pins=rows(
            "Whose mailbox gets another PIN.", agent=text("The extension."), reason=text("Why.")
        ),
        shared_passwords=list_of(TEXT, "Extensions whose SIP password others have as well."),
        settings=list_of(TEXT, "The lines that fsgitops.yaml gets."),
        places=rows(
            "Folders that FreeSWITCH would not read.",
            problem=text("Why."),
            remedy=text("What to do."),
        ),
        secrets_file=text('The file that holds the secrets of --secrets env; "": none.'),
        lost_comments=list_of(TEXT, "FILE:LINE of elements with a comment that is not taken."),
        columns=rows(
            "In which column of a table each field was found.",
            field=text("The field."),
            column=text("The head of the column."),
        ),
        columns_unread=list_of(TEXT, "The heads of a table's columns that were not read."),
        realms=rows(
            "What has phones log in to a realm for which their hash is not.",
            problem=text("Which phones."),
            remedy=text("What to do."),
        ),
    ),
    "state": objects("", ("owner",), **shape(RecordedState)["properties"]),
    "drift": shape(DriftReport),
    "tests": shape(Proof),
    "trace": shape(Trace),
    "graph": shape(Graph),
    "numbers": shape(Numbers),
    "doctor": objects(
        target=text("The target's name."),
        healthy=flag("There are no errors."),
        checks=rows_of("Every check.", Check),
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
    "list": objects(
        target=text("The target's name."),
        resources=rows_of("What is declared, and what else is managed.", Listed),
    ),
    "get": objects(
        target=text("The target's name."),
        resource=shape(Listed, "Where it is declared, its file, and what an apply does with it."),
        fields=by_name(
            "Every field with its value, or values; a secret is masked.",
            {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
        ),
        attributes=rows_of(
            "Each attribute of its file: `before` is live, `after` compiled.", AttributeChange
        ),
    ),
    "layout": objects(
        target=text("The target's name."),
        layout=word("Its layout.", "files", "sharded"),
        kinds=by_name(
            "Those whose files the layout decides on, by kind.",
            objects(
                enabled=count("Its enabled resources."),
                files=by_name("Its files, by layout.", count("How many.")),
                fullest=by_name(
                    "By layout, what its fullest file holds.", count("How many resources.")
                ),
            ),
        ),
        needs=list_of(TEXT, "What the other layout needs of the conf directory: sentences."),
    ),
    "token": objects(token=text("The token: this once."), **shape(ApiToken)["properties"]),
    "tokens": objects(tokens=rows_of("All tokens.", ApiToken)),
}
"""The format\'s name without `fsgitops-`, and what it holds beside `format` and `version`."""
