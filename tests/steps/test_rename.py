"""Which deletion and which creation are one resource under another name."""

from __future__ import annotations

from builders import attribute, change

from fsgitops.kinds import BUILT_IN
from fsgitops.model.live import FileKind, LiveConfig, LiveFile, Manifest
from fsgitops.model.plan import Change
from fsgitops.routing.fragment import flatten_fragment
from fsgitops.steps.rename import pair_renames

USER = """<include>
<user id="{ext}"><params><param name="a1-hash" value="{hash}"/></params>
<variables><variable name="accountcode" value="{ext}"/>
<variable name="effective_caller_id_name" value="{name}"/></variables></user>
</include>
"""
ROUTE = """<include>
<extension name="inbound_{digits}"><condition field="destination_number"
 expression="^(\\+?{digits})$"><action application="transfer" data="1020 XML default"/></condition>
</extension>
</include>
"""


class Case:
    """Deletions and creations, as a plan has them."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.files: dict[str, LiveFile] = {}

    def delete(self, kind: str, name: str, text: str, *, drifted: bool = False) -> None:
        path = f"{kind}/{name}.xml"
        self.files[path] = LiveFile(FileKind.REGULAR, "0", text.encode())
        self.changes.append(change("delete", f"{kind}:{name}", path=path, drifted=drifted))

    def create(self, kind: str, name: str, text: str) -> None:
        attributes = tuple(
            attribute(key, None, value) for key, value in flatten_fragment(text.encode()).items()
        )
        path = f"{kind}/{name}.xml"
        self.changes.append(change("create", f"{kind}:{name}", *attributes, path=path))

    def pairs(self) -> list[tuple[str, str]]:
        done = pair_renames(self.changes, LiveConfig(Manifest(), self.files), BUILT_IN)
        assert [c.resource for c in done] == [c.resource for c in self.changes]
        return [(str(c.renamed_from), str(c.resource)) for c in done if c.renamed_from]


def user(extension: str, name: str = "Alice", digest: str = "00") -> str:
    return USER.format(ext=extension, name=name, hash=digest)


def test_an_agent_with_another_number_and_all_else_the_same_is_renamed():
    case = Case()
    case.delete("agent", "1020", user("1020", digest="aa"))
    case.create("agent", "2020", user("2020", digest="bb"))
    assert case.pairs() == [("agent:1020", "agent:2020")]


def test_a_number_in_a_longer_one_is_not_the_name():
    case = Case()
    case.delete("agent", "1020", user("1020", "+19491020"))
    case.create("agent", "2020", user("2020", "+19491020"))
    assert case.pairs() == [("agent:1020", "agent:2020")]


def test_another_name_is_another_agent():
    case = Case()
    case.delete("agent", "1020", user("1020"))
    case.create("agent", "2020", user("2020", "Bob"))
    assert case.pairs() == []


def test_two_that_are_alike_are_not_guessed_at():
    case = Case()
    case.delete("agent", "1020", user("1020"))
    case.delete("agent", "1021", user("1021"))
    case.create("agent", "2020", user("2020"))
    assert case.pairs() == []


def test_an_edited_file_is_no_half_of_a_rename():
    case = Case()
    case.delete("agent", "1020", user("1020"), drifted=True)
    case.create("agent", "2020", user("2020"))
    assert case.pairs() == []


def test_a_file_that_cannot_be_read_is_no_half_of_a_rename():
    case = Case()
    case.delete("agent", "1020", "<a>")
    case.create("agent", "2020", user("2020"))
    assert case.pairs() == []


def test_a_did_with_another_number_and_the_same_destination_is_renamed():
    case = Case()
    case.delete("did", "+19495431333", ROUTE.format(digits="19495431333"))
    case.create("did", "+19495431444", ROUTE.format(digits="19495431444"))
    assert case.pairs() == [("did:+19495431333", "did:+19495431444")]


def test_each_of_many_finds_its_own_half():
    case = Case()
    for number in range(300):
        case.delete("agent", f"1{number:03}", user(f"1{number:03}", f"N{number}"))
        case.create("agent", f"2{number:03}", user(f"2{number:03}", f"N{number}"))
    assert len(case.pairs()) == 300
    assert ("agent:1007", "agent:2007") in case.pairs()
