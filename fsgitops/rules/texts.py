"""What a text may not hold that reaches a configuration file."""

from __future__ import annotations

import re
from typing import Final

from fsgitops.model.compiled import UNKNOWN
from fsgitops.model.draft import Global

_GLOBAL: Final = re.compile(r"\$\$\{[A-Za-z_][A-Za-z0-9_.-]*\}")
_NOT_XML: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def unsafe(value: str) -> str | None:
    """Return why a value must not reach a configuration file, or None.

    `$${name}` passes in a `Global`. Sources: expand_vars and preprocess in switch_xml.c (a line
    that holds `X-PRE-PROCESS` is dropped or run), and switch_channel_expand_variables_check in
    switch_channel.c (`${…}` is run at call time, also when it comes out of another variable). A
    user that is looked up is a copy, written and parsed again, and switch_xml_ampencode in
    switch_xml.c escapes nothing after `<!`.
    """
    if is_plainly_safe(value):
        return None
    if _NOT_XML.search(value):
        return "holds a control character, a line break, or one that XML cannot hold"
    if "x-pre-process" in value.lower():
        return "holds X-PRE-PROCESS, which FreeSWITCH takes for a directive"
    if "<!" in value:
        return "holds <!, after which FreeSWITCH stops escaping when it copies a user"
    if "`" in value:
        return "holds a backtick, which FreeSWITCH and shells take for the start of a command"
    if UNKNOWN in value:
        return f"holds {UNKNOWN}, which stands for a value that is not known yet"
    if "${" in (_GLOBAL.sub("", value) if isinstance(value, Global) else value):
        return "holds ${, which FreeSWITCH would run as code"
    return None


def is_plainly_safe(text: str) -> bool:
    """Tell at once of most texts, and of many that are joined, that they are safe."""
    return (
        text.isprintable()
        and "${" not in text
        and "<!" not in text
        and "`" not in text
        and UNKNOWN not in text
        and "x-pre-process" not in text.lower()
    )
