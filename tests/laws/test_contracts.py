"""The import contracts of `.importlinter` can be broken: each kind of fault is told by name."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import grimp
import pytest
from contracts import NoCycle, OneHome
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.domain.contract import InvalidContractOptions

CONFIGURATION = read_configuration(str(Path(__file__).parents[2] / ".importlinter"))
TYPES = {"one_home": OneHome, "no_cycle": NoCycle, "acyclic_siblings": AcyclicSiblingsContract}


@pytest.fixture(scope="module")
def house():
    return grimp.build_graph(
        "fsgitops",
        include_external_packages=True,
        exclude_type_checking_imports=False,
        cache_dir=None,
    )


def check(house, kind: str, *imports: tuple[str, str]):
    """Check the house's contract of this type, as if these modules were imported, too."""
    options = next(item for item in CONFIGURATION["contracts_options"] if item["type"] == kind)
    graph = deepcopy(house)
    for importer, imported in imports:
        if imported not in graph.modules:
            graph.add_module(imported, is_squashed=True)
        graph.add_import(importer=importer, imported=imported)
    contract = TYPES[kind](options["name"], CONFIGURATION["session_options"], options)
    return contract.check(graph, verbose=False)


@pytest.mark.parametrize("kind", TYPES)
def test_the_house_keeps_it(house, kind) -> None:
    found = check(house, kind)
    assert found.kept, found.metadata


def test_a_package_that_is_imported_outside_its_home_is_told(house) -> None:
    found = check(house, "one_home", ("fsgitops.commands.lint", "yaml"))
    assert not found.kept
    assert found.metadata["faults"] == [
        "fsgitops.commands.lint imports yaml; its home is fsgitops.steps.load.events, "
        "fsgitops.steps.load.stream"
    ]


def test_a_room_whose_name_begins_as_the_home_s_is_not_the_home(house) -> None:
    graph = deepcopy(house)
    graph.add_module("fsgitops.cli_more")
    found = check(graph, "one_home", ("fsgitops.cli_more", "click"))
    assert [fault.partition(";")[0] for fault in found.metadata["faults"]] == [
        "fsgitops.cli_more imports click"
    ]


def test_a_package_without_a_home_is_told(house) -> None:
    found = check(house, "one_home", ("fsgitops.commands.lint", "requests"))
    assert found.metadata["faults"] == [
        "fsgitops.commands.lint imports requests; it has no home in the table"
    ]


def test_a_home_that_no_longer_imports_its_package_is_told(house) -> None:
    graph = deepcopy(house)
    graph.remove_import(importer="fsgitops.steps.load.events", imported="yaml")
    found = check(graph, "one_home")
    assert found.metadata["faults"] == [
        "fsgitops.steps.load.events does not import yaml; take it out of the table"
    ]


def test_a_line_of_the_table_that_names_no_home_is_refused() -> None:
    with pytest.raises(InvalidContractOptions) as problem:
        OneHome("", {}, {"homes": ["yaml =", "click"]})
    assert "expected PACKAGE = ROOM, ROOM" in str(problem.value.errors)


def test_two_files_of_a_room_that_import_each_other_are_told(house) -> None:
    found = check(
        house, "acyclic_siblings", ("fsgitops.workspace.open", "fsgitops.workspace.secrets")
    )
    assert set(found.metadata["cycle_breakers_by_package"]) == {"fsgitops.workspace"}


def test_a_file_that_imports_its_own_package_s_table_is_told(house) -> None:
    found = check(house, "no_cycle", ("fsgitops.kinds.agent", "fsgitops.kinds"))
    assert set(found.metadata["cycle"]) == {"fsgitops.kinds", "fsgitops.kinds.agent"}
