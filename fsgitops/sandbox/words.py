"""Split an API command's argument into words, as `switch_separate_string` does at spaces."""

from __future__ import annotations

import re

_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "s": " ", "'": "'", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def split_words(text: str, limit: int = 1024) -> list[str]:
    """Return up to `limit` words; the last one takes all that is left.

    Single quotes hold words together and a backslash escapes the character after it.
    """
    words: list[str] = []
    at = 0
    while at < len(text) and len(words) < limit:
        end = _word_end(text, at) if len(words) < limit - 1 else len(text)
        words.append(_clean(text[at:end]))
        at = end
        while at < len(text) and text[at] == " ":
            at += 1
    return words


def _word_end(text: str, at: int) -> int:
    quoted = False
    while at < len(text) and text[at] == " ":
        at += 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "'":
            quoted = not quoted
        elif char == " " and not quoted:
            break
        at += 1
    return min(at, len(text))


def _clean(word: str) -> str:
    parts = re.split(r"((?<!\\)')", word.strip(" "))
    if parts.count("'") % 2:
        last = len(parts) - 1 - parts[::-1].index("'")
        parts[last] = "\\'"
    joined = "".join(part for part in parts if part != "'")
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), joined)
