"""What the switch answers to `xml_locate`, as a tree, and its elements as files say them."""

from __future__ import annotations

from typing import Any

from fsgitops.errors import SwitchProtocolError
from fsgitops.routing.fragment import flatten_fragment


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

    return flatten_fragment(etree.tostring(element, with_tail=False))
