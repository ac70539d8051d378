"""`fsgitops export --csv`: what is declared of a kind as a table that `import --csv` takes back."""

from __future__ import annotations

import csv
import io
from dataclasses import fields as fields_of
from typing import TYPE_CHECKING, Any, NamedTuple

from fsgitops.commands.listing import find_word
from fsgitops.model.noun import Part
from fsgitops.model.shown import hides_value
from fsgitops.secret.source import HashSource, Source, is_written_out
from fsgitops.steps.format_source.writing import write_flow
from fsgitops.visible import count_noun, guard_cell
from fsgitops.workspace.declare import declare_desired

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.noun import Noun
    from fsgitops.workspace.open import Workspace


class Exported(NamedTuple):
    """A table, and how many secrets are not in it."""

    text: str
    rows: int
    withheld: int

    @property
    def notes(self) -> list[str]:
        """Say what the table does not have."""
        told = f"left out: {count_noun(self.withheld, 'secret')} written out in the desired files"
        return [told] if self.withheld else []


def run_export(workspace: Workspace, word: str) -> Exported:
    """Return what is declared of a kind: a row for each, a column for each field that one sets.

    Of a secret, the table says where it stands, as the YAML does. One that is written out there is
    left out. A cell that a spreadsheet could run begins with an apostrophe, and so does a number
    with a plus sign, which it would drop. Raises UsageError for no kind, DesiredInvalidError.
    """
    kind = workspace.kinds[find_word(word, workspace.kinds)]
    desired = declare_desired(workspace).demand()
    rows, withheld = [], 0
    for noun in desired.of(kind.noun):
        cells = dict(_cells(noun, ""))
        withheld += sum(cell is None for cell in cells.values())
        rows.append({head: cell for head, cell in cells.items() if cell})
    order = list(kind.noun.model_fields)
    found = {head for row in rows for head in row} | {order[0]}
    heads = sorted(found, key=lambda head: (order.index(head.partition(".")[0]), head))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([guard_cell(row.get(head, "")) for head in heads] for row in rows)
    return Exported(out.getvalue(), len(rows), withheld)


def _cells(part: Noun | Part, above: str) -> Iterator[tuple[str, str | None]]:
    """Yield the cells of what differs from the default; None for a secret that is left out."""
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        if value is None or (value == info.default and not info.is_required() and not above):
            continue
        head = f"{above}{name}"
        if isinstance(value, Part):
            yield from _cells(value, f"{head}.")
        elif isinstance(value, dict):
            for key, text in value.items():
                yield f"{head}.{key}", None if hides_value(f"{name}.{key}") else str(text)
        elif isinstance(value, Source):
            yield head, None if is_written_out(value) else write_flow(_say_source(value))
        elif isinstance(value, tuple):
            yield head, _join(value)
        elif value != info.default or info.is_required() or isinstance(value, bool):
            yield head, str(value).lower() if isinstance(value, bool) else str(value)


def _join(items: tuple[Any, ...]) -> str:
    said = [_say(item) for item in items]
    plain = all(isinstance(item, str) and "," not in item and item[:1] not in "[{" for item in said)
    return ", ".join(map(str, said)) if plain else write_flow(said)


def _say(item: object) -> object:
    """Return an item of a list as YAML says it: a text, or a mapping."""
    if not isinstance(item, Part):
        return str(item)
    said = {
        name: getattr(item, name)
        for name, info in type(item).model_fields.items()
        if info.is_required() or getattr(item, name) != info.default
    }
    return str(said[item.short]) if said.keys() == {item.short} else said


def _say_source(source: Source) -> dict[str, object]:
    if isinstance(source, HashSource):
        return {"a1": _say_source(source.a1)}
    said = {item.name: getattr(source, item.name) for item in fields_of(source)}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in said.items()
    }
