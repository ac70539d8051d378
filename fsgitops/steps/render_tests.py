"""What became of expectations, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.model.verdict import tell_count
from fsgitops.model.wording import Line
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.verdict import Proof, Untouched, Verdict

SHOWN: Final = 20
"""Names of what is not touched that are shown of a kind; JSON has all."""


def render_proof(proof: Proof) -> Iterator[Line]:
    """Yield a line for each expectation, what happens in place of those that fail, and how many."""
    for doubt in proof.doubts:
        yield Line(f"Note: {make_visible(doubt)}.", "note")
    for verdict in proof.verdicts:
        yield from _tell(verdict)
    if proof.verdicts:
        told = tell_count(len(proof.verdicts), len(proof.failing))
        yield Line(told, "delete" if proof.failing else "create")
    else:
        yield Line("Nothing is expected of any call: `fsgitops explain tests` says how.", "note")
    if proof.coverage is not None:
        yield Line("")
        yield Line(f"Calls of these expectations come to {proof.percent:.0f}% of all:", "title")
        for item in proof.coverage:
            yield Line(f"  {_tell_untouched(item)}")


def _tell(verdict: Verdict) -> Iterator[Line]:
    if verdict.holds:
        yield Line(f"ok    {make_visible(verdict.name)}", "create")
        return
    yield Line(f"FAIL  {make_visible(verdict.name)} ({verdict.source})", "delete")
    yield Line(f"      {make_visible(verdict.call)}: expected: {make_visible(verdict.expected)}")
    taken = f", by {verdict.taker}" if verdict.taker else ""
    where = f" ({verdict.place})" if verdict.place else ""
    yield Line(f"      found: {make_visible(verdict.found + taken + where)}")
    for told in verdict.assumed:
        yield Line(f"      if {make_visible(told)}", "note")


def _tell_untouched(item: Untouched) -> str:
    everything = item.touched + len(item.names)
    shown = ", ".join(map(make_visible, item.names[:SHOWN]))
    more = f" and {len(item.names) - SHOWN:,} more" if len(item.names) > SHOWN else ""
    left = f"; not: {shown}{more}" if item.names else ""
    return f"{item.kind}: {item.touched:,} of {everything:,}{left}"
