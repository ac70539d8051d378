"""Find the deletion and the creation that are one resource under another name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.homes.keeping import Keeping
from fsgitops.homes.pieces import OwnFiles, split_compiled
from fsgitops.model.plan import Action, AttributeChange, Change, is_secret
from fsgitops.phone import is_number_expression, list_forms
from fsgitops.routing.fragment import FragmentError, flatten_fragment, is_frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.kind import Kinds
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan
    from fsgitops.model.resource import Resource

_NAME = "\0"


def pair_moves(plan: Plan, compiled: CompiledConfig, live: LiveConfig) -> tuple[Change, ...]:
    """Return the changes of a plan, where a resource that moves to another file names itself.

    It is deleted in one and created in the other, and stays what it is: its attributes are those
    that differ. Secrets that nobody knows here differ only where something else does.
    """
    changes = plan.changes
    gone = {item.resource: item for item in changes if item.action is Action.DELETE}
    come = [item for item in changes if item.action is Action.CREATE and item.resource in gone]
    if not come:
        return tuple(changes)
    own, keeping = OwnFiles(live), Keeping(plan)
    wanted = {path: split_compiled(compiled.files[path]) for path in {item.path for item in come}}
    moved: dict[Resource, tuple[AttributeChange, ...]] = {}
    for change in come:
        before = gone[change.resource]
        values = _read(own.get(before.path, change.resource).content)
        after = _read(wanted[change.path][change.resource].content)
        if values is None or after is None:
            continue
        names = [name for name in {**values, **after} if values.get(name) != after.get(name)]
        attributes = keeping.compare(change.path, values, after, names)
        if compiled.files[change.path].unknown and all(item.secret for item in attributes):
            attributes = ()
        moved[change.resource] = attributes
    return tuple(
        change if change.resource not in moved
        else replace(change, renamed_to=change.resource) if change.action is Action.DELETE
        else replace(
            change, renamed_from=change.resource, attributes=moved[change.resource],
            login=gone[change.resource].login,
        )
        for change in changes
    )  # fmt: skip


def pair_renames(changes: Sequence[Change], live: LiveConfig, kinds: Kinds) -> tuple[Change, ...]:
    """Return the changes, where halves of a rename name each other.

    A pair is one only where all but the name is the same and no other resource has the same
    values, so that nothing is guessed. Secrets follow from the name and are left out. A file that
    somebody edited is no pair: what it became is not what was declared.
    """
    own = OwnFiles(live)
    gone: dict[object, list[int]] = defaultdict(list)
    come: dict[object, list[int]] = defaultdict(list)
    if not any(change.action is Action.DELETE for change in changes):
        return tuple(changes)
    for number, change in enumerate(changes):
        if change.drifted or change.moved or kinds.owner(change.resource):
            continue
        if change.action is Action.DELETE:
            values = _read(own.get(change.path, change.resource).content)
            if values is not None:
                gone[_content(change, values)].append(number)
        elif change.action is Action.CREATE:
            attributes = {
                item.name: item.after or "" for item in change.attributes if not item.secret
            }
            come[_content(change, attributes)].append(number)
    paired = list(changes)
    for content, before in gone.items():
        after = come.get(content, [])
        if len(before) == 1 and len(after) == 1:
            left, right = changes[before[0]], changes[after[0]]
            paired[before[0]] = replace(left, renamed_to=right.resource)
            paired[after[0]] = replace(right, renamed_from=left.resource)
    return tuple(paired)


def _read(content: bytes | None) -> Mapping[str, str] | None:
    """Return what is said of a resource, whatever stands around it."""
    try:
        said = flatten_fragment(content) if content else None
    except FragmentError:
        return None
    return said and {key: value for key, value in said.items() if not is_frame(key, value)}


def _content(change: Change, values: Mapping[str, str]) -> tuple[str, frozenset[tuple[str, str]]]:
    """Return what a resource says, with its own name and its secrets taken out."""
    kind, name = change.resource
    word = name.removeprefix("+")
    return kind, frozenset(
        (_take_out(word, _take_head(name, key)), _take_out(word, value))
        for key, value in values.items()
        if not is_secret(key, value) and not is_frame(key, value)
    )


def _take_head(name: str, key: str) -> str:
    """Return a key without the name of its element, where it begins with the element's tag."""
    tag, space, rest = key.partition(" ")
    if space and (rest == name or rest.startswith((f"{name}/", f"{name}@"))):
        return f"{tag} {_NAME}{rest[len(name) :]}"
    return key


def _take_out(word: str, text: str) -> str:
    """Return a text without a name: not where it is part of a longer word, or a word of a sentence.

    An agent that is called `Agent 1005` is still called so where it gets another number.
    """
    if word not in text:
        return text
    if word == text:
        return _NAME
    if text.startswith("^") and is_number_expression(text, word):
        names = (form for form in list_forms(text) if not form.removeprefix("+").isdigit())
        return "|".join((_NAME, *names))
    first, *others = text.split(word)
    kept = first
    for other in others:
        around = kept[-1:] + other[:1]
        kept += (word if any(c.isalnum() or c.isspace() for c in around) else _NAME) + other
    return kept
