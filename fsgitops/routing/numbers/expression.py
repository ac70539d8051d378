r"""PCRE2 expressions, read as trees: the regular part of them, byte by byte.

What is not regular, or not read here (look-arounds, back references, `\b`, possessive repetitions
and the like), is refused with a reason. Source: pcre2pattern(3), without PCRE2_UTF, as FreeSWITCH
compiles.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

_DEEPEST: Final = 50


class NotRegularError(Exception):
    """Nothing exact can be said of the expression; the text says why."""


class Bytes(NamedTuple):
    """A set of bytes: those named, or all but those."""

    chars: frozenset[int]
    negated: bool = False

    def has(self, byte: int) -> bool:
        """Tell whether a byte is in the set."""
        return (byte in self.chars) is not self.negated


NO_BYTES: Final = Bytes(frozenset())


Tree = tuple[Any, ...]
"""A kind and what belongs to it. `set`: its bytes; `cat` and `alt`: trees; `rep`: a tree, how often
at least and at most, and whether greedily; `group`: its number and a tree; `assert`: what holds."""

_DIGITS: Final = frozenset(range(48, 58))
_WORD: Final = frozenset((*range(48, 58), *range(65, 91), *range(97, 123), 95))
_SPACE: Final = frozenset((9, 10, 11, 12, 13, 32))
_BLANK: Final = frozenset((9, 32, 0xA0))
_LINES: Final = frozenset((10, 11, 12, 13, 0x85))
_KINDS: Final = {"d": _DIGITS, "w": _WORD, "s": _SPACE, "h": _BLANK, "v": _LINES}
_ESCAPES: Final = {"n": 10, "r": 13, "t": 9, "f": 12, "a": 7, "e": 27}
_ASSERTIONS: Final = {"A": "start", "Z": "line", "z": "end"}
_POSIX: Final = {
    "alpha": frozenset((*range(65, 91), *range(97, 123))), "digit": _DIGITS,
    "alnum": _WORD - {95}, "upper": frozenset(range(65, 91)), "lower": frozenset(range(97, 123)),
    "space": _SPACE, "blank": frozenset((9, 32)), "word": _WORD,
    "xdigit": frozenset((*range(48, 58), *range(65, 71), *range(97, 103))),
    "cntrl": frozenset((*range(32), 127)), "graph": frozenset(range(33, 127)),
    "print": frozenset(range(32, 127)), "ascii": frozenset(range(128)),
    "punct": frozenset(range(33, 127)) - (_WORD - {95}),
}  # fmt: skip
_EMPTY: Final[Tree] = ("cat", ())
_ANYTHING: Final[Tree] = ("rep", ("set", Bytes(frozenset(), True)), 0, None, True)


EXACTLY, LOOSELY, UP_TO = "exactly", "loosely", "up to"
"""How an expression is read. LOOSELY leaves out what is not regular: it matches more. UP_TO ends at
what is looked ahead for: it matches what the looking ahead may forbid."""


class Reader:
    """Reads one expression. Raises NotRegularError."""

    def __init__(self, text: str, *, ignore_case: bool, dot_all: bool, how: str = EXACTLY) -> None:
        self.text = text
        self.at = 0
        self.groups = 0
        self.depth = 0
        self.ignore_case = ignore_case
        self.dot_all = dot_all
        self._how = how

    def read(self) -> Tree:
        """Return the whole expression."""
        tree = self._read_choice()
        if self.at < len(self.text):
            raise NotRegularError("a bracket is closed that was not opened")
        return tree

    def _take(self, wanted: str) -> bool:
        if self.text.startswith(wanted, self.at):
            self.at += len(wanted)
            return True
        return False

    def _next(self) -> str:
        if self.at >= len(self.text):
            raise NotRegularError("it ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def _read_choice(self) -> Tree:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NotRegularError("its groups are too deep")
        case = self.ignore_case, self.dot_all
        choices = [self._read_row()]
        while self._take("|"):
            choices.append(self._read_row())
        self.ignore_case, self.dot_all = case
        self.depth -= 1
        return choices[0] if len(choices) == 1 else ("alt", tuple(choices))

    def _read_row(self) -> Tree:
        items: list[Tree] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            item = self._read_item()
            if item is not None:
                items.append(item if item[0] == "stop" else self._read_repeats(item))
        kinds = [item[0] for item in items]
        if "stop" in kinds:
            items = [*items[: kinds.index("stop")], items[kinds.index("stop")][1]]
        return items[0] if len(items) == 1 else ("cat", tuple(items))

    def _read_item(self) -> Tree | None:
        char = self._next()
        if char == "(":
            return self._read_group()
        if char == "[":
            return ("set", self._fold(self._read_class()))
        if char == ".":
            return ("set", Bytes(frozenset() if self.dot_all else frozenset((10,)), True))
        if char in "^$":
            return ("assert", "start" if char == "^" else "line")
        if char == "\\":
            return self._read_escape()
        if char in "*+?":
            raise NotRegularError(f"there is nothing that {char} repeats")
        return ("set", self._fold(Bytes(frozenset((ord(char),)))))

    def _read_group(self) -> Tree | None:
        if self._take("?#"):
            end = self.text.find(")", self.at)
            if end < 0:
                raise NotRegularError("a comment has no end")
            self.at = end + 1
            return None
        number = None
        case = self.ignore_case, self.dot_all
        if self._take("?"):
            if self._take("<") or self._take("P<"):
                if self.text[self.at : self.at + 1] in ("=", "!"):
                    return self._look_around("behind")
                number = self._count_group()
                self.at = self.text.find(">", self.at) + 1
                if not self.at:
                    raise NotRegularError("the name of a group has no end")
            elif self._how != EXACTLY and self.text[self.at : self.at + 1] in ("=", "!"):
                return self._look_around("ahead")
            elif not self._read_options():
                return None
        elif self._take("*"):
            raise NotRegularError("it has a verb (*…)")
        else:
            number = self._count_group()
        tree = self._read_choice()
        self.ignore_case, self.dot_all = case
        if not self._take(")"):
            raise NotRegularError("a group has no end")
        return tree if number is None else ("group", number, tree)

    def _look_around(self, where: str) -> Tree | None:
        """Read what is looked for; what is left out matches anything."""
        if self._how == EXACTLY:
            raise NotRegularError(f"it looks {where}")
        self._next()
        tree = self._read_choice()
        if not self._take(")"):
            raise NotRegularError("a group has no end")
        return ("stop", tree) if self._how == UP_TO and where == "ahead" else None

    def _count_group(self) -> int:
        self.groups += 1
        return self.groups

    def _read_options(self) -> bool:
        """Read `(?:`, `(?i:` and `(?i)`; return whether a group follows."""
        on = True
        while (char := self._next()) not in ":)":
            if char == "-":
                on = False
            elif char == "i":
                self.ignore_case = on
            elif char == "s":
                self.dot_all = on
            elif char in ">|" and self._how != EXACTLY:
                return True
            else:
                told = {"=": "looks ahead", "!": "looks ahead", ">": "is atomic", "|": "resets"}
                raise NotRegularError(f"it {told.get(char, 'has the option')} (?{char}")
        return char == ":"

    def _read_repeats(self, item: Tree) -> Tree:
        while True:
            least, most = 0, None
            if self._take("*"):
                pass
            elif self._take("+"):
                least = 1
            elif self._take("?"):
                most = 1
            else:
                bounds = self._read_bounds()
                if bounds is None:
                    return item
                least, most = bounds
            if self._take("+") and self._how == EXACTLY:
                raise NotRegularError("a repetition gives nothing back (possessive)")
            greedy = not self._take("?")
            if item[0] == "assert":
                raise NotRegularError("it repeats what takes no character")
            item = ("rep", item, least, most, greedy)

    def _read_bounds(self) -> tuple[int, int | None] | None:
        """Read `{2}`, `{2,}` and `{2,5}`; anything else in braces is meant as it stands."""
        if self.text[self.at : self.at + 1] != "{":
            return None
        inside, brace, _ = self.text[self.at + 1 :].partition("}")
        first, comma, last = inside.partition(",")
        if " " in inside or (comma and not first and last):
            raise NotRegularError("versions of PCRE2 read its braces differently")
        if not brace or not _is_count(first) or (last and not _is_count(last)):
            return None
        self.at += len(inside) + 2
        return int(first), (int(last) if last else None) if comma else int(first)

    def _read_escape(self) -> Tree | None:
        char = self._next()
        if self._how != EXACTLY and char in "123456789":
            return _ANYTHING
        if self._how != EXACTLY and char in "bBG":
            return None
        if char in _ASSERTIONS:
            return ("assert", _ASSERTIONS[char])
        if char == "N":
            return ("set", Bytes(frozenset((10,)), True))
        return ("set", self._fold(self._read_set(char)))

    def _read_set(self, char: str) -> Bytes:
        """Read what stands behind a backslash, in a class or outside."""
        kind = _KINDS.get(char.lower())
        if kind is not None:
            return Bytes(kind, char.isupper())
        if char in _ESCAPES:
            return Bytes(frozenset((_ESCAPES[char],)))
        if char == "x":
            digits = self.text[self.at : self.at + 2]
            if len(digits) != 2 or not all(item in "0123456789abcdefABCDEF" for item in digits):
                raise NotRegularError("it has \\x without two digits")
            self.at += 2
            return Bytes(frozenset((int(digits, 16),)))
        if char.isalnum():
            told = "refers back to a group" if char.isdigit() or char in "gk" else f"has \\{char}"
            raise NotRegularError(f"it {told}")
        return Bytes(frozenset((ord(char),)))

    def _read_class(self) -> Bytes:
        negated = self._take("^")
        found: set[int] = set()
        first = True
        while (char := self._next()) != "]" or first:
            first = False
            if char == "[" and self.text[self.at : self.at + 1] in (":", ".", "="):
                named = self._read_posix()
                if named is not None:
                    found |= named
                    continue
            start = self._read_member(char)
            if self.text[self.at : self.at + 1] != "-" or self.text[self.at + 1 : self.at + 2] in (
                "]", "",
            ):  # fmt: skip
                found |= _list(start)
                continue
            self.at += 1
            end = self._read_member(self._next())
            low, high = _only(start), _only(end)
            if low is None or high is None or high < low:
                raise NotRegularError("a range in its brackets is odd")
            found |= set(range(low, high + 1))
        return Bytes(frozenset(found), negated)

    def _read_posix(self) -> frozenset[int] | None:
        kind = self.text[self.at]
        end = self.text.find(f"{kind}]", self.at + 1)
        name = self.text[self.at + 1 : end] if end >= 0 else ""
        bare = name.removeprefix("^")
        if not (bare.isalpha() and bare.islower()):
            return None
        if kind != ":" or bare not in _POSIX:
            raise NotRegularError(f"nothing is known of [{kind}{name}{kind}]")
        self.at = end + 2
        chars = _POSIX[bare]
        return chars if bare == name else frozenset(range(256)) - chars

    def _read_member(self, char: str) -> Bytes:
        if char != "\\":
            return Bytes(frozenset((ord(char),)))
        char = self._next()
        if char == "b":
            return Bytes(frozenset((8,)))
        if char.isdigit():
            raise NotRegularError("it has an octal number")
        return self._read_set(char)

    def _fold(self, found: Bytes) -> Bytes:
        if not self.ignore_case:
            return found
        chars = {*found.chars}
        for char in found.chars:
            if chr(char).isascii() and chr(char).isalpha():
                chars.add(char ^ 32)
        return Bytes(frozenset(chars), found.negated)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


def _list(found: Bytes) -> frozenset[int]:
    return frozenset(range(256)) - found.chars if found.negated else found.chars


def _only(found: Bytes) -> int | None:
    return next(iter(found.chars)) if len(found.chars) == 1 and not found.negated else None
