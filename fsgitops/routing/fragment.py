"""One file of a conf directory, read as FreeSWITCH reads it: line by line first, then as XML.

Values of `$${name}` are left as they are: what they stand for is not in the file. What the switch
answers to `xml_locate` is flattened as a file is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.parsers import expat

from fsgitops.errors import FsgitopsError, SwitchProtocolError
from fsgitops.routing.lines import cut_seen, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT: Final = "#text"
COMMENT: Final = "#comment"
CONTEXT: Final = "context"
GROUP: Final = "group"
FRAMES: Final = (CONTEXT, GROUP)
END: Final = ">"
ALIAS: Final = "number-alias"
"""What is dialled for a user whose phones register by a name."""
TAG: Final = "<"

OPEN: Final = b"<include>\n"
CLOSE: Final = b"</include>\n"
_LINE_END: Final = re.compile(rb"([\r\n])")
_PLAIN: Final = re.compile(r"[\w.+:*-]+", re.ASCII)


class FragmentError(FsgitopsError):
    """The file is not XML as FreeSWITCH reads it; `line` is where, counting from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


def preprocess_lines(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return what FreeSWITCH hands to its XML parser, and the directives that it acts on.

    A line with `<include>`, `</include>` or `<?` is dropped whole, and so is one with
    X-PRE-PROCESS; what is dropped leaves an empty line, so that line numbers stay.
    """
    inner = plain_inside(content)
    if inner is not None:
        return inner, ()
    kept: list[bytes] = []
    directives: list[str] = []
    in_comment = False
    pieces = _LINE_END.split(content)
    for piece, ending in zip(pieces[::2], [*pieces[1::2], b""], strict=True):
        line = piece.partition(b"\0")[0]
        text, instruction, in_comment = read_line(line, cut_seen(line), in_comment)
        kept += text, ending
        if instruction is not None:
            directives.append(instruction.told.decode("utf-8", "replace"))
    return b"".join(kept), tuple(directives)


def plain_inside(content: bytes) -> bytes | None:
    """Return what stands between `<include>` and `</include>`, the first line and the last.

    None where they are not, and where the preprocessor may drop or run another line.
    """
    if not (content.startswith(OPEN) and content.endswith(CLOSE)):
        return None
    last = content.rfind(b"\n", 0, -len(CLOSE))
    if content[last : -len(CLOSE)].strip():
        return None  # what stands on the line of `</include>` goes with it
    return plain_text(content[len(OPEN) - 1 : -len(CLOSE)])


def plain_text(inside: bytes) -> bytes | None:
    """Return what stands inside of `<include>`; None where the preprocessor may act on it."""
    return None if b"include>" in inside or _has_special(inside) else inside


def only_tag(inside: bytes) -> str:
    """Return the tag of the one element that a text is, with blanks around it; "" for any other.

    Told at a glance: that an element of its tag is not in it, and no comment, is seen.
    """
    element = inside.strip(b" \n")
    found = _OPENING.match(element)
    if not found or not element.endswith(b"</" + found[1] + b">") or b"<!" in element:
        return ""
    return found[1].decode() if element.count(b"<" + found[1]) == 1 else ""


_OPENING: Final = re.compile(rb"<([a-z]+) ")


def read_items(content: bytes) -> tuple[list[str], tuple[str, ...]]:
    """Return a file's XML as one flat list, and its preprocessor directives.

    An element is `<tag`, then each attribute's name and value, then its content, then `>`. Text
    follows TEXT and a comment follows COMMENT; text that is only white space is left out.

    Raises FragmentError.
    """
    text, directives = preprocess_lines(content)
    return read_text(text), directives


def walk_items(items: list[str]) -> Iterator[tuple[str, int, dict[str, str]]]:
    """Yield what a flat list holds: TAG, TEXT, COMMENT or END, where its text is, its attributes.

    A tag's attributes follow its text in the list, each as its name and its value.
    """
    at, count = 0, len(items)
    nothing: dict[str, str] = {}
    while at < count:
        item = items[at]
        if item == END:
            yield END, at, nothing
            at += 1
        elif item in (TEXT, COMMENT):
            yield item, at + 1, nothing
            at += 2
        else:
            end = at + 1
            attributes: dict[str, str] = {}
            while items[end][0:1] not in _MARKS:
                attributes[items[end]] = items[end + 1]
                end += 2
            yield TAG, at, attributes
            at = end


_MARKS: Final = frozenset("<>#")


def read_text(text: bytes) -> list[str]:
    """Return what `read_items` does, of what `preprocess_lines` gave. Raises FragmentError."""
    whole = b"<fragment>" + text + b"</fragment>"
    items: list[str] = []
    texts: list[str] = []
    # Text is nearly always white space between elements, and collecting it apart is much faster.
    _parse(whole, items, texts.append)
    if "".join(texts).strip():
        items = []
        _parse(whole, items, lambda data: _add_text(items, data))
    return items[1:-1]


def _parse(whole: bytes, items: list[str], characters: Callable[[str], None]) -> None:
    append, extend = items.append, items.extend

    def start(tag: str, attributes: list[str]) -> None:
        append("<" + tag)
        extend(attributes)

    def end(_tag: str) -> None:
        append(END)

    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.CommentHandler = lambda data: extend((COMMENT, data))
    try:
        parser.Parse(whole, True)
    except expat.ExpatError as problem:
        raise FragmentError(problem.lineno, expat.ErrorString(problem.code) or "not XML") from None


def _add_text(items: list[str], data: str) -> None:
    if not data.isspace():
        items.extend((TEXT, data.strip()))


def is_frame(key: str, value: str) -> bool:
    """Tell whether this says what stands around the resources of a file, and nothing of them."""
    return value in FRAMES and key.startswith(f"{value} ")


def flatten_fragment(content: bytes) -> dict[str, str]:
    """Return what a file says, by readable names, for comparing two versions of it.

    White space, comments and the order of attributes make no difference. A user's keys are
    `user`, `param NAME` and `variable NAME`; an extension's are `NAME`, `NAME/FIELD` for a
    condition (`NAME/condition 2 FIELD` after the first) and `NAME/action 1 APPLICATION`; a
    context around them is `context NAME`, a group `group NAME`. What stands twice gets ` #2`.
    Raises FragmentError.
    """
    text, directives = preprocess_lines(content)
    return flatten_text(text, directives)


def flatten_text(text: bytes, directives: tuple[str, ...]) -> dict[str, str]:
    """Return what `flatten_fragment` does, of what `preprocess_lines` gave."""
    items = read_text(text)
    flat = {f"X-PRE-PROCESS {number}": text for number, text in enumerate(directives, 1)}
    stack = [_Place("", "", {})]
    for kind, at, attributes in walk_items(items):
        if kind == END:
            stack.pop()
        elif kind == TEXT:
            _put(flat, f"{stack[-1].prefix}text", items[at])
        elif kind == TAG:
            stack.append(_enter(flat, stack[-1], items[at][1:], attributes))
    return flat


class _Place(NamedTuple):
    """Where the walk stands: the tag, the prefix of keys below it, and what was counted there."""

    tag: str
    prefix: str
    counts: dict[str, int]


def _put(flat: dict[str, str], key: str, value: str) -> str:
    """Store a value under a key that is free, and return that key."""
    if key in flat:
        number = 2
        while f"{key} #{number}" in flat:
            number += 1
        key = f"{key} #{number}"
    flat[key] = value
    return key


def _enter(flat: dict[str, str], above: _Place, tag: str, attributes: dict[str, str]) -> _Place:
    """Store what an element says, and return the place that its children are in."""
    prefix, counts = above.prefix, above.counts
    fixed = tag in ("params", "variables") or (tag == "users" and above.tag == GROUP)
    if fixed and not attributes and tag not in counts:
        counts[tag] = 1
        return _Place(tag, prefix, counts)
    label, value = _name(above, tag, attributes)
    key = _put(flat, prefix + label, value)
    for name, extra in attributes.items():
        _put(flat, f"{key}@{name}", extra)
    if tag == "user":
        return _Place(tag, "" if key == "user" else f"{key}/", {})
    if tag == CONTEXT or (tag == GROUP and not prefix):
        # The switch names what is in it, wherever that was written.
        return _Place(tag, prefix, counts)
    if tag == "condition":
        # The first condition's actions read `NAME/action 1 set`; a later one's say which.
        number = counts["condition"]
        return _Place(tag, prefix if number == 1 else f"{prefix}condition {number}/", {})
    return _Place(tag, f"{key}/", {})


def _name(above: _Place, tag: str, attributes: dict[str, str]) -> tuple[str, str]:
    """Return an element's key and value, and take the attributes out that they are made of."""
    if tag in ("param", "variable") and "name" in attributes:
        label = f"{tag} {quote_name(attributes.pop('name'))}"
        # FreeSWITCH looks for parameters in <params> and for variables in <variables> only, but of
        # a gateway.
        told = label if above.tag in (f"{tag}s", "gateway") else f"{above.tag}/{label}"
        return told, attributes.pop("value", "")
    if tag == "extension":
        return quote_name(attributes.pop("name", "")), "extension"
    if tag == CONTEXT or (tag == GROUP and not above.prefix):
        return f"{tag} {quote_name(attributes.pop('name', ''))}", tag
    if tag in ("user", "condition", "action", "anti-action"):
        above.counts[tag] = number = above.counts.get(tag, 0) + 1
        if tag == "user":
            return tag if number == 1 else f"{tag} {number}", attributes.pop("id", "")
        if tag == "condition":
            field = quote_name(attributes.pop("field", "")) or "always"
            label = field if number == 1 else f"condition {number} {field}"
            return label, attributes.pop("expression", "")
        label = f"{tag} {number} {quote_name(attributes.pop('application', ''))}"
        return label, attributes.pop("data", "")
    name = attributes.pop("name", "")
    return f"{tag} {quote_name(name)}" if name else tag, attributes.pop("value", "")


def quote_name(name: str) -> str:
    """Return a name as it stands in a key: in quotes where it is more than a word."""
    return name if not name or is_word(name) else '"' + name.replace('"', '""') + '"'


def is_word(text: str) -> bool:
    """Tell whether a text stands in a key as it is."""
    return _PLAIN.fullmatch(text) is not None


def _has_special(content: bytes) -> bool:
    return (
        (b"?" in content and b"<?" in content)
        or (b"!" in content and b"<!--#" in content)
        or b"\r" in content
        or b"\0" in content
        or b"x-pre-process" in content.lower()
    )


def elements(items: list[str]) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Yield each element of a flat list: its path of tags, and its attributes."""
    path: list[str] = []
    for kind, at, attributes in walk_items(items):
        if kind == END:
            path.pop()
        elif kind == TAG:
            path.append(items[at][1:])
            yield tuple(path), attributes


def parse_answer(answer: bytes) -> Any:
    """Return the root element of an `xml_locate` answer. Raises SwitchProtocolError."""
    from lxml import etree

    if b"<!DOCTYPE" in answer:
        raise SwitchProtocolError("the switch's xml_locate answer declares a document type")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, recover=False
    )
    try:
        return etree.fromstring(answer, parser)
    except etree.XMLSyntaxError as problem:
        raise SwitchProtocolError(f"the switch's xml_locate answer is not XML: {problem}") from None


def flatten_element(element: Any) -> dict[str, str]:
    """Return what `flatten_fragment` does of an element of an answer."""
    from lxml import etree

    return flatten_text(etree.tostring(element, with_tail=False), ())
