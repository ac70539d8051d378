"""What editors and `explain` are told of fields, also of those in the items of a list."""

from __future__ import annotations

from typing import Annotated, Any

from fsgitops.commands.explain import explain
from fsgitops.model.fields import Count, Extension, Key, Slug, Switch, about
from fsgitops.model.kind import Kind, Kinds
from fsgitops.model.noun import Noun, Part
from fsgitops.model.schema import desired_schema


class Seat(Part):
    """Somebody's place."""

    short = "agent"

    agent: Annotated[Extension, about("Who sits there.", 1020)]
    wait: Annotated[Count | None, about("Seconds.", 5, ge=0, le=60)] = None


class Row(Noun):
    """Seats in a row."""

    kind = "row"
    called = "row"

    name: Annotated[Slug, Key(), about("Its name.", "a")]
    seats: Annotated[tuple[Seat, ...], about("Who.", [1020], min_length=1, max_length=8)]
    width: Annotated[Count, about("In cm.", 5, ge=1, le=9)] = 1
    enabled: Annotated[Switch, about("On.", False)] = True
    protect: Annotated[Switch, about("Kept.", True)] = False


KIND = Kind(
    word="row", section="rows", noun=Row, paths=lambda *_: (), drafts=lambda *_: (), lists="Rows."
)


def fields() -> dict[str, Any]:
    items = desired_schema(Kinds((KIND,)))["properties"]["rows"]["items"]
    found: dict[str, Any] = items["properties"]
    return found


def test_the_bounds_of_numbers_and_lists_are_told() -> None:
    assert {"minimum": 1, "maximum": 9}.items() <= fields()["width"].items()
    assert {"minItems": 1, "maxItems": 8}.items() <= fields()["seats"].items()


def test_the_same_is_told_of_what_stands_in_a_list_of_parts() -> None:
    seat = fields()["seats"]["items"]["oneOf"][1]["properties"]
    assert {"minimum": 0, "maximum": 60, "examples": [5]}.items() <= seat["wait"].items()


def test_what_stands_in_a_list_of_parts_is_explained() -> None:
    kinds = Kinds((KIND,))
    assert explain("row.seats.wait", kinds=kinds)[0] == "row.seats.wait  number"
    assert "  wait" in "\n".join(explain("row.seats", kinds=kinds))
