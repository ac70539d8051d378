"""A file of several resources, taken apart: what each has of it, as a file of its own."""

from __future__ import annotations

import hashlib

import pytest
from builders import compiled_config, resource
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.findings import Position
from fsgitops.homes.pieces import hash_parts, list_records, split_compiled, split_live, take_apart
from fsgitops.model.compiled import CompiledFile, Part
from fsgitops.model.live import FileKind, LiveConfig, LiveFile, Manifest, ManifestEntry
from fsgitops.model.plan import Action, Change
from fsgitops.steps.keep import keep_unchosen

PATH = "directory/default/team.xml"
ROUTES = "dialplan/public/routes.xml"


def user(name: str, value: str) -> bytes:
    inside = f'<params>\n      <param name="a1-hash" value="{value}"/>\n    </params>'
    return f'  <user id="{name}">\n    {inside}\n  </user>\n'.encode()


def compiled(users: dict[str, str]) -> CompiledFile:
    content, parts = b"<include>\n", []
    for name, value in users.items():
        start, content = len(content), content + user(name, value)
        parts.append(Part(resource(f"agent:{name}"), Position("a"), span=(start, len(content))))
    content += b"</include>\n"
    return CompiledFile(PATH, content, tuple(parts), sha256=hashlib.sha256(content).hexdigest())


def live(content: bytes, users: dict[str, str]) -> LiveConfig:
    file = compiled(users)
    entry = ManifestEntry(file.sha256, list_records(file))
    digest = hashlib.sha256(content).hexdigest()
    found = LiveFile(FileKind.REGULAR, digest, content)
    return LiveConfig(Manifest({PATH: entry}), {PATH: found})


@pytest.mark.parametrize(
    ("element", "names"),
    [
        (b'<user id="1"/>', ("1",)),
        (b'<user id="1"></user>', ("1",)),
        (b'<user id="1" type="pointer" />', ()),
        (b'<user\n id="1"><params><param name="x" value="</user>"/></params></user\n>', ("1",)),
        (b"<user id='a&amp;b' x='>'><!-- <user id=\"2\"/> --></user>", ("a&b",)),
    ],
)
def test_an_element_begins_and_ends_where_it_does(element, names):
    element = element.replace(b'value="</user>"', b'value="&lt;/user>"')
    content = b"<include>\n <x/>" + element + b"\n</include>\n"
    pieces = take_apart(content, PATH)
    assert (pieces.bytes_of(0), pieces.names) == (element, (names,))


def test_users_in_a_list_of_users_are_found():
    content = b'<include>\n<users><user id="1"/><user id="2"/></users>\n</include>\n'
    pieces = take_apart(content, PATH)
    assert [pieces.bytes_of(0), pieces.bytes_of(1)] == [b'<user id="1"/>', b'<user id="2"/>']


def test_extensions_of_a_file_go_by_their_names():
    content = b'<include>\n<extension name="a b"/>\n<extension name="c"/>\n</include>\n'
    assert take_apart(content, ROUTES).names == (('"a b"',), ("c",))


def test_a_secret_stands_where_it_is_in_each_part():
    file = compiled({"1020": "aa", "1021": "bb"})
    spans = tuple(
        (file.content.find(secret), file.content.find(secret) + 2) for secret in (b'aa"', b'bb"')
    )
    file = CompiledFile(PATH, file.content, file.parts, spans, unknown=True)
    own = split_compiled(file)
    found = [part.content[slice(*part.secret_spans[0])] for part in own.values()]
    assert (found, [part.unknown for part in own.values()]) == ([b"aa", b"bb"], [True, True])


def test_directives_and_foreign_elements_stand_beside():
    text = compiled({"1020": "a"}).content
    text = text.replace(b"</include>", b'<X-PRE-PROCESS cmd="set" data="x=1"/>\n<y/>\n</include>')
    state = live(text, {"1020": "a", "1021": "b"})
    own, beside = split_live(state.files[PATH], PATH, state.manifest.entries[PATH])
    assert [item.name for item in own] == ["1020"]
    assert set(beside) == {"X-PRE-PROCESS 1", "y"}


