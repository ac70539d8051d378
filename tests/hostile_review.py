"""Reviews for the tests of every format: hostile ones, and one of ten thousand changes."""

from __future__ import annotations

from functools import cache

import builders
from hypothesis import strategies as st

from fsgitops.findings import Finding, Position, Severity
from fsgitops.model.plan import Action, AttributeChange, Change, Hazard, Plan, ReloadStep
from fsgitops.model.resource import Resource
from fsgitops.model.review import Contents, Reached, Review

HOSTILE = (
    "\n", "\r\n", "\x00", "\x1b[31m", "\u202e", "\u2028", "\ufeff", "\udcff", "::error::pwned",
    "%0A::stop-commands::x", "##[error]pwned", "|", "```", "`", "~~~~", "</code>", "<script>",
    "</script>", "<!--", "-->", "]]>", "]]", "@everyone", "@octocat", "https://evil.example",
    "www.evil.example", "evil@evil.example", "[click](https://evil.example)", "![x](y)", "#1", "&",
    '"', "'", "\\", "end", "]-->", "javascript:alert(1)", "</details>", "\t", "{0}", "<img src=x>",
)  # fmt: skip
"""What some format takes for more than text."""

PROD = {
    "project": "demo", "target": "prod", "conf_dir": "/etc/freeswitch", "domain": "pbx.example.com",
}  # fmt: skip

texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=6), min_size=1, max_size=5).map(
    "".join
)
positions = st.builds(Position, texts, st.integers(1, 9999), st.integers(1, 999))
findings = st.builds(Finding, texts, st.sampled_from(Severity), positions, texts, texts)
attributes = st.builds(AttributeChange, texts, st.none() | texts, st.none() | texts, st.booleans())
changes = st.builds(
    Change,
    action=st.sampled_from(list(Action)[:3]),
    resource=st.builds(Resource, st.sampled_from(("agent", "did", "dialplan")), texts),
    path=texts,
    attributes=st.lists(attributes, max_size=4).map(tuple),
    drifted=st.booleans(),
    source=positions.map(str) | texts,
    renamed_from=st.none()
    | st.builds(Resource, st.sampled_from(("agent", "did", "dialplan")), texts),
)
hazards = st.builds(Hazard, texts, texts, texts, texts)
plans = st.builds(
    Plan,
    project=texts,
    target=texts,
    conf_dir=texts,
    domain=texts,
    changes=st.lists(changes, max_size=5).map(tuple),
    reloads=st.lists(st.builds(ReloadStep, texts, texts), max_size=2).map(tuple),
    hazards=st.lists(hazards, max_size=2).map(tuple),
    commit=texts,
    fingerprint=texts,
)
reached = st.builds(Reached, texts, st.sampled_from(list(Action)[:3]), texts, texts)


@st.composite
def reviews(draw: st.DrawFn) -> Review:
    """Draw a review of which every text that comes from outside is hostile."""
    plan = draw(st.none() | plans)
    lines = st.lists(texts, max_size=3)
    places = [(item.path, item.resource) for item in plan.changes] if plan else []
    return Review(
        title=draw(texts),
        summary="Plan: 1 to create, 2 to change, 3 to delete",
        findings=tuple(draw(st.lists(findings, max_size=4))),
        plan=plan,
        warnings=tuple(draw(st.lists(texts, max_size=2))),
        remarks=tuple(draw(st.lists(texts, max_size=2))),
        reached=tuple(draw(st.lists(reached, max_size=3))),
        contents={place: Contents(draw(lines), draw(lines)) for place in places},
        sources={item.path: draw(texts) for item in plan.hazards} if plan else {},
        full="full " + draw(texts),
    )


def simple_review(**given: object) -> Review:
    """Return a review of one change of each kind, one of them drifted, and one finding."""
    changes = (
        builders.change(
            "update", "agent:1020",
                builders.attribute("variable toll_allow", "local", "local,domestic"),
                builders.secret("param a1-hash"),
            path="directory/default/1020.xml", drifted=True, source="desired/agents.yaml:4:5",
        ),
        builders.change(
            "delete", "agent:1021",
            path="directory/default/1021.xml", source="desired/agents.yaml",
        ),
        builders.change(
            "create", "did:+19495431333",
            builders.attribute("action 1 transfer", None, "1020 XML default"),
            path="dialplan/public/x.xml", source="desired/did_routes.yaml:3:5",
        ),
    )  # fmt: skip
    plan = builders.plan(*changes, **PROD)
    place = Position("desired/agents.yaml", 7, 9)
    finding = Finding("weak-pin", Severity.WARNING, place, "a PIN is weak", "choose another")
    values: dict[str, object] = {
        "title": "plan for prod",
        "summary": "Plan: 1 to create, 1 to change, 1 to delete",
        "findings": (finding,),
        "plan": plan,
        "reached": (Reached("+19495431333", Action.CREATE, "1020", "Alice"),),
        **given,
    }
    return Review(**values)  # type: ignore[arg-type]


@cache
def big_review(number: int = 10_000) -> Review:
    """Return a review of so many changes of twenty attributes each, and so many findings."""
    names = [f"variable name_{at}" for at in range(20)]
    made: list[Change] = []
    for at in range(number):
        action = ("create", "update", "delete")[at % 3]
        before = None if action == "create" else f"value {at % 97}"
        attributes = [builders.attribute(name, before, f"value {at}") for name in names]
        made.append(
            builders.change(
                action, f"agent:{10_000 + at}", *([] if action == "delete" else attributes),
                path=f"directory/default/{at}.xml", drifted=at % 10 == 0,
                source=f"desired/agents.yaml:{at + 1}:5",
            )
        )  # fmt: skip
    findings = tuple(
        Finding("rule", Severity.WARNING, Position("desired/a.yaml", at + 1), f"message {at}")
        for at in range(number)
    )
    reached = tuple(Reached(f"+1949{at:07d}", Action.CREATE, "1020", "A") for at in range(number))
    plan = builders.plan(*made, **{**PROD, "project": "big"})
    summary = f"Plan: {number} changes"
    return Review("plan for prod", summary, findings, plan, reached=reached)
