"""The table of kinds: found by word, by section, by alias, by the files they share."""

from __future__ import annotations

from fsgitops.kinds import BUILT_IN
from fsgitops.model.resource import Resource


def test_a_kind_is_found_by_each_of_its_words() -> None:
    assert all(BUILT_IN[word].word == word for word in BUILT_IN)
    assert all(BUILT_IN.by_section(kind.section) is kind for kind in BUILT_IN.values())
    assert BUILT_IN.by_alias("did_route") is BUILT_IN["did"]
    assert BUILT_IN.by_section("gateways") is None


def test_a_shared_file_has_an_owner_and_nothing_else_has() -> None:
    assert BUILT_IN.owner(Resource("dialplan", "agents")) is BUILT_IN["agent"]
    assert BUILT_IN.owner(Resource("agent", "1020")) is None
    assert BUILT_IN.shared(Resource("dialplan", "other")) is None
