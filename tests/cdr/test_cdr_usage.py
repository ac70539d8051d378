"""What is asked of the sidecar wrongly is told, and answered with nothing else."""

from __future__ import annotations

import json

import pytest

from fsgitops.cli.cdr import invoke


@pytest.mark.parametrize("command", ["report", "reconcile", "compact"])
def test_what_is_no_date_is_wrong_usage_and_no_empty_answer(place, command, capfd) -> None:
    assert invoke([*place, command, "--from", "nonsense"]) == 64
    assert "`nonsense`: expected a date" in capfd.readouterr().err


@pytest.mark.parametrize("command", ["report", "list", "reconcile", "compact"])
def test_a_period_that_ends_before_it_begins_is_wrong_usage(place, command, capfd) -> None:
    words = ("--from", "2026-11-20", "--to", "2026-11-10")
    assert invoke([*place, command, *words]) == 64
    assert "--to is before --from" in capfd.readouterr().err


def test_a_period_without_calls_is_one_sentence(place, capfd) -> None:
    words = ["--from", "2020-11-10", "--to", "2020-11-20"]
    assert invoke([*place, "report", *words, "--tz", "UTC"]) == 0
    assert capfd.readouterr().out == "No calls from 2020-11-10 to 2020-11-20 (UTC).\n"
    assert invoke([*place, "report", *words, "--format", "html"]) == 0
    page = capfd.readouterr().out
    assert "<p>No calls from 2020-11-10 to 2020-11-20.</p>" in page
    assert "<table" not in page
    assert invoke([*place, "list", *words]) == 0
    assert capfd.readouterr().out == "No record matches.\n"


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--limit", "-5"],
        ["tail", "--count", "0"],
        ["retention", "--keep-days", "0"],
        ["compact", "--grace", "-1"],
        ["compact", "--min-files", "0"],
    ],
)
def test_a_number_that_means_nothing_is_wrong_usage(place, words, capfd) -> None:
    assert invoke([*place, *words]) == 64
    assert f"Invalid value for '{words[1]}'" in capfd.readouterr().err


@pytest.mark.parametrize("command", [["list"], ["report"], ["query", "SELECT 1"]])
def test_a_second_file_is_refused_and_none_is_written(place, tmp_path, command, capfd) -> None:
    files = [tmp_path / "o.json", tmp_path / "p.json"]
    words = [word for file in files for word in ("--output", str(file))]
    assert invoke([*place, *command, *words]) == 64
    assert "--output is given twice" in capfd.readouterr().err
    assert not any(file.exists() for file in files)


def test_a_table_says_that_its_times_are_utc(place, capfd) -> None:
    assert invoke([*place, "list", "--limit", "1"]) == 0
    assert capfd.readouterr().out.startswith("start_time (UTC)")


@pytest.mark.parametrize("after", [True, False])
def test_a_directory_that_is_not_there_is_refused(tmp_path, after, capfd) -> None:
    directory = ["-C", str(tmp_path / "nowhere")]
    words = ["list", "--lake", "lake"]
    assert invoke([*words, *directory] if after else [*directory, *words]) == 64
    assert f"{tmp_path}/nowhere: no such directory" in capfd.readouterr().err


@pytest.mark.parametrize("words", [["list"], ["report"], ["query", "SELECT 1"]])
def test_a_file_that_cannot_be_written_is_named_as_it_was_typed(place, tmp_path, words, capfd):
    out = tmp_path / "nowhere" / "x.json"
    assert invoke([*place, *words, "--output", str(out)]) == 1
    assert f"{out}: no such directory" in capfd.readouterr().err


@pytest.mark.parametrize("time", ["yesterday", "2026-13-45", "9999-99-99"])
def test_what_is_no_time_is_wrong_usage_and_no_empty_answer(place, time, capfd) -> None:
    assert invoke([*place, "list", "--from", time]) == 64
    assert invoke([*place, "list", "--to", time]) == 64
    assert f"`{time}`: expected a time, such as 2026-11-23 10:00" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("command", "name"), [("report", "a.pdf"), ("list", "a.html"), ("query", "a.xlsx")]
)
def test_a_file_whose_ending_says_another_format_is_refused(
    place, command, name, tmp_path, capfd
) -> None:
    words = [*place, command, *(["SELECT 1"] if command == "query" else [])]
    assert invoke([*words, "--output", str(tmp_path / name)]) == 64
    assert "give --format, or an ending of .txt, " in capfd.readouterr().err
    assert not (tmp_path / name).exists()
    assert invoke([*words, "--format", "json", "--output", str(tmp_path / name)]) == 0


def test_a_date_without_dashes_finds_the_same_records(place, capfdbinary) -> None:
    assert invoke([*place, "report", "--from", "20261123", "--to", "20261123",
                   "--leg", "all", "--format", "json"]) == 0  # fmt: skip
    assert json.loads(capfdbinary.readouterr().out)["total"]["calls"] == 15


def test_a_time_that_is_written_short_skips_no_day(place, capfdbinary) -> None:
    assert invoke([*place, "list", "--from", "2026-11-3 10:00Z", "--format", "json"]) == 0
    assert len(capfdbinary.readouterr().out.splitlines()) == 15
