"""A trace as a tree of lines, and as a Mermaid flow chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.model.trace import Fate, What
from fsgitops.model.wording import Line
from fsgitops.visible import count_noun, make_visible, quote_mermaid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsgitops.model.trace import End, Step, Tested, Trace, Way

_HOLDS: Final = {"yes": "matches", "no": "does not match", "unknown": "may match"}
_ROUTES: Final = frozenset(("bridge", "transfer", "execute_extension", "ivr", "callcenter"))
"""Applications that a chart shows; what they do shows in a tree too."""
_STYLES: Final = {True: "create", False: "delete"}
_LONG: Final = 70
_ORIGINS: Final = {
    "plan": "the files as the plan leaves them",
    "disk": "the files",
    "live": "the switch's memory",
}


def render_trace(trace: Trace, *, verbose: bool = False) -> Iterator[Line]:
    """Yield the lines of a trace: the likeliest way as a tree, then how others differ from it."""
    yield Line(_headline(trace), "title")
    for doubt in trace.doubts:
        yield Line(f"Note: {doubt}.", "note")
    first, *others = trace.ways
    yield from _draw(first.steps, verbose=verbose)
    yield _ending(first.end)
    for way in others:
        shared = _count_shared(first, way)
        yield Line("")
        rest = way.steps[shared:]
        at = next((i for i, step in enumerate(rest) if step.what is What.ASSUMES), None)
        if at is None:
            yield Line("Otherwise:", "title")
        else:
            yield Line(f"Or {_show(rest[at].text)}:", "title")
            rest = (*rest[:at], *rest[at + 1 :])
        yield from _draw(rest, verbose=verbose)
        yield _ending(way.end)
    if not trace.complete:
        yield Line("")
        yield Line("There are more ways than are followed.", "note")


def _headline(trace: Trace) -> str:
    caller = trace.user or f"{trace.caller or 'a caller'} from outside"
    origin = _ORIGINS[trace.source]
    at = trace.at.replace("T", " ")[:16]
    return _show(f"{caller} calls {trace.number} in context {trace.context}, {at}, by {origin}")


def _show(text: str) -> str:
    return make_visible(text)


def _count_shared(first: Way, other: Way) -> int:
    pairs = zip(first.steps, other.steps, strict=False)
    least = min(len(first.steps), len(other.steps))
    return next((at for at, (a, b) in enumerate(pairs) if a != b), least)


def _draw(steps: Sequence[Step], *, verbose: bool) -> Iterator[Line]:
    passed: list[Step] = []
    for step in steps:
        if step.what is What.PASSES and not verbose:
            passed.append(step)
            continue
        yield from _tell_passed(passed)
        passed = []
        yield from _draw_step(step, verbose=verbose)
    yield from _tell_passed(passed)


def _tell_passed(passed: Sequence[Step]) -> Iterator[Line]:
    if passed:
        depth = "  " * passed[0].leg
        many = sum(step.many for step in passed)
        verb = "passes" if many == 1 else "pass"
        yield Line(f"{depth}  {count_noun(many, 'extension')} {verb} it on")


def _draw_step(step: Step, *, verbose: bool) -> Iterator[Line]:
    depth = "  " * step.leg
    if step.what is What.ENTERS:
        told = f" ({step.text})" if step.text else ""
        where = f"{step.context}: " if step.context else ""
        yield Line(f"{depth}{_show(where + step.number)}{_show(told)}")
    elif step.what in (What.TAKES, What.PASSES):
        verb = "takes it" if step.what is What.TAKES else "passes it on"
        verb = f"matches; {step.text}" if step.text else verb
        place = f" ({step.place})" if step.place else ""
        yield Line(f"{depth}  {_show(step.extension)}{_show(place)} {verb}")
        shown = step.tested if verbose or step.what is What.TAKES else step.tested[-1:]
        for tested in shown:
            if verbose or tested.held != "no":
                yield Line(f"{depth}    {_tell_test(tested)}")
    elif step.what is What.EXECUTES:
        inline = ", inline" if step.inline and verbose else ""
        yield Line(f"{depth}    {_show(f'{step.application} {step.data}'.strip())}{inline}")
    else:
        yield Line(f"{depth}    {_show(step.text)}", "note")


def _tell_test(tested: Tested) -> str:
    value = _shorten(tested.value)
    expected = _shorten(tested.expected)
    return _show(f"{tested.subject} {value!r} {_HOLDS[tested.held]} {expected}")


def _shorten(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _ending(end: End) -> Line:
    cause = f" ({end.cause})" if end.cause and end.cause not in end.told else ""
    words = {
        Fate.NOWHERE: "It ends nowhere: ", Fate.LOOP: "It goes round in a loop: ",
        Fate.UNKNOWN: "Unknown: ", Fate.HANGS_UP: "It is hung up: ",
    }.get(end.fate, "It ")  # fmt: skip
    style = _STYLES[end.fate.arrives] if end.fate is not Fate.UNKNOWN else "update"
    return Line(f"=> {words}{_show(end.told)}{cause}", style)


def render_mermaid(trace: Trace) -> Iterator[str]:
    """Yield the lines of a flow chart: contexts, the extensions that take the call, and ends."""
    yield "flowchart TD"
    known: dict[tuple[str, ...], str] = {}
    edges: set[tuple[str, str, str]] = set()
    for way in trace.ways:
        path: tuple[str, ...] = ()
        label = ""
        before = ""
        for shape, text in [*_list_nodes(way), ("end", f"{way.end.fate.value}: {way.end.told}")]:
            if shape == "edge":
                label = text
                path = (*path, text)
                continue
            path = (*path, text)
            new = path not in known
            node = known.setdefault(path, f"n{len(known)}")
            if new:
                yield f"  {node}{_shape(shape, text)}"
            if before and (before, node, label) not in edges:
                edges.add((before, node, label))
                arrow = f'-- "{quote_mermaid(label, _LONG)}" -->' if label else "-->"
                yield f"  {before} {arrow} {node}"
            before, label = node, ""


def _list_nodes(way: Way) -> Iterator[tuple[str, str]]:
    for step in way.steps:
        if step.what is What.ENTERS:
            yield "call", f"{step.number} in {step.context}" if step.context else step.number
        elif step.what is What.TAKES:
            yield "step", f"{step.extension} {step.place}".strip()
        elif step.what is What.EXECUTES and step.application in _ROUTES:
            yield "step", f"{step.application} {step.data}"
        elif step.what is What.ASSUMES:
            yield "edge", step.text


def _shape(kind: str, text: str) -> str:
    quoted = f'"{quote_mermaid(text, _LONG)}"'
    return {"call": f"([{quoted}])", "step": f"[{quoted}]", "end": f"(({quoted}))"}[kind]
