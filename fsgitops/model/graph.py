"""Where calls go, as a graph: doors, contexts, numbers, and whom or what they get to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from fsgitops.schema_parts import TEXT, count, flag, list_of, rows_of, text, word

KINDS: Final = (
    "door", "context", "number", "phone", "gateway", "address", "mailbox", "menu", "queue",
    "conference", "parking", "application", "end",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """One point where a call may be."""

    id: int = field(metadata=count("Its number in this graph, from 0."))
    kind: str = field(
        metadata=word(
            "Where calls come in, a context, a number dialled in one, whom or what a call gets to "
            "(as the goals of a trace), or how it ends otherwise.",
            *KINDS,
        )
    )
    name: str = field(metadata=text("Its name, or how the call ends."))
    told: str = field(default="", metadata=text("What is declared under that number; or empty."))
    context: str = field(default="", metadata=text("The context that a number is dialled in."))
    place: str = field(
        default="", metadata=text("File and line of the extension that takes the number.")
    )
    numbers: tuple[str, ...] = field(
        default=(), metadata=list_of(TEXT, "All numbers of which the same is true, if several are.")
    )


@dataclass(frozen=True, slots=True)
class Edge:
    """A call goes from one node to another."""

    source: int = field(metadata=count("The id of the node that it comes from."))
    target: int = field(metadata=count("The id of the node that it goes to."))
    when: tuple[str, ...] = field(
        default=(), metadata=list_of(TEXT, "The conditions, any of which does; empty: always.")
    )


@dataclass(frozen=True, slots=True)
class Graph:
    """Where calls go."""

    source: str = field(metadata=word("What was read.", "plan", "disk", "live"))
    at: str = field(metadata=text("When the calls are placed (ISO 8601); empty: at any time."))
    complete: bool = field(metadata=flag("Every way of every call is followed."))
    doubts: tuple[str, ...] = field(
        metadata=list_of(TEXT, "Why the files alone may not say what the switch does.")
    )
    nodes: tuple[Node, ...] = field(metadata=rows_of("Every point.", Node))
    edges: tuple[Edge, ...] = field(metadata=rows_of("Every connection.", Edge))

    def to_json(self) -> dict[str, Any]:
        """Return the graph as the format `fsgitops-graph`."""
        from fsgitops.schema_parts import json_values

        return {"format": "fsgitops-graph", "version": 1, **json_values(self)}