people = st.dictionaries(
    st.sampled_from(["1019", "1020", "1021", "1022", "1023"]), st.sampled_from("abc"), min_size=1
)


@given(people, people, st.sets(st.sampled_from(["1019", "1020", "1021", "1022", "1023"])))
def test_what_is_chosen_is_written_and_the_rest_keeps_its_bytes(old, new, names):
    old, new = dict(sorted(old.items())), dict(sorted(new.items()))
    wanted = compiled(new)
    chosen = []
    for name in sorted(names):
        action = Action.DELETE if name not in new else Action.UPDATE
        action = Action.CREATE if name not in old else action
        if name in {*old, *new} and old.get(name) != new.get(name):
            chosen.append(Change(action, resource(f"agent:{name}"), PATH))
    changed = {change.resource.name for change in chosen}
    state = live(compiled(old).content.replace(b"  <user", b"<!-- x -->\t<user"), old)
    written, hazards = keep_unchosen(compiled_config(wanted), state, chosen)
    left = {name: value for name, value in old.items() if name not in changed}
    result = dict(sorted((left | {n: v for n, v in new.items() if n in changed}).items()))
    assert hazards == []
    if not chosen or max(len(old), len(new)) < 2:
        return
    if not result:
        assert PATH not in written.files
        return
    file = written.files[PATH]
    own = {item: part.content for item, part in split_compiled(file).items()}
    alone = {item: part.content for item, part in split_compiled(compiled(result)).items()}
    assert own == alone
    assert file.content.count(b"<!-- x -->\t<user") >= len(left)
    assert {part.resource.name for part in file.parts if part.kept} == set(left)


@given(st.binary(max_size=200) | st.text("<>/user id=\"'&;\n", max_size=80).map(str.encode))
def test_whatever_stands_in_the_file_is_taken_apart_or_whole(content):
    state = live(content, {"1020": "a", "1021": "b"})
    own, _ = split_live(state.files[PATH], PATH, state.manifest.entries[PATH])
    assert set(map(str, own)) <= {"agent:1020", "agent:1021"}


def of_texts(texts: list[bytes]) -> CompiledFile:
    content, parts = b"<include>\n", []
    for number, text in enumerate(texts):
        start, content = len(content), content + text
        parts.append(Part(resource(f"agent:{number}"), Position("a"), span=(start, len(content))))
    return CompiledFile(PATH, content + b"</include>\n", tuple(parts))


@given(st.lists(
    st.tuples(st.sampled_from(["", " ", "\n", "\t", "<!-- x -->"]), st.integers(0, 2),
              st.sampled_from(["v", "</user>".replace("<", "&lt;"), "<user id='9'/>"])),
    min_size=1, max_size=4,
))  # fmt: skip
def test_what_is_hashed_without_taking_it_apart_is_what_is_found_there(parts):
    texts = []
    for number, (space, count, value) in enumerate(parts):
        inside = (
            value
            if value.startswith("<user")
            else f'<params><param name="p" value="{value}"/></params>'
        )
        element = f'{space}<user id="{number}">{inside}</user>{space}'
        texts.append((element * count).encode())
    file = of_texts(texts)
    hashes = hash_parts(file)
    own = split_compiled(file)
    if hashes is not None:
        assert hashes == [
            (own[part.resource].sha256, own[part.resource].part.elements) for part in file.parts
        ]


def test_usual_elements_are_hashed_without_taking_them_apart():
    assert hash_parts(compiled({"1": "a", "2": "b"})) is not None
    assert hash_parts(of_texts([user("1", "a"), user("2", "b") + user("3", "c")])) is None
    assert hash_parts(of_texts([b"<!-- a -->" + user("1", "a")])) is None
