"""Types of import contracts of our own: `.importlinter` names them, `lint-imports` checks them."""

from __future__ import annotations

import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from grimp import ImportGraph


class Home(fields.Field):
    """One line of the table: `package = room, room`."""

    def parse(self, raw_data: str | list[str]) -> tuple[str, tuple[str, ...]]:
        """Return the package and its rooms. Raises ValidationError for another line."""
        package, equals, rooms = str(raw_data).partition("=")
        found = tuple(room.strip() for room in rooms.split(","))
        if not equals or not package.strip() or not all(found):
            raise fields.ValidationError(f"`{raw_data}`: expected PACKAGE = ROOM, ROOM")
        return package.strip(), found


class OneHome(Contract):
    """Each package of others is imported by its home alone, and every one has a home.

    A home that imports its package no more is a fault, too: the table says what is so.
    """

    homes = fields.ListField(subfield=Home())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Compare the table with the imports."""
        faults = sorted(_compare(dict(self.homes), _find_importers(graph)))
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print every fault."""
        for fault in check.metadata["faults"]:
            output.print_error(fault)


def _find_importers(graph: ImportGraph) -> dict[str, set[str]]:
    """Return who imports each package that is neither ours nor Python's own."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules:
        package = module.partition(".")[0]
        if graph.is_module_squashed(module) and package not in sys.stdlib_module_names:
            found[package] |= graph.find_modules_that_directly_import(module)
    return found


def _compare(
    homes: Mapping[str, tuple[str, ...]], importers: Mapping[str, set[str]]
) -> Iterator[str]:
    for package, modules in importers.items():
        rooms = homes.get(package, ())
        for module in modules:
            if not any(_is_in(module, room) for room in rooms):
                told = f"its home is {', '.join(rooms)}" if rooms else "it has no home in the table"
                yield f"{module} imports {package}; {told}"
    for package, rooms in homes.items():
        for room in rooms:
            if not any(_is_in(module, room) for module in importers.get(package, ())):
                yield f"{room} does not import {package}; take it out of the table"


def _is_in(module: str, room: str) -> bool:
    return f"{module}.".startswith(f"{room}.")


class NoCycle(Contract):
    """No module is imported by what it imports, packages' own `__init__` among them."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look for one cycle of modules."""
        imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
        try:
            TopologicalSorter(imports).prepare()
        except CycleError as problem:
            return ContractCheck(kept=False, metadata={"cycle": problem.args[1]})
        return ContractCheck(kept=True)

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the cycle."""
        output.print_error(" is imported by ".join(check.metadata["cycle"]))
