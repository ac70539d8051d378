"""The merged text as a tree, read as FreeSWITCH's own XML parser reads it.

That parser (`switch_xml_parse_str` of FreeSWITCH 1.11) is no XML parser by the book: raw `&` and
`<` in attribute values are fine, a missing `=` makes an empty attribute, a second attribute of
the same name is ignored, and its errors name lines of a text in which it has already overwritten
things. All of that matters to whoever wants to know what the switch holds, so it is kept here.
Document type declarations are skipped: no configuration needs the entities they define.
"""

from __future__ import annotations

import gc
import re
import sys
from typing import NoReturn

from fsgitops.errors import FsgitopsError

# A letter, `_`, `:` or any byte from 0x80. Said by what it is not: a range up to the last character
# takes `re` milliseconds to compile, in every command.
_START = r"[^\x00-9;-@\[-^`{-\x7f]"
_TAG = re.compile(
    rf"<(?:({_START}[^\t\r\n />=\"'<\x0b\x0c]*)"
    r"((?:[\t\r\n ]+[^\t\r\n =/>\"'\x0b\x0c]+=\"[^\"]*\")*)[\t\r\n ]*(/?)"
    r"|/([^\t\r\n >]*))>([^<]*)"
)
_ATTRIBUTE = re.compile(r"[\t\r\n ]([^\t\r\n =/>\"']+)=\"([^\"]*)\"")
_UNCLEAN = re.compile(r"[&\t\r\n\x0b\x0c]")
_SPACES = re.compile(r"[\t\n\x0b\x0c\r ]*")
_BLANKS = re.compile(r"[\t\r\n ]*")
_BLANKS_OR_EQUALS = re.compile(r"[\t\r\n =]*")
_NAME = re.compile(r"[^\t\r\n />]*")
_ATTRIBUTE_NAME = re.compile(r"[^\t\r\n =/>]*")
_CLOSING_NAME = re.compile(r"[^\t\r\n >]*")
_STARTS_NAME = re.compile(_START)
_SUBSET_END = re.compile(r"\][\t\r\n ]*(?=>)")
_ENTITY = re.compile(r"&(?:#(?:x([0-9A-Fa-f]{1,16})|([0-9]{1,16}));|(lt|gt|quot|apos|amp);)")
_NAMED = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
_ERROR_LENGTH = 127


class XmlSyntaxError(FsgitopsError):
    """FreeSWITCH would refuse this text. `str()` is what it answers between the outer brackets.

    `reported_line` is the line it names; `line` is where the parser really stood, `reason` what it
    says of it.
    """

    def __init__(self, message: str, reported_line: int, line: int) -> None:
        super().__init__(f"[error near line {reported_line}]: {message}")
        self.reason = message
        self.reported_line = reported_line
        self.line = line

    def __str__(self) -> str:
        encoded = super().__str__().encode("utf-8", "surrogateescape")[:_ERROR_LENGTH]
        return encoded.decode("utf-8", "surrogateescape")


_CHILDLESS: list[Element] = []
"""Shared by all elements without children; most are, and never changed."""


class Element:
    """One tag: its attributes (the first of each name), children and text, in document order.

    `offset` is how much of the parent's text stood before it, `line` the line of the merged text
    that it starts on. Do not change a tree: several readers may share it.
    """

    __slots__ = ("attributes", "children", "line", "name", "offset", "text")

    def __init__(self, name: str, attributes: dict[str, str], offset: int, line: int) -> None:
        self.name = name
        self.attributes = attributes
        self.offset = offset
        self.line = line
        self.children = _CHILDLESS
        self.text = ""

    def printed(self, depth: int) -> str | None:  # noqa: ARG002
        """Return the element as the switch prints it that deep, where that is known; else None."""
        return None

    def may_hold(self, tag: str) -> bool:  # noqa: ARG002
        """Tell whether an element of this name may stand in it: told at once, and never in vain."""
        return True

    def child(self, name: str) -> Element | None:
        """Return the first child of that name (`switch_xml_child`)."""
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> list[Element]:
        """Return every child of that name, in order."""
        return [child for child in self.children if child.name == name]

    def find(self, name: str, attribute: str, value: str) -> Element | None:
        """Return the first child of that name and attribute value, without regard to case."""
        wanted = fold(value)
        for child in self.children:
            found = child.attributes.get(attribute) if child.name == name else None
            if found is not None and fold(found) == wanted:
                return child
        return None


def fold(text: str) -> str:
    """Return the text as `strcasecmp` sees it: only ASCII letters lose their case."""
    if text.isascii():
        return text.lower()
    return text.encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")


def parse(data: bytes) -> Element:
    """Return the root element of a merged text. Raises XmlSyntaxError."""
    parser = _Parser(data.decode("utf-8", "surrogateescape"))
    # A million fresh objects and not one of them garbage: collecting would double the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return parser.run()
    finally:
        if collecting:
            gc.enable()


