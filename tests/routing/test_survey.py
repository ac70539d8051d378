"""One look at a conf directory: what stands before files of ours, and what the files prove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fsgitops.routing.preprocess import MergeError
from fsgitops.routing.survey import Survey, survey_conf
from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = "d.example"
USER = "directory/default/1020.xml"
ROUTE = "dialplan/public/inbound_1.xml"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    write_skeleton(tmp_path, DOMAIN)
    return tmp_path


def look(conf: Path) -> Survey:
    return survey_conf(conf, [USER, ROUTE], DOMAIN)


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there yet"])
@pytest.mark.parametrize("end", ["\n", ""], ids=["whole last line", "no line feed at the end"])
def test_a_user_stands_before_or_behind_a_file_of_ours_that_is_not_opened(
    conf: Path, there: bool, end: str
) -> None:
    if there:
        (conf / USER).mkdir()
    for name in ("0.xml", "z.xml"):
        (conf / f"directory/default/{name}").write_text(f'<user id="1020"/>{end}')
    survey = look(conf)
    found = [(one.file, survey.comes_before(one, USER)) for one in survey.users.users("1020")]
    assert found == [("directory/default/0.xml", True), ("directory/default/z.xml", False)]


def test_nothing_stands_before_a_file_that_nothing_includes(conf: Path) -> None:
    (conf / "directory/default/0.xml").write_text('<user id="1020"/>\n')
    survey = look(conf)
    (place,) = survey.users.users("1020")
    assert not survey.comes_before(place, "directory/other/1020.xml")


@pytest.mark.parametrize(("file", "sure"), [("00.xml", False), ("zz.xml", True)])
def test_a_line_that_the_switch_executes_leaves_open_what_is_read_behind_it(
    conf: Path, file: str, sure: bool
) -> None:
    (conf / f"dialplan/public/{file}").write_text('<X-PRE-PROCESS cmd="exec" data="more.sh"/>\n')
    survey = look(conf)
    (line,) = {survey.ours.lines[run] for run in survey.ours.runs[ROUTE]}
    assert survey.is_sure("dialplan", above=line) is sure
    assert not survey.is_sure("dialplan")


def test_what_is_not_well_formed_is_told_without_a_password(conf: Path) -> None:
    (conf / "vars.xml").write_text(
        '<include>\n<X-PRE-PROCESS cmd="set" data="sip_password=Tr0ub4dor"/>\n</include>\n'
    )
    (conf / "directory/default/0.xml").write_text("<$${sip_password}>\n</other>\n")
    with pytest.raises(MergeError) as caught:
        look(conf)
    assert "Tr0ub4dor" not in str(caught.value)
