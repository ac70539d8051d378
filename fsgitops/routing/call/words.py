"""How FreeSWITCH's C code reads words: `src/switch_utils.c` of FreeSWITCH 1.11.

Within this folder a text is "raw": each of its characters is one byte, as FreeSWITCH counts them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

DYE: Final = 0xF0000
"""From this character on, texts are dyed: what they hold stands for that of many calls."""
_BYTES: Final = re.compile(r"[\0-\xff]+")
_CHARACTERS: Final = re.compile(r"[\0-\U000effff]+")
_TRUE: Final = frozenset(("yes", "on", "true", "t", "enabled", "active", "allow"))
_NUMBER: Final = re.compile(r"[-+]?[.0-9]*\Z")
_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*([-+]?[0-9]{1,18})")
_UNESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
_ESCAPED: Final = re.compile(r"\\[\\nst']")
_DELIMITER: Final = re.compile(r"\^\^(.).", re.DOTALL)


class DyedError(Exception):
    """What a dyed text holds is asked for, where only one call's could be told."""


def is_dyed(text: str) -> bool:
    """Tell whether any of a text is dyed."""
    return not text.isascii() and ord(max(text)) >= DYE


def to_raw(text: str) -> str:
    """Return a text with one character for each byte of its UTF-8."""
    if text.isascii():
        return text
    return _CHARACTERS.sub(
        lambda part: part[0].encode("utf-8", "surrogateescape").decode("latin-1"), text
    )


def from_raw(raw: str) -> str:
    """Return a raw text as people read it."""
    if raw.isascii():
        return raw
    return _BYTES.sub(lambda part: part[0].encode("latin-1").decode("utf-8", "replace"), raw)


def is_number(text: str) -> bool:
    """`switch_is_number`: also true of nothing, and of a sign alone. Raises DyedError."""
    _check_plain(text)
    return _NUMBER.match(text) is not None


def to_int(text: str) -> int:
    """`atoi`, of at most 18 digits. Raises DyedError."""
    _check_plain(text)
    found = _INTEGER.match(text)
    return int(found[1]) if found else 0


def _check_plain(text: str) -> None:
    if is_dyed(text):
        raise DyedError("a number is read from it")


def is_true(text: str | None) -> bool:
    """`switch_true`."""
    return text is not None and (fold(text) in _TRUE or (is_number(text) and to_int(text) != 0))


def has_variable(text: str) -> bool:
    """`switch_string_var_check_const`: whether `${` stands in it, a backslash between or not."""
    if "${" in text:
        return True
    before, *others = text.split("{")
    for part in others:
        if "$" in before[len(before.rstrip("$\\")) :]:
            return True
        before = part
    return False


def needs_expansion(text: str) -> bool:
    """Tell whether `switch_channel_expand_variables` looks at a text at all."""
    if "$" not in text and "\\" not in text:
        return False
    return has_variable(text) or _ESCAPED.search(text) is not None


def separate(text: str, delimiter: str, most: int) -> list[str]:
    """`switch_separate_string`: split, without quotes, escapes and spaces around.

    `most` is the size of the array. The last word that fits keeps all that follows it. A text that
    begins with `^^` names its own delimiter.
    """
    if "\\" not in text and "'" not in text and not text.startswith("^^"):
        words = _split_plain(text, delimiter)
        if words and len(words) < most:
            return words
    own = _DELIMITER.match(text)
    if own:
        delimiter, text = own[1], text[3:]
    blank = delimiter == " "
    words = list(_split_blank(text, most) if blank else _split_at(text, delimiter, most))
    return [_clean(word, "" if blank else delimiter) for word in words]


def _split_plain(text: str, delimiter: str) -> list[str]:
    """Split a text without quotes and escapes, of which no word is the last that fits."""
    words = text.split(delimiter)
    if delimiter == " ":
        return [word for word in words if word]
    if not words[-1]:
        words.pop()
    return [word.strip(" ") for word in words]


def _split_blank(text: str, most: int) -> Iterator[str]:
    at, end, count = 0, len(text), 0
    while at < end and count < most:
        start, quoted = at, False
        count += 1
        while at < end and text[at] == " ":
            at += 1
        if count == most:
            # The array is full once its last word began: nothing ends that one.
            yield text[start:]
            return
        while at < end and (text[at] != " " or quoted):
            if text[at] == "\\":
                at += 1
            elif text[at] == "'":
                quoted = not quoted
            at += 1
        yield text[start:at]
        while at < end and text[at] == " ":
            at += 1


def _split_at(text: str, delimiter: str, most: int) -> Iterator[str]:
    at, end, count = 0, len(text), 0
    last_quote = text.rfind("'")
    while at < end and count < most:
        start, quoted = at, False
        count += 1
        if count == most:
            yield text[start:]
            return
        while at < end and (text[at] != delimiter or quoted):
            if text[at] == "\\":
                at += 1
            elif text[at] == "'" and (quoted or at < last_quote):
                quoted = not quoted
            at += 1
        yield text[start:at]
        at += 1


def _clean(word: str, delimiter: str) -> str:
    """`cleanup_separated_string`."""
    word = word.lstrip(" ")
    if "\\" not in word and "'" not in word:
        return word.rstrip(" ")
    out: list[str] = []
    kept, quoted, at = 0, False, 0
    last_quote = word.rfind("'")
    while at < len(word):
        char = word[at]
        after = word[at + 1 : at + 2]
        if char == "\\" and after and (after in ("'", '"', delimiter, "\\") or after in _UNESCAPED):
            known = after in ("'", '"', delimiter, "\\")
            out.append(after if known else _UNESCAPED[after])
            kept = len(out)
            at += 2
            continue
        if char == "'" and (quoted or at < last_quote):
            quoted = not quoted
            kept = len(out) if quoted else kept
        else:
            out.append(char)
            kept = len(out) if char != " " or quoted else kept
        at += 1
    # Where nothing but spaces was read, C leaves the word as it is.
    return "".join(out[:kept]) if kept else "".join(out)
