"""Read a table (CSV) as resources: a spreadsheet, an export of another program, or ours."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, Final

from fsgitops.commands.importing.look import Found
from fsgitops.errors import UsageError
from fsgitops.findings import Position
from fsgitops.model.columns import Columns
from fsgitops.model.fields import Hidden, Key, Number, Ref
from fsgitops.model.imports import Brought, Known, Reason
from fsgitops.model.reading import ENTRY, ITEM, find_spot, is_source, key_field, spots
from fsgitops.secret.source import SourceError, read_login
from fsgitops.secret.value import Secret
from fsgitops.steps.load.plain import parse_file
from fsgitops.visible import unguard_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from fsgitops.model.columns import Row
    from fsgitops.model.kind import Kind, Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.model.reading import Spot

MOST_BYTES: Final = 64 << 20
_YES: Final = frozenset(("true", "yes", "y", "on", "1", "enabled", "x"))
_NO: Final = frozenset(("false", "no", "n", "off", "0", "disabled"))
_ROUNDED: Final = re.compile(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+")


def read_table(path: Path, named: Mapping[str, str], kinds: Kinds) -> Found:
    """Return what a table says; `named` are the heads of columns by the fields that they hold.

    Raises UsageError where it is no table, or where no column holds what a resource is called.
    """
    rows = _read_rows(path)
    _, heads = next(rows, (0, []))
    kind, columns = _choose_kind(path, heads, named, kinds)
    found = Found()
    found.columns = columns
    found.unread = tuple(head for head in heads if head and head not in columns.values())
    taken = {heads.index(head): field for field, head in columns.items()}
    for line, cells in rows:
        place = Position(str(path), line)
        row = {taken[at]: cell for at, cell in enumerate(cells) if at in taken and cell}
        name = row.get(key_field(kind.noun), "")
        item = Brought(kind.word, name, {}, place)
        problem = f"it has {len(cells)} cells, and the first row has {len(heads)}"
        try:
            if len(cells) <= len(heads):
                found.brought.append(_bring(kind, place, row))
                continue
        except ValueError as wrong:
            problem = str(wrong)
        found.keep(item, f"{kind.word} {name or '(no name)'}", Reason(place, problem))
    return found


def _read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty, with the line that it begins on."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}") from None
    if len(data) > MOST_BYTES:
        raise UsageError(f"{path}: it has more than 64 MiB; split it")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: it is not UTF-8; save it as `CSV UTF-8`") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            read = [unguard_cell(cell.strip()) for cell in cells]
            if any(read):
                yield line, read
            line = reader.line_num + 1
    except csv.Error as problem:
        raise UsageError(f"{path}:{line}: this is no row of a table: {problem}") from None


def _choose_kind(
    path: Path, heads: Sequence[str], named: Mapping[str, str], kinds: Kinds
) -> tuple[Kind[Any], dict[str, str]]:
    """Return the kind whose required fields all have a column, and the most others, and them."""
    twice = [at for at, head in enumerate(heads, 1) if head and heads.count(head) > 1]
    if twice:
        raise UsageError(f"{path}: columns {', '.join(map(str, twice))} have a name of another one")
    if lost := sorted(head for head in named.values() if head not in heads):
        raise UsageError(f"{path}: no column is called {', '.join(lost)} in its first row")
    found: list[tuple[int, int, Kind[Any], dict[str, str]]] = []
    near: tuple[int, list[str]] = 0, []
    for number, kind in enumerate(kinds.values()):
        known = kind.columns() if kind.columns else Columns({})
        fields = _list_fields(kind.noun)
        if not all(_has_field(name, fields) for name in named):
            continue
        columns = _match(heads, named, fields, known)
        required = [n for n, info in kind.noun.model_fields.items() if info.is_required()]
        missing = [name for name in required if name not in {f.partition(".")[0] for f in columns}]
        if not missing:
            found.append((len(columns), -number, kind, columns))
        near = max(near, (len(columns), missing), key=lambda item: item[0])
    if found:
        *_, kind, columns = max(found, key=lambda item: item[:2])
        return kind, columns
    # The first row is not shown: where it is no row of names, it may hold a password.
    needs = f", only none for {' and '.join(near[1])}" if near[0] else ""
    raise UsageError(
        f"{path}: its first row does not name the columns that a kind needs{needs}; "
        "tell which they are: --map extension=COLUMN,name=COLUMN for agents, "
        "--map did_number=COLUMN,destination_extension=COLUMN for routes"
    )


def _list_fields(noun: type[Noun]) -> dict[str, Spot]:
    """Return the fields that a cell can hold, by their dotted names."""
    found = spots(noun)
    return {
        spot.name: spot
        for spot in found
        if spot.part is None and {ITEM, ENTRY}.isdisjoint(spot.steps)
    }


def _has_field(name: str, fields: Mapping[str, Spot]) -> bool:
    top, _, below = name.partition(".")
    return name in fields or bool(below and top in fields and fields[top].holds is dict)


def _match(
    heads: Sequence[str], named: Mapping[str, str], fields: Mapping[str, Spot], known: Columns
) -> dict[str, str]:
    """Return the head of each field's column: as it is named, as the field, or as others say it."""
    columns = dict(named)
    free = {_plain(head): head for head in reversed(heads) if head not in columns.values()}
    words = {
        field: (_plain(field), *known.heads.get(field, ())) for field in {**fields, **known.heads}
    }
    for likeliest in range(max(map(len, words.values()))):
        for field, said in words.items():
            if field not in columns and said[likeliest : likeliest + 1] and said[likeliest] in free:
                columns[field] = free.pop(said[likeliest])
    return columns | {head: head for head in free.values() if _has_field(head, fields)}


