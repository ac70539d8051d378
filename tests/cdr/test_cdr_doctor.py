"""The doctor of the sidecar, and what git would take of its records."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from lakes import fill, keys_in
from project import check_output
from sidecars import options

from fsgitops.cdr.doctor import judge_conf, read_params
from fsgitops.cdr.lake import open_lake
from fsgitops.cdr.sidecar import Sidecar
from fsgitops.cli import run as run_fsgitops
from fsgitops.cli.cdr import invoke
from fsgitops.diagnosis import Health

CHECKOUT = Path(__file__).resolve().parents[2]


def test_doctor_answers_in_the_form_of_the_other_doctor(place, capfd) -> None:
    assert invoke([*place, "doctor", "--json"]) == 1
    said = json.loads(capfd.readouterr().out)
    check_output(said)
    assert said["format"] == "fsgitops-doctor"
    by_name = {check["name"]: check["health"] for check in said["checks"]}
    assert by_name == {"switch": "error", "spool": "ok", "lake": "ok", "json-dir": "error"}
    assert invoke([*place, "doctor"]) == 1
    text = capfd.readouterr().out
    for check in said["checks"][3:]:  # the room on the disk changes
        assert f"{check['health']:<8} {check['name']}: {check['message']}\n" in text
        assert all(f"         {line}\n" in text for line in check["remedy"].split("\n") if line)


def test_a_doctor_leaves_the_lake_as_it_is(place, tmp_path, capfd) -> None:
    before = sorted((tmp_path / "lake").rglob("*"))
    invoke([*place, "doctor"])
    assert sorted((tmp_path / "lake").rglob("*")) == before


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def test_git_takes_no_record_that_a_sidecar_wrote(sidecar, tmp_path, templates) -> None:
    git(tmp_path, "init", "-q")
    sidecar().stop()
    fill(tmp_path, templates, 3)
    git(tmp_path, "add", "-A")
    assert git(tmp_path, "ls-files") == ""
    assert keys_in(open_lake(str(tmp_path / "lake")))


def test_a_spool_in_a_project_itself_ignores_no_project(tmp_path, templates) -> None:
    (tmp_path / "fsgitops.yaml").write_text("cdr: {lake: lake, spool: .}\n")
    one = Sidecar(replace(options(tmp_path), spool=tmp_path), None)
    one.start()
    one.stop()
    assert not (tmp_path / ".gitignore").exists()


@pytest.mark.parametrize("tracked", [True, False])
def test_both_doctors_tell_that_git_takes_records(place, tmp_path, tracked, capfd) -> None:
    (tmp_path / "fsgitops.yaml").write_text("cdr: {lake: lake, spool: spool}\n")
    git(tmp_path, "init", "-q")
    assert invoke([*place, "doctor"]) == 1
    (tmp_path / "lake" / "cdr" / ".gitignore").unlink()
    if tracked:
        git(tmp_path, "add", "-f", "lake", "spool")
    told = "git tracks call records here" if tracked else "would take the call records here"
    for run in (
        lambda: invoke([*place, "doctor"]),
        lambda: run_fsgitops(["-C", str(tmp_path), "doctor"]),
    ):
        capfd.readouterr()
        assert run() == 1
        said = capfd.readouterr().out
        assert f"error    records-in-git: {tmp_path}/lake: " in said
        assert told in said


def test_doctor_judges_the_switchs_configuration() -> None:
    conf = (
        '<configuration name="json_cdr.conf"><settings><param name="log-b-leg" value="false"/>'
        '<param name="log-dir" value="/x"/></settings></configuration>'
    )
    judged = {check.message: check.health for check in judge_conf(conf, "")}
    assert judged["B legs are not written"] is Health.ERROR
    assert judged["variables are written percent-encoded"] is Health.ERROR
    assert judged["records are written to disk"] is Health.OK


@pytest.mark.parametrize("text", ["-ERR no reply", "", "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"])
def test_an_answer_that_is_no_configuration_is_none(text: str) -> None:
    assert read_params(text) is None


def test_doctor_finds_nothing_wrong_with_the_configuration_that_the_page_shows() -> None:
    text = (CHECKOUT / "docs" / "cdr.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"^```xml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    conf = f'<configuration name="json_cdr.conf"><settings>{shown}</settings></configuration>'
    judged = list(judge_conf(conf, ""))
    assert judged
    assert [check.message for check in judged if check.health is not Health.OK] == []
