"""Elements made again from their flattened attributes (fragment.py), where nothing else is left.

What is made is only as good as it is proved: flattened, it is the same again, or nothing is made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.routing.directory import serialise
from fsgitops.routing.fragment import CLOSE, FRAMES, OPEN, FragmentError, flatten_fragment
from fsgitops.routing.tree import Element

if TYPE_CHECKING:
    from collections.abc import Mapping

_USER: Final = "user"
_CONDITION: Final = re.compile(r'condition ([0-9]{1,4})(?: "(.*)")?', re.DOTALL)
_ACTION: Final = re.compile(r"(action|anti-action) [0-9]{1,5} (.*)", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"[a-z-]{1,40}")


def rebuild(attributes: Mapping[str, str]) -> list[Element] | None:
    """Return the users or extensions that these are the attributes of; None: that is not known.

    The frame around them, a group or a context, is left out: their file's path tells it.
    """
    attributes = {
        key: value
        for key, value in attributes.items()
        if not (value in FRAMES and key.startswith(value))
    }
    try:
        made = [_rebuild_user(attributes)] if _USER in attributes else _rebuild_routes(attributes)
        text = b"".join(map(serialise, made))
        same = flatten_fragment(OPEN + text + CLOSE) == attributes
    except (KeyError, IndexError, ValueError, FragmentError):
        return None
    return made if same else None


def _rebuild_user(attributes: Mapping[str, str]) -> Element:
    user = _element(_USER, id=attributes[_USER])
    boxes = {name: _element(f"{name}s") for name in ("param", "variable")}
    for key, value in attributes.items():
        kind, _, name = key.partition(" ")
        if key != _USER:
            _put(boxes[kind], _element(kind, name=name, value=value))
    for box in boxes.values():
        _put(user, box)
    return user


def _rebuild_routes(attributes: Mapping[str, str]) -> list[Element]:
    """Return extensions: of each, its name comes first, then conditions and actions in order."""
    routes: list[Element] = []
    made: dict[str, Element] = {}
    for key, value in attributes.items():
        owner, sign, attribute = key.rpartition("@")
        if sign and owner in made and _ATTRIBUTE.fullmatch(attribute):
            made[owner].attributes[attribute] = value
        elif "/" not in key:
            made[key] = _element(value, name=key.strip('"'))
            routes.append(made[key])
        else:
            made[key] = _rebuild_part(routes[-1], key.partition("/")[2], value)
    return routes


def _rebuild_part(route: Element, key: str, value: str) -> Element:
    """Add a condition, or an action to the last one, and return it."""
    numbered = _CONDITION.match(key)
    if numbered and key[numbered.end() :].startswith("/"):
        key = key[numbered.end() + 1 :]
    elif numbered and numbered.end() == len(key):
        field = {} if numbered[2] is None else {"field": numbered[2], "expression": value}
        return _put(route, _element("condition", **field))
    if action := _ACTION.fullmatch(key):
        data = {"data": value} if value else {}
        made = _element(action[1], application=action[2], **data)
        return _put(route.children[-1], made)
    return _put(route, _element("condition", field=key.strip('"'), expression=value))


def _element(tag: str, **attributes: str) -> Element:
    return Element(tag, dict(attributes), 0, 0)


def _put(parent: Element, child: Element) -> Element:
    parent.children = [*parent.children, child]
    return child
