"""A file in which several resources lie: compiled from each of them, and known by its parts."""

from __future__ import annotations

from dataclasses import replace

from builders import desired
from compiling import agent, compile_desired, settle, with_templates

from fsgitops.kinds.agent import AGENT
from fsgitops.model.kind import Kinds
from fsgitops.routing.fragment import flatten_fragment

FILE = "directory/default/hundreds.xml"


def _drafts(*given):
    for draft in AGENT.drafts(*given):
        yield draft._replace(path=FILE)


JOINT = Kinds([replace(AGENT, joint=lambda _site: True, paths=lambda *_: (FILE,), drafts=_drafts)])
TWO = (agent(), agent(extension="1021", name="Bob"))


def secrets_of(file):
    return {file.content[slice(*span)] for span in file.secret_spans}


def test_each_resource_has_its_part_and_its_secret_where_it_stands():
    config, findings = compile_desired(desired(*TWO), kinds=JOINT)
    file = config.files[FILE]
    assert findings == []
    assert [part.resource.name for part in file.parts] == ["1020", "1021"]
    for part, subject in zip(file.parts, TWO, strict=True):
        alone = compile_desired(desired(subject), kinds=JOINT)[0].files[FILE]
        inside = file.content[slice(*part.span)]
        assert alone.content == b"<include>\n" + inside + b"</include>\n"
        [(start, end)] = alone.secret_spans
        assert alone.content[start:end] in {
            file.content[slice(*span)] for span in file.secret_spans
        }
    assert flatten_fragment(file.content)["user"] == "1020"


def test_the_file_is_settled_only_while_every_part_is():
    before, _ = compile_desired(desired(*TWO), kinds=JOINT)
    known = settle(before)
    again, _ = compile_desired(desired(*TWO), kinds=JOINT, settled=known)
    assert again.files[FILE].settled
    for changed in (TWO[:1], (TWO[0], agent(extension="1021", name="Eve"))):
        again, _ = compile_desired(desired(*changed), kinds=JOINT, settled=known)
        assert not again.files[FILE].settled


def test_a_resource_that_must_not_be_written_leaves_the_others_in_the_file():
    config, findings = compile_desired(
        desired(TWO[0], agent(extension="1021", name="${x}")), kinds=JOINT
    )
    assert len(findings) == 1
    assert [part.resource.name for part in config.files[FILE].parts] == ["1020"]


def test_a_template_that_does_not_frame_its_element_cannot_share_a_file():
    from compiling import AGENT as TEMPLATE

    templates = with_templates(agent="<!-- ours -->\n" + TEMPLATE)
    _, findings = compile_desired(desired(*TWO), kinds=JOINT, templates=templates)
    assert len(findings) == 2
    assert "does not begin with <include>" in findings[0].message


def test_a_file_outside_every_home_is_a_finding():
    astray = replace(
        AGENT,
        paths=lambda *_: ("vars.xml",),
        drafts=lambda *given: (draft._replace(path="vars.xml") for draft in AGENT.drafts(*given)),
    )
    config, [finding] = compile_desired(desired(agent()), kinds=Kinds([astray]))
    assert dict(config.files) == {}
    assert "no place for a file of fsgitops" in finding.message