def _plain(head: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", head.lower()))


def _bring(kind: Kind[Any], place: Position, row: Row) -> Brought:
    """Return what a row says. Raises ValueError; no message holds a secret."""
    noun = kind.noun
    row = kind.columns().read(row) if kind.columns else row
    values: dict[str, Any] = {}
    secrets: dict[str, Known] = {}
    for field, cell in row.items():
        top, _, below = field.partition(".")
        value: object = _read_cell(noun, field, cell)
        if is_source(noun, tuple(field.split("."))) and isinstance(value, str):
            spot = find_spot(noun, tuple(field.split(".")))
            secrets[field] = Known(Secret(value), login=bool(spot and spot.marks[Hidden].login))
        elif below:
            values.setdefault(top, {})[below] = value
        else:
            values[top] = value
    off = [name for name, inner in values.items() if _is_off(inner)]
    for name in off:
        values[name] = False
        secrets = {field: known for field, known in secrets.items() if not field.startswith(name)}
    name = str(values.get(key_field(noun), ""))
    if not name:
        raise ValueError(f"it has no `{key_field(noun)}`")
    return Brought(kind.word, name, values, place, secrets=secrets)


def _is_off(value: object) -> bool:
    """Tell whether a part is declared, and not enabled: nothing else of it counts."""
    return isinstance(value, dict) and value.get("enabled") is False


def _read_cell(noun: type[Noun], field: str, cell: str) -> object:
    """Return what a cell says: a switch, a list, a source of a secret, or a text."""
    steps = tuple(field.split("."))
    spot = find_spot(noun, steps)
    holds = spot.holds if spot else str
    if holds is bool:
        if cell.lower() in _YES | _NO:
            return cell.lower() in _YES
        raise ValueError(f"`{field}` is neither yes nor no")
    if is_source(noun, steps):
        return _read_source(field, cell)
    if cell[:1] in "[{" and holds is not str:
        found, wrong = parse_file(field, f"cell: {cell}\n".encode())
        if found is None or wrong:
            raise ValueError(f"`{field}` is no list of YAML")
        return found.data["cell"]
    marks = spot.marks if spot else {}
    if _ROUNDED.fullmatch(cell) and not {Key, Ref, Number}.isdisjoint(marks):
        raise ValueError(f"a spreadsheet has rounded `{field}`; make that column text")
    return [item.strip() for item in cell.split(",")] if holds is tuple else cell


def _read_source(field: str, cell: str) -> object:
    if not (cell.startswith("{") and cell.endswith("}")):
        return cell
    found, wrong = parse_file(field, f"cell: {cell}\n".encode())
    value = found.data.get("cell") if found is not None and not wrong else None
    if not isinstance(value, dict):
        return cell
    try:
        read_login(value)
    except SourceError:
        return cell
    return value
