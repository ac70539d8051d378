"""The JSON Schema of desired files, for editors: what they may hold, told while typing."""

from __future__ import annotations

from typing import Any

from fsgitops.model.desired import Agent, DidRoute

SCHEMA_DIALECT = "http://json-schema.org/draft-07/schema#"

_DESCRIPTIONS: dict[str, dict[str, str]] = {
    "agents": {
        "extension": "The number that is dialled inside: 4 to 6 digits. Kept as written: 0100.",
        "name": "Who answers. Shown to the called party unless `caller_id_name` says otherwise.",
        "email": "Where to write to the person.",
        "caller_id_name": "The name that called parties see. Default: `name`.",
        "caller_id_number": "The number that called parties see. Default: the extension.",
        "enabled": "false: not compiled. An agent that was live is deleted.",
        "groups": "Call groups: a list, or names separated by commas.",
        "toll_allow": "The calls it may make: domestic, international, local, premium, satellite.",
        "context": "The dialplan context of the agent's own calls.",
        "webrtc": "true: encrypted media, for phones in browsers.",
        "phone_forwarding": (
            "true: a call follows the phone's forwarding (302), if this agent's `toll_allow` "
            "permits the number. false: a phone that forwards counts as not reached."
        ),
        "voicemail": "true, false, or a mailbox's settings.",
        "variables": "Further channel variables of the agent's calls.",
        "password": "Where to find the SIP password. Default: derived from the project key.",
        "password_version": "Raise it to give the agent a new SIP password and voicemail PIN.",
        "protect": "true: fsgitops refuses to delete it until you have applied `protect: false`.",
    },
    "did_routes": {
        "did_number": "The public number: +19495431333, or national with a `default_region`.",
        "destination_extension": "The extension that rings: a declared and enabled agent.",
        "description": "For people who read this file.",
        "enabled": "false: not compiled. A route that was live is deleted.",
        "protect": "true: fsgitops refuses to delete it until you have applied `protect: false`.",
    },
}

_EXAMPLES: dict[str, dict[str, list[Any]]] = {
    "agents": {
        "extension": [1020, "0100"],
        "name": ["Alice Example"],
        "email": ["alice@example.com"],
        "caller_id_name": ["Example Support"],
        "caller_id_number": ["+19495431333", 1020],
        "enabled": [False],
        "groups": [["office", "sales"], "office, sales"],
        "toll_allow": [["local"], "domestic, local"],
        "context": ["default"],
        "webrtc": [True],
        "phone_forwarding": [True],
        "voicemail": [True, {"email": "alice@example.com"}],
        "variables": [{"site_department": "support"}],
        "password_version": [2],
        "protect": [True],
    },
    "did_routes": {
        "did_number": ["+19495431333", "(949) 543-1334"],
        "destination_extension": [1020],
        "description": ["Main number"],
        "enabled": [False],
        "protect": [True],
    },
}
_PARTS = {
    "enabled": "false: no mailbox.",
    "pin": "4 to 10 digits. Default: derived from the project key.",
    "email": "Where messages are sent.",
}


def desired_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of one desired file.

    Editors read `1020` as a number where fsgitops keeps the text, so text fields admit numbers;
    the rules that need the whole project are `fsgitops validate`'s.
    """
    agent, route = (
        _item(noun, name) for noun, name in ((Agent, "agents"), (DidRoute, "did_routes"))
    )
    optional = {
        name: {**item, "required": [], "description": "Fields that this file's items leave out."}
        for name, item in (("agents", agent), ("did_routes", route))
    }
    return {
        "$schema": SCHEMA_DIALECT,
        "title": "fsgitops: agents and DID routes",
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {"^x-": {"description": "Anchors to refer to; not read otherwise."}},
        "properties": {
            "agents": {"type": "array", "items": agent, "description": "SIP extensions."},
            "did_routes": {"type": "array", "items": route, "description": "Public numbers."},
            "defaults": {
                "type": "object",
                "description": "Fields that this file's items leave out.",
                "additionalProperties": False,
                "properties": optional,
            },
        },
    }


def _item(noun: type[Agent | DidRoute], name: str) -> dict[str, Any]:
    schema = noun.model_json_schema()
    definitions = schema.pop("$defs", {})
    properties = {
        field: {
            **_loosen(value, definitions),
            **_default(value),
            "description": _DESCRIPTIONS[name].get(field, ""),
            "examples": _EXAMPLES[name].get(field, []),
        }
        for field, value in schema["properties"].items()
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": schema.get("required", []),
        "properties": properties,
    }


def _default(schema: dict[str, Any]) -> dict[str, Any]:
    default = schema.get("default")
    return {} if default in (None, {}, []) or "$ref" in schema else {"default": default}


def _loosen(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Say the same of what people write as the model says of what it became."""
    if "$ref" in schema:
        referred = definitions[schema["$ref"].rpartition("/")[2]]
        fields = {
            name: {**_loosen(value, {}), **_default(value), "description": _PARTS.get(name, "")}
            for name, value in referred["properties"].items()
        }
        shape = {"type": "object", "additionalProperties": False, "properties": fields}
        return {"oneOf": [{"type": "boolean"}, shape]}
    if "oneOf" in schema:
        return {"oneOf": schema["oneOf"]}
    if "anyOf" in schema:
        return {"anyOf": [_loosen(item, definitions) for item in schema["anyOf"]]}
    if schema.get("type") == "string":
        pattern = schema.get("pattern", "")
        kept = {} if "\\+" in pattern else {k: v for k, v in schema.items() if k == "pattern"}
        return {"type": ["string", "number"], **kept}
    if schema.get("type") == "array":
        return {"type": ["array", "string"], "items": {"type": ["string", "number"]}}
    return {key: value for key, value in schema.items() if key in ("type", "minimum", "maximum")}