class _Parser:
    def __init__(self, text: str) -> None:
        # The original ends its buffer by overwriting the last character, which it remembers.
        self.body, self.last = text[:-1], text[-1:]
        self.drift = 0
        self.stack: list[tuple[Element, list[str]]] = []
        self.size = 0
        self.sizes: list[int] = []
        self.root: Element | None = None
        self.line = 1
        self.line_at = 0

    def run(self) -> Element:
        body, match_tag = self.body, _TAG.match
        position, end = body.find("<"), len(body)
        if position < 0:
            self.fail(end, "root tag missing")
        after = position
        while 0 <= position < end:
            match = match_tag(body, position)
            if match is not None and (match[1] is None or "\n" not in match[2]):
                position = self.quick_tag(match)
                after = match.start(5)
                continue
            after = position + 1
            stop = self.any_markup(after)
            if stop >= end:
                break
            after = stop + 1
            position = body.find("<", after)
            if position > after:
                self.add_text(body[after:position])
        return self.finish(after)

    def quick_tag(self, match: re.Match[str]) -> int:
        """Take a tag of the common form and the text after it; return where the next one is."""
        name, attributes, empty, closing, text = match.groups()
        if name is not None:
            if not attributes:
                found = {}
            elif _UNCLEAN.search(attributes) is None:
                pairs = _ATTRIBUTE.findall(attributes)
                found = dict(pairs)
                if len(found) != len(pairs):
                    found = first_of_each(pairs)
            else:
                pairs = _ATTRIBUTE.findall(attributes)
                found = first_of_each([(key, clean_attribute(value)) for key, value in pairs])
                self.drift += sum(reference_drift(value) for _, value in pairs)
            self.open_tag(name, found, match.start())
            if empty:
                self.stack.pop()
                self.size = self.sizes.pop()
        else:
            self.close_tag(closing, match.start() + 2 + len(closing))
        end = match.end()
        if text and end < len(self.body):
            self.add_text(text)
        return end

    def any_markup(self, start: int) -> int:
        """Take whatever stands after a `<`; return the place of its last character."""
        body = self.body
        if _STARTS_NAME.match(body, start):
            return self.start_tag(start)
        if body.startswith("/", start):
            return self.end_tag(start)
        if body.startswith("!--", start):
            end = body.find("--", start + 3)
            if end < 0 or not self.ends_with_bracket(end + 2):
                self.fail(start, "unclosed <!--")
            return end + 2
        if body.startswith("![CDATA[", start):
            end = body.find("]]>", start)
            if end < 0:
                self.fail(start, "unclosed <![CDATA[")
            if end > start + 8 and self.stack:
                text = body[start + 8 : end]
                self.drift += lone_returns(text)
                self.append(text.replace("\r\n", "\n").replace("\r", "\n"))
            return end + 2
        if body.startswith("!DOCTYPE", start):
            return self.document_type(start)
        if body.startswith("?", start):
            end = body.find("?>", start)
            if end < 0 and not (body.endswith("?") and self.last == ">"):
                self.fail(start, "unclosed <?")
            return len(body) if end < 0 else end + 1
        return self.fail(start, "unexpected <")

    def start_tag(self, start: int) -> int:
        body = self.body
        if self.root is not None and not self.stack:
            self.fail(start, "markup outside of root element")
        at = _end(_NAME, body, start)
        name = body[start:at]
        blank = _end(_SPACES, body, at)
        lost = body.count("\n", at, blank)
        at = blank
        pairs: list[tuple[str, str]] = []
        while at < len(body) and body[at] not in "/>":
            key_end = _end(_ATTRIBUTE_NAME, body, at)
            key, value = body[at:key_end], ""
            at = key_end
            if at < len(body) and body[at] not in "/>":
                lost += body[at] == "\n"
                at = _end(_BLANKS_OR_EQUALS, body, at + 1)
                quote = body[at : at + 1]
                if quote in ('"', "'") and quote:
                    closing = body.find(quote, at + 1)
                    if closing < 0:
                        self.fail(start, f"missing {quote}")
                    value = clean_attribute(body[at + 1 : closing])
                    lost += body.count("\n", at + 1, closing)
                    lost -= reference_drift(body[at + 1 : closing])
                    at = closing + 1
            pairs.append((key, value))
            at = _end(_SPACES, body, at)
        empty = body.startswith("/", at)
        at += empty
        if not self.ends_with_bracket(at, strict=True):
            self.fail(start, "missing >")
        self.open_tag(name, first_of_each(pairs), start)
        if empty:
            self.stack.pop()
            self.size = self.sizes.pop()
        self.drift -= lost
        return at

    def end_tag(self, start: int) -> int:
        body = self.body
        at = _end(_CLOSING_NAME, body, start + 1)
        if at >= len(body) and self.last != ">":
            self.fail(start + 1, "missing >")
        self.close_tag(body[start + 1 : at], at)
        return _end(_BLANKS, body, at)

    def document_type(self, start: int) -> int:
        bracket = self.body.find("[", start)
        end = self.body.find(">", start)
        if 0 <= bracket < end:
            match = _SUBSET_END.search(self.body, bracket)
            end = match.end() if match else -1
        if end < 0 and self.last != ">":
            self.fail(start, "unclosed <!DOCTYPE")
        return len(self.body) if end < 0 else end

    def ends_with_bracket(self, at: int, *, strict: bool = False) -> bool:
        if at < len(self.body):
            return self.body[at] == ">"
        return self.last == ">" or (not strict and at > len(self.body))

    def open_tag(self, name: str, attributes: dict[str, str], position: int) -> None:
        if position > self.line_at:
            self.line += self.body.count("\n", self.line_at, position)
            self.line_at = position
        element = Element(sys.intern(name), attributes, self.size, self.line)
        if self.stack:
            parent = self.stack[-1][0]
            if parent.children:
                parent.children.append(element)
            else:
                parent.children = [element]
        elif self.root is None:
            self.root = element
        else:
            self.fail(position + 1, "markup outside of root element")
        self.stack.append((element, []))
        self.sizes.append(self.size)
        self.size = 0

    def close_tag(self, name: str, position: int) -> None:
        if not self.stack or self.stack[-1][0].name != name:
            self.fail(position, f"unexpected closing tag </{name}>")
        element, pieces = self.stack.pop()
        element.text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        self.size = self.sizes.pop()

    def add_text(self, text: str) -> None:
        if self.stack and ("&" in text or "\r" in text):
            self.drift += lone_returns(text) + reference_drift(text)
            text = decode(text.replace("\r\n", "\n").replace("\r", "\n"))
        self.append(text)

    def append(self, text: str) -> None:
        if self.stack:
            self.stack[-1][1].append(text)
            self.size += len(text)

    def finish(self, position: int) -> Element:
        if self.root is None:
            self.fail(position, "root tag missing")
        if self.stack:
            self.fail(position, f"unclosed tag <{self.stack[-1][0].name}>")
        return self.root

    def fail(self, position: int, message: str) -> NoReturn:
        line = 1 + self.body.count("\n", 0, position)
        raise XmlSyntaxError(message, line + self.drift, line)


