"""What an import found and wrote, in lines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from fsgitops.model.wording import Line
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fsgitops.model.imports import Imported
    from fsgitops.model.kind import Kinds

_NAMES: Final = 12


def render_import(found: Imported, kinds: Kinds) -> Iterator[Line]:
    """Yield the lines of an import: what it wrote, what it left, and what people must do."""
    yield Line(f"Target {found.target}: {found.conf_dir}", "title")
    counts = Counter(item.kind for item in found.brought)
    told = ", ".join(count_noun(many, kinds[word].told) for word, many in counts.items())
    verb = "Would import" if found.dry_run else "Imported"
    yield Line(f"{verb}: {told or 'nothing'}", "create" if told else "")
    for path, many in found.files.items():
        yield Line(f"  {path}: {many}")
    if found.columns:
        pairs = (f"{field} from {head}" for field, head in found.columns.items())
        yield Line(make_visible(f"Columns: {', '.join(pairs)}"))
    if found.unread:
        yield Line(make_visible(f"Columns that are not read: {', '.join(found.unread)}"))
    if found.declared:
        yield Line(f"Declared already: {found.declared}")
    yield from _tell_kept(found)
    yield from _tell_changes(found)
    yield from _tell_secrets(found)
    if found.realms:
        yield Line(
            "Only hashes are kept for FreeSWITCH. Phones cannot register with them:", "update"
        )
    for problem, remedy in found.realms:
        yield Line(make_visible(f"  {problem}"))
        yield Line(make_visible(f"    {remedy}"))
    if found.places:
        yield Line("FreeSWITCH would not read files of fsgitops here. Before an apply:", "update")
    for problem, remedy in found.places:
        yield Line(f"  {problem}")
        yield Line(f"    {remedy}")
    for line in found.settings:
        yield Line(f"fsgitops.yaml {'would say' if found.dry_run else 'now says'}: {line}")


def _tell_kept(found: Imported) -> Iterator[Line]:
    if found.kept:
        told = "Rows that are rejected" if found.columns else "Left as they are"
        yield Line(f"{told}: {len(found.kept)}", "update")
    for item in found.kept:
        yield Line(make_visible(f"  {item.place.file}:{item.place.line}: {item.what}"))
        for reason in item.reasons:
            yield Line(f"    {reason.place.file}:{reason.place.line}: {reason.why}")
    for place in found.lost_comments:
        yield Line(f"  {place}: a comment is not taken, as it may hold a secret")


def _tell_changes(found: Imported) -> Iterator[Line]:
    """Yield each variable that agents get and had not: with its value, or how many get one."""
    names: dict[str, list[str]] = {}
    for item in found.brought:
        for change in item.changes:
            names.setdefault(change.partition("=")[0], []).append(f"{item.name}: {change}")
    if names:
        yield Line("What FreeSWITCH will hold that it did not:")
    for name, told in names.items():
        yield Line(f"  {told[0]}" if len(told) == 1 else f"  {name}, {len(told)} times")


def _tell_secrets(found: Imported) -> Iterator[Line]:
    if found.again or any(
        "password" in item.secrets and item.secrets["password"].login for item in found.brought
    ):
        anew = "none: each keeps its password"
        yield Line(f"Phones that must register anew: {_list(found.again) or anew}")
    reasons: dict[str, list[str]] = {}
    for name, why in found.pins.items():
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        yield Line(f"Mailboxes that get another PIN ({why}): {_list(names)}", "update")
    if found.shared:
        yield Line(
            f"Passwords that others have too, so that each can register as the other: "
            f"{_list(sorted(found.shared))}. Remove `password` of one to give it its own.",
            "update",
        )
    if found.secrets_file:
        yield Line(
            f"The passwords stand in {found.secrets_file}, mode 0600: put them into the "
            "environment of whatever runs fsgitops, and remove the file.",
            "update",
        )


def _list(names: Iterable[str] | Mapping[str, str]) -> str:
    found = [*names]
    more = f" and {len(found) - _NAMES} more" if len(found) > _NAMES else ""
    return ", ".join(found[:_NAMES]) + more
