"""Time to split every number of a context into classes that fare alike.

    python bench/dialling_plan.py [--sizes 100,300,1000] [--dids 1000,10000]

Two contexts of each size are made: one of expressions (a prefix, then ranges, repetitions or
anything), one of DIDs in three forms. Each extension sets a variable and transfers the call to one
of two users. Figures are CPU seconds of this process, without loading.
"""

from __future__ import annotations

import argparse
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.world import World
from fsgitops.routing.numbers.cover import find_covered
from fsgitops.routing.numbers.explore import Explorer
from fsgitops.routing.numbers.table import merge_shares
from fsgitops.routing.tree import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.routing.tree import Element

ENDS = ("[0-4]", r"(\d+)", "[0-9]{2,5}", ".*", "")
INSIDE = """<context name="inside"><extension name="agent">
<condition field="destination_number" expression="^(10..)$">
<action application="bridge" data="user/$1@pbx.example.com"/></condition></extension></context>"""
DIRECTORY = """<section name="directory"><domain name="pbx.example.com">
<params><param name="dial-string" value="${sofia_contact(*/${dialed_user}@${dialed_domain})}"/>
</params><users><user id="1000"/><user id="1001"/></users></domain></section>"""


def make_expressions(count: int) -> Iterator[str]:
    """Yield expressions that overlap in many ways, the same at every run."""
    choose = random.Random(2)
    for _ in range(count):
        prefix = f"{choose.choice(('', '9', '0'))}{choose.randint(1, 9999)}"
        yield f"^{prefix}{choose.choice(ENDS)}$"


def make_dids(count: int) -> Iterator[str]:
    """Yield expressions of DIDs, as fsgitops writes them."""
    for number in range(9_490_000_000, 9_490_000_000 + count * 7, 7):
        yield rf"^(\+?1{number}|{number})$"


def make_world(expressions: Iterator[str]) -> World:
    """Return a world with one extension for each expression."""
    rows = "\n".join(
        f'<extension name="e{at}"><condition field="destination_number" expression="{text}">'
        f'<action application="set" data="row={at}"/>'
        f'<action application="transfer" data="{1000 + at % 2} XML inside"/>'
        "</condition></extension>"
        for at, text in enumerate(expressions)
    )
    root = parse(
        f'<document><section name="dialplan"><context name="public">{rows}</context>{INSIDE}'
        f"</section>{DIRECTORY}</document>".encode()
    )

    def locate(section: str, tag: str, name: str) -> Element | None:
        found = root.find("section", "name", section)
        return found.find(tag, "name", name) if found else None

    return World(locate, {"domain": "pbx.example.com"}, {}, contexts=("public", "inside"))


def measure(what: Callable[[], int]) -> str:
    """Return CPU seconds, and what came out."""
    start = time.process_time()
    found = what()
    return f"{time.process_time() - start:6.2f} s  {found:6,}"


def main() -> None:
    """Print a line for each size and kind of context."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="100,300,1000")
    parser.add_argument("--dids", default="1000,10000")
    given = parser.parse_args()
    clock = Clock(datetime(2026, 12, 24, 18, tzinfo=UTC), {})
    print("extensions         classes                  covered")
    kinds = ("expressions", make_expressions, given.sizes), ("DIDs", make_dids, given.dids)
    for name, make, sizes in kinds:
        for size in map(int, sizes.split(",")):
            world = make_world(make(size))
            call = Call("", "public", domain="pbx.example.com")
            context = world.context("public")
            assert context is not None

            def explore(world: World = world, call: Call = call) -> int:
                explorer = Explorer(world, clock)
                return len(merge_shares(explorer, explorer.explore(call)))

            def cover(context: Element = context) -> int:
                return len(find_covered(context))

            print(f"{size:6,} {name:11} {measure(explore)}  {measure(cover)}")


if __name__ == "__main__":
    main()
