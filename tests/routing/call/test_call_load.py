"""The world of a plan: files as they are to become, against a folder in which they stand so."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.routing.call.load import load_disk
from fsgitops.routing.preprocess import MergeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.tree import Element

DOMAIN = "sandbox.example"
ROOT = """<document>
<section name="directory"><domain name="$${local_ip_v4}"><groups><group name="g"><users>
<X-PRE-PROCESS cmd="include" data="users/*.xml"/>
</users></group></groups></domain></section>
<section name="dialplan"><context name="public">
<X-PRE-PROCESS cmd="include" data="routes/*.xml"/>
</context>
<X-PRE-PROCESS cmd="include" data="contexts/[!x]*.xml"/>
</section>
</document>
"""
USER = (
    '<user id="{0}">\n<params>\n<param name="password" value="$${{local_ip_v4}}"/>'
    "</params></user>\n"
)
ROUTE = (
    '  <extension name="{0}">\n<condition field="destination_number" expression="^{0}$">\n'
    '<action application="set" data="a={0}"/>\n</condition></extension>\n'
)


def write(folder: Path, files: Mapping[str, bytes | None]) -> Path:
    (folder / "freeswitch.xml").write_text(ROOT)
    for path, content in files.items():
        if content is not None:
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(content)
    return folder


def file(*elements: str) -> bytes:
    return ("<include>\n" + "".join(elements) + "</include>\n").encode()


def walk(loaded: Loaded, element: Element) -> Iterator[tuple[object, ...]]:
    yield element.name, dict(element.attributes), element.line, loaded.place(element.line)
    for child in element.children:
        yield from walk(loaded, child)


def read(folder: Path, *, ours: tuple[str, ...] = (), **more: Mapping[str, bytes | None]) -> object:
    """Return all that a load finds, or what is wrong."""
    try:
        loaded = load_disk(folder, DOMAIN, ours=ours, **more)
    except MergeError as problem:
        return str(problem).replace(str(folder), "")
    return [*walk(loaded, loaded.root), *loaded.merged.files, *loaded.doubts]


BEFORE = {
    "routes/10_hand.xml": file(ROUTE.format("hand")),
    "routes/20_a.xml": file(ROUTE.format("1")),
    "routes/30_b.xml": file(ROUTE.format("2")),
}


@pytest.mark.parametrize(
    "after",
    [
        {"routes/20_a.xml": None},
        {"routes/20_a.xml": file(ROUTE.format("3"))},
        {"routes/05_new.xml": file(ROUTE.format("4")), "routes/30_b.xml": b""},
        {"users/1020.xml": file(USER.format(1020), USER.format(1021))},
        {"contexts/own.xml": file(f'<context name="own">\n{ROUTE.format(5)}</context>\n')},
        {"contexts/xout.xml": file('<context name="unread"/>\n')},
        {"routes/20_a.xml": b'<!-- <extension name="x"></extension> -->\n<a b="$${none}"/>'},
        {"routes/20_a.xml": file("<extension>\n")},
    ],
    ids=["deleted", "changed", "new", "folder", "context", "unread", "comment", "refused"],
)
def test_a_plans_files_are_read_as_if_they_stood_there(
    tmp_path: Path, after: Mapping[str, bytes | None]
) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    planned = read(write(tmp_path / "before", BEFORE), ours=("routes/30_b.xml",), overlay=after)
    assert planned == read(write(tmp_path / "after", {**BEFORE, **after}))


def test_an_extension_without_a_line_end_before_it_is_told_with_its_own_file(
    tmp_path: Path,
) -> None:
    after = {"routes/20_a.xml": ROUTE.format("1").encode()}
    before = {**BEFORE, "routes/10_hand.xml": b"<a/>\n "}
    loaded = load_disk(write(tmp_path, before), DOMAIN, overlay=after)
    found = loaded.world.context("public")
    assert found is not None
    places = [loaded.place(item.line) for item in found.all("extension")]
    assert places == ["routes/20_a.xml:1", "routes/30_b.xml:2"]


PIECES = st.sampled_from(
    [USER.format(7), ROUTE.format("8"), ROUTE.format("9").replace("\n", " "), "\n", " ", "text",
     "<!--", "-->", "<?", '<user id="1"', ">", "</user>", '<extension name="e">', "</extension>",
     "</context>", "\r", '"', "$${local_ip_v4}", "&amp;", '<a b="c"/>', "r\0", "<!-- x -->",
     '<X-PRE-PROCESS cmd="set" data="local_ip_v4=1"/>\n', "<include>\n", "</include>\n"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map(lambda found: "".join(found).encode())
PATHS = st.sampled_from(["routes/1.xml", "routes/2.xml", "users/1.xml", "contexts/1.xml"])


@settings(max_examples=60, deadline=None)
@given(
    before=st.dictionaries(PATHS, TEXTS, max_size=4),
    after=st.dictionaries(PATHS, st.none() | TEXTS, max_size=4),
    ours=st.sets(PATHS),
)
def test_any_files_are_read_as_if_they_stood_there(
    before: dict[str, bytes], after: dict[str, bytes | None], ours: set[str]
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        planned = read(write(Path(one), before), ours=tuple(ours), overlay=after)
        assert planned == read(write(Path(other), {**before, **after}))