def decode(text: str) -> str:
    """Replace character references and the five named entities; leave any other `&` alone."""
    return _ENTITY.sub(_entity, text) if "&" in text else text


def clean_attribute(value: str) -> str:
    """Return an attribute's value: white space becomes spaces, references become characters."""
    if _UNCLEAN.search(value) is None:
        return value
    value = value.replace("\r\n", " ")
    return decode(re.sub(r"[\t\r\n\x0b\x0c]", " ", value))


def first_of_each(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the pairs as a mapping in which the first of each name wins."""
    found: dict[str, str] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def lone_returns(text: str) -> int:
    """Return how many carriage returns without a line feed FreeSWITCH makes line feeds of."""
    return text.count("\r") - text.count("\r\n")


def reference_drift(text: str) -> int:
    """Return how many line feeds decoding the references adds to FreeSWITCH's buffer.

    Besides those it decodes: a reference that shrinks pulls the rest of the text to the left,
    so its tail stands in the buffer twice. `&lt;` and `&gt;` grow first, which makes FreeSWITCH
    go on in a copy of the text and leave the buffer alone.
    """
    if "&" not in text:
        return 0
    extra = 0
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for match in _ENTITY.finditer(plain):
        if match[3] in ("lt", "gt"):
            break
        decoded = _entity(match).encode("utf-8", "surrogateescape")
        stale = (5 if match[3] else match.end() - match.start()) - len(decoded) - 1
        extra += decoded == b"\n"
        if stale > 0:
            # The last few characters are enough: a reference has at most twenty.
            tail = plain[max(match.end(), len(plain) - stale) :]
            extra += tail.encode("utf-8", "surrogateescape")[-stale:].count(b"\n")
    return extra


def _entity(match: re.Match[str]) -> str:
    if match[3]:
        return _NAMED[match[3]]
    code = int(match[1], 16) if match[1] else int(match[2])
    if code == 0 or code > 0x7FFFFFFF:
        return match[0]
    if code < 0x110000 and not 0xD800 <= code < 0xE000:
        return chr(code)
    return _long_utf8(code).decode("utf-8", "surrogateescape")


def _long_utf8(code: int) -> bytes:
    """Encode what UTF-8 proper has no form for, the way FreeSWITCH does."""
    payload = (code.bit_length() - 2) // 5
    head = (0xFF << (7 - payload)) & 0xFF | code >> (6 * payload)
    tail = [0x80 | code >> (6 * step) & 0x3F for step in reversed(range(payload))]
    return bytes([head, *tail])


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start
