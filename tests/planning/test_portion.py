"""Of too many calls some are followed: of each sort, and spread evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fsgitops.planning import portion
from fsgitops.planning.portion import follow_portion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project import Project

TAKER = """<include>
  <extension name="old_fax">
    <condition field="destination_number" expression="^(\\+?1)?949543133[7]$">
      <action application="hangup" data="CALL_REJECTED"/>
    </condition>
  </extension>
</include>
"""


def choose(items: Sequence[int], work: int, odd: Sequence[int] = ()) -> list[int]:
    """Return which numbers are followed, where each takes so much work."""
    done: list[int] = []
    found = follow_portion(items, done.append, lambda: work * len(done), lambda item: item in odd)
    assert len(done) == len(found)  # none twice
    return [item for item, _ in found]


def test_calls_that_cost_little_are_all_followed() -> None:
    items = range(portion.MOST)
    assert choose(items, portion.WORK // portion.MOST) == [*items]


def test_calls_that_cost_much_are_followed_as_far_as_the_work_goes() -> None:
    chosen = choose(range(1000), portion.WORK // 100)
    assert len(chosen) == 101
    tenths = {item // 100 for item in chosen}
    assert tenths == set(range(10))


def test_of_very_many_a_sample_is_followed() -> None:
    assert len(choose(range(portion.MOST + 1), 1)) == portion.SAMPLE


def test_one_of_each_sort_is_followed() -> None:
    assert 501 in choose(range(1000), portion.WORK + 1, odd=(501,))


@pytest.fixture
def large(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """So many resources that no plan follows them all, a number of a hand-written file too."""
    monkeypatch.setattr(portion, "MOST", 20)
    monkeypatch.setattr(portion, "SAMPLE", 5)
    assert project.run("apply", "--yes").code == 0
    agents = [f"- {{extension: {1020 + at}, name: A}}\n" for at in range(20)]
    routes = [
        f"- {{did_number: +194954313{20 + at}, destination_extension: {1020 + at}}}\n"
        for at in range(20)
    ]
    project.write("desired/agents.yaml", f"agents:\n{''.join(agents)}")
    project.write("desired/routes.yaml", f"did_routes:\n{''.join(routes)}")
    return project


@pytest.mark.parametrize("layout", ["files", "sharded"])
def test_a_large_plan_says_how_many_calls_it_did_not_follow(large: Project, layout: str) -> None:
    settings = large.root / "fsgitops.yaml"
    settings.write_text(f"{settings.read_text()}layout: {layout}\n")
    ran = large.run("plan", "--json").json()
    impact = ran["impact"]
    assert impact["looked_at"] + impact["left_out"] >= 38
    assert impact["left_out"] > 0
    dids = [call for call in impact["calls"] if call["number"].startswith("+")]
    assert dids
    assert all(call["after"].startswith("rings") for call in dids)
    assert "were not followed: they are too many" in large.run("plan").out


def test_a_number_that_somebody_else_takes_is_found_among_many(
    large: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portion, "MOST", 1000)
    monkeypatch.setattr(portion, "WORK", 1)
    (large.conf / "dialplan/public/00_fax.xml").write_text(TAKER)
    hazards = large.run("plan", "--json").json()["hazards"]
    assert [item["rule"] for item in hazards] == ["taken-number"]
    assert "+19495431337" in hazards[0]["message"]
