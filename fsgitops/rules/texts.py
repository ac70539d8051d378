"""No text can become code or markup in what FreeSWITCH loads, and no secret stands in git.

The rule and the compiler ask the same function: whatever comes past one is judged by the other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.model.compiled import UNKNOWN
from fsgitops.model.draft import Global
from fsgitops.model.fields import Hidden
from fsgitops.model.reading import find_all, joined_texts, resource_of, texts
from fsgitops.model.rule import Breach
from fsgitops.secret.source import PlaintextSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.model.reading import WrittenText

_UNSAFE = re.compile(
    r"(?ai:x-pre-process)|<!|\$\{|`|[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"
    + f"|{re.escape(UNKNOWN)}"
)
_GLOBAL = re.compile(r"\$\$\{[A-Za-z_][A-Za-z0-9_.-]{0,63}\}")
_TOGETHER = 100
"""So many nouns get one look at all their texts: of 100,000, hardly one has anything unsafe."""
_HINT = "Write the text itself."
_HINT_GLOBAL = "Write the text itself; a whole value may be `$${name}`, and nothing else with it."
_HINT_SOURCE = (
    "Leave it out to derive one from the project key, or name its source: {env: NAME}, "
    "{file: PATH}, {age: …}. Git may have this one: choose another. "
    "If it is no secret, write {plaintext: true, value: …}."
)


def check(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every text that would not reach the switch as the plain text that it is."""
    for kind in kinds.values():
        nouns = desired.of(kind.noun)
        for start in range(0, len(nouns), _TOGETHER):
            some = nouns[start : start + _TOGETHER]
            if not is_safe(joined_texts(some)):
                for noun in some:
                    yield from _check_noun(noun)


def _check_noun(noun: Noun) -> Iterator[Breach]:
    for written in texts(noun):
        if reason := unsafe_reason(written.text):
            hint = _HINT_GLOBAL if isinstance(written.text, Global) else _HINT
            message = f"{_tell(written)} {reason}"
            yield Breach(resource_of(noun), written.path, message, hint, key=written.key)


def check_secrets(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every secret that is written out and not marked `plaintext: true`. None is shown."""
    for kind in kinds.values():
        for noun, path, source, mark in find_all(desired.of(kind.noun), Hidden):
            if isinstance(source, PlaintextSource) and not source.marked:
                name = ".".join(str(step) for step in path)
                message = f"`{name}` holds a {mark.said} in plain text"
                yield Breach(resource_of(noun), path, message, _HINT_SOURCE)


def _tell(written: WrittenText) -> str:
    names = [step for step in written.path if isinstance(step, str)]
    if written.key:
        return f"the name of a {names[-2].removesuffix('s')}"
    return f"`{'.'.join(names)}`"


def is_safe(text: str) -> bool:
    """Tell whether nothing in a text, or in many that were joined, is unsafe."""
    if text.isprintable():  # what a search for each of these takes is a tenth of the expression's
        plain = "${" not in text and "`" not in text and "<!" not in text and UNKNOWN not in text
        return plain and "x-pre-process" not in text.lower()
    return _UNSAFE.search(text) is None


def unsafe_reason(text: str) -> str | None:
    """Return why a text must not reach the switch, or None; a `Global` may be one as a whole.

    Sources: expand_vars and preprocess in switch_xml.c (a line that holds `X-PRE-PROCESS` is
    dropped or run), and switch_channel_expand_variables_check in switch_channel.c (`${…}` is run
    at call time, also when it comes out of another variable). A user that is looked up is a copy,
    written and parsed again, and switch_xml_ampencode in switch_xml.c escapes nothing after `<!`.
    """
    if isinstance(text, Global) and _GLOBAL.fullmatch(text):
        return None
    match = _UNSAFE.search(text)
    if match is None:
        return None
    found = match[0]
    if found == "${":
        if match.start() and text[match.start() - 1] == "$":
            return "holds `$${`, which FreeSWITCH replaces when it reads its files"
        return "holds `${`, which FreeSWITCH expands during a call; it can run commands"
    if found == "`":
        return "holds a backtick, which FreeSWITCH and shells take for the start of a command"
    if found == "<!":
        return "holds `<!`, after which FreeSWITCH takes quotes and brackets for markup"
    if found == UNKNOWN:
        return f"holds {UNKNOWN}, which stands for a value that is not known yet"
    if found.lower() == "x-pre-process":
        return "holds X-PRE-PROCESS, which FreeSWITCH takes for a directive of its preprocessor"
    if found in "\r\n\u2028\u2029\x85":
        return "holds a line break, and FreeSWITCH reads its files line by line"
    if found in "\ufffe\uffff" or "\ud800" <= found <= "\udfff":
        return f"holds U+{ord(found):04X}, which XML cannot hold"
    return f"holds the control character U+{ord(found):04X}"
