"""No value can become code, markup or a preprocessor line in what FreeSWITCH loads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent, route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Agent, Desired
    from fsgitops.model.document import Path

_UNSAFE = re.compile(
    r"(?i:x-pre-process)|<!|\$\{|`|[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"
)
_GLOBAL = re.compile(r"\$\$\{[A-Za-z_][A-Za-z0-9_.-]{0,63}\}")
_JOIN = " "


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every value that would not reach the switch as the plain text that it is."""
    for item in desired.agents:
        # One search over all values of an agent: with 100,000 of them, five each would be felt.
        if _UNSAFE.search(_JOIN.join(_texts(item))):
            for path, text in _agent_values(item):
                variable = path[0] == "variables"
                if reason := unsafe_reason(text, variable=variable):
                    hint = _HINT_VARIABLE if variable else _HINT
                    yield Breach(agent(item.extension), path, _message(path, reason), hint)
            for name in item.variables:
                if reason := unsafe_reason(name):
                    message = f"the name of a variable {reason}"
                    path = ("variables", name)
                    yield Breach(agent(item.extension), path, message, _HINT, key=True)
    for line in desired.did_routes:
        if line.description and (reason := unsafe_reason(line.description)):
            path = ("description",)
            yield Breach(route(line.did_number), path, _message(path, reason), _HINT)


_HINT = "Write the text itself."
_HINT_VARIABLE = "Write the text itself; a whole value may be `$${name}`, and nothing else with it."


def _texts(item: Agent) -> Iterator[str]:
    yield item.name
    yield item.context
    yield item.caller_id_name or ""
    yield from item.groups
    yield from item.toll_allow
    yield from item.variables
    yield from item.variables.values()


def _agent_values(item: Agent) -> Iterator[tuple[Path, str]]:
    yield ("name",), item.name
    yield ("context",), item.context
    yield ("caller_id_name",), item.caller_id_name or ""
    for field, names in (("groups", item.groups), ("toll_allow", item.toll_allow)):
        for index, text in enumerate(names):
            yield (field, index), text
    for name, text in item.variables.items():
        yield ("variables", name), text


def unsafe_reason(text: str, *, variable: bool = False) -> str | None:
    """Return why `text` must not reach the switch, or None; a `variable` may be one global."""
    match = _UNSAFE.search(text)
    if match is None or (variable and _GLOBAL.fullmatch(text)):
        return None
    found = match[0]
    if found == "${":
        if match.start() and text[match.start() - 1] == "$":
            return "holds `$${`, which FreeSWITCH replaces when it reads its files"
        return "holds `${`, which FreeSWITCH expands during a call; it can run commands"
    if found == "`":
        return "holds a backtick, which FreeSWITCH and shells take for the start of a command"
    if found == "<!":
        # switch_xml_ampencode in switch_xml.c stops escaping there when a look-up copies a user.
        return "holds `<!`, after which FreeSWITCH takes quotes and brackets for markup"
    if found.lower() == "x-pre-process":
        return "holds X-PRE-PROCESS, which FreeSWITCH takes for a directive of its preprocessor"
    if found in "\r\n\u2028\u2029\x85":
        return "holds a line break, and FreeSWITCH reads its files line by line"
    if found in "\ufffe\uffff" or "\ud800" <= found <= "\udfff":
        return f"holds U+{ord(found):04X}, which XML cannot hold"
    return f"holds the control character U+{ord(found):04X}"


def _message(path: Path, reason: str) -> str:
    field = ".".join(step for step in path if isinstance(step, str))
    return f"`{field}` {reason}"
