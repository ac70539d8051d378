"""What pages name is there: tests, links, the API's paths, metrics and exit codes."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *DOCS.rglob("*.md")]


def rows_of(page: str, cells: int) -> list[list[str]]:
    """Return the rows of a page's tables that have so many cells."""
    lines = re.findall(r"^\| (`.*|\d.*) \|$", (DOCS / page).read_text(), re.MULTILINE)
    return [row for row in (line.split(" | ") for line in lines) if len(row) == cells]


def headings_of(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_each_test_that_a_page_names_is_there(path: Path) -> None:
    wrong = []
    for name, one in re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", path.read_text()):
        file = ROOT / name
        if not file.exists() or (one and f"def {one}(" not in file.read_text()):
            wrong.append(f"{name}::{one}" if one else name)
    assert not wrong


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_each_link_of_a_page_leads_somewhere(path: Path) -> None:
    wrong = []
    for name, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", path.read_text()):
        file = path.parent / name if name else path
        if not file.exists() or (anchor and anchor not in headings_of(file.read_text())):
            wrong.append(f"{name}#{anchor}")
    assert not wrong


def test_the_page_of_the_api_has_each_path_with_its_parameters() -> None:
    from fsgitops.api.operations import build_openapi

    told = {}
    for call, _scope, gives in rows_of("api.md", 3):
        for method, path in re.findall(r"`(GET|POST) (/api/[^`]+)`", call):
            query = re.search(r"\?([\w=&]+)", gives)
            names = set(re.findall(r"(\w+)=", query[1])) if query else set()
            told[method, path] = names
            if "…/{id}" in call:
                told[method, f"{path}/{{id}}"] = set()
    found = {
        (method.upper(), path): {
            item["name"] for item in said.get("parameters", []) if item["in"] == "query"
        }
        for path, methods in build_openapi()["paths"].items()
        for method, said in methods.items()
        if path.startswith("/api/")
    }
    assert told == found


def test_the_page_of_drift_has_each_metric_with_its_labels() -> None:
    from fsgitops.model.drift import DriftReport
    from fsgitops.steps.render_drift import render_metrics

    report = DriftReport(
        "prod", "/c", "d", simulated=False, managed=0, ignored=0, switch_asked=False,
        switch_problem="", notes=(), drift=(),
    )  # fmt: skip
    text = render_metrics(report, checked_at=1.0, seconds=0.5)
    found = {
        (name, tuple(re.findall(r"(\w+)=", labels)))
        for name, labels in re.findall(r"^(\w+)\{(.*?)\} ", text, re.MULTILINE)
    }
    told = {
        (name, tuple(re.findall(r"`(\w+)`", labels)))
        for names, labels, _ in rows_of("drift.md", 3)
        for name in re.findall(r"`(fsgitops_drift_\w+)`", names)
    }
    assert told == found


def test_the_page_of_exit_codes_has_each_that_an_error_ends_with() -> None:
    from fsgitops import errors

    found = {
        item.exit_code
        for item in vars(errors).values()
        if isinstance(item, type) and issubclass(item, errors.FsgitopsError)
    }
    told = {int(code) for code, _ in rows_of("exit-codes.md", 2)}
    assert told == found | {0, 2, 130}


def test_the_page_of_the_architecture_has_the_rooms_of_the_contract_from_the_ground_up() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts["importlinter:contract:rooms"]["layers"].split()
    told = [re.sub(r"\.py$|/$", "", name.strip("`")) for name, _ in rows_of("architecture.md", 2)]
    assert told == [layer.removeprefix("fsgitops.") for layer in reversed(layers)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_each_module_that_a_page_names_is_there(path: Path) -> None:
    named = set(re.findall(r"`([a-z]\w*/[\w/]+\.py)(?:`|:)", path.read_text()))
    there = {name for name in named for root in (ROOT, ROOT / "fsgitops") if (root / name).exists()}
    assert named - there == set()
