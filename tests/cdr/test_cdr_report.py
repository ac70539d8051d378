from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lakes import DAY_US, START_US, fill, flush_all, make_row

from fsgitops.cdr.page import render_page
from fsgitops.cdr.query import Source
from fsgitops.cdr.report import DIMENSIONS, Line, Report, Span, make_report, spark_scheme
from fsgitops.cdr.show_report import report_json, report_text
from fsgitops.errors import UsageError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def source(tmp_path: Path, templates) -> Source:
    spool, lake = fill(tmp_path, templates, 70, parts=2)
    spool.add([make_row(templates, n, start_us=START_US + DAY_US) for n in range(71, 92)])
    flush_all(spool, lake)
    spool.add([make_row(templates, n) for n in range(92, 99)])
    return Source(str(tmp_path / "lake"), tmp_path / "spool")


def test_the_figures_are_those_of_the_records(source: Source) -> None:
    report = make_report(source, Span())
    # Of seven legs four are A legs, three of them answered, for 2, 2 and 2 seconds.
    assert report.total.calls == 98 // 7 * 4
    assert report.total.answered == 98 // 7 * 3
    assert report.total.asr_percent == 75.0
    assert report.total.acd_seconds == 2.0
    assert report.total.minutes == round(98 // 7 * 6 / 60, 2)
    assert [(line.group, line.calls) for line in report.by["day"]] == [
        ("2026-11-23", 44),
        ("2026-11-24", 12),
    ]
    assert [(line.group, line.calls) for line in report.by["agent"]] == [
        ("1020", 42),
        ("(none)", 14),
    ]


def test_every_dimension_adds_up_to_the_total(source: Source) -> None:
    report = make_report(source, Span(leg="all"))
    for name in DIMENSIONS:
        assert sum(line.calls for line in report.by[name]) == report.total.calls == 98
        assert sum(line.answered for line in report.by[name]) == report.total.answered


def test_a_span_leaves_the_other_days_out(source: Source) -> None:
    assert make_report(source, Span("2026-11-24", "2026-11-24")).total.calls == 12


def test_an_empty_lake_has_a_report_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    report = make_report(Source(str(tmp_path / "lake")), Span())
    assert report.total == Line("all", 0, 0, None, None, None, 0.0)
    assert "no calls" in render_page(report)


@pytest.mark.sweep
def test_duckdb_and_spark_agree_on_every_figure(source: Source) -> None:
    pytest.importorskip("pyspark", reason="the extra [spark] is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not on this machine")
    for leg in ("a", "all"):
        assert make_report(source, Span(leg=leg), "spark") == make_report(source, Span(leg=leg))


def test_the_terminal_report_has_bars_and_the_json_has_every_figure(source: Source) -> None:
    report = make_report(source, Span())
    assert "█" in report_text(report)
    assert json.loads(report_json(report))["total"]["calls"] == 56


def hostile(name: str) -> Report:
    line = Line(name, 3, 1, 33.33, 60.0, None, 1.0)
    return Report(Span(), line, dict.fromkeys(DIMENSIONS, (line,)))


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=a()>', "a&b"])
def test_a_name_from_a_caller_is_text_on_the_page(name: str) -> None:
    page = render_page(hostile(name))
    assert "<script" not in page
    assert "<img" not in page


def test_the_page_refers_to_nothing_outside_itself(source: Source) -> None:
    page = render_page(make_report(source, Span()))
    assert not re.search(r"(src|href)=|https?://|url\(|@import", page)
    assert "<svg" in page
    assert "prefers-color-scheme:dark" in page


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on this machine")
def test_the_page_opens_in_a_browser_without_a_network(source: Source, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_page(make_report(source, Span())), encoding="utf-8")
    picture = tmp_path / "report.png"
    base = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ]
    shot = [f"--screenshot={picture}", "--window-size=1100,1600", page.as_uri()]
    subprocess.run([*base, *shot], check=True, capture_output=True, timeout=60)
    assert picture.stat().st_size > 20_000
    dumped = subprocess.run([*base, "--dump-dom", page.as_uri()], check=True, capture_output=True,
                            text=True, timeout=60).stdout  # fmt: skip
    assert "ASR" in dumped
    assert dumped.count("<rect") > 20


def test_spark_says_which_stores_it_reads(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not hdfs://"):
        spark_scheme("hdfs://somewhere/lake")
