from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from barriers import FIND_BARRIERS, axe_source
from browser import Browser
from lakes import DAY_US, START_US, fill, flush_all, make_row

from fsgitops.cdr.number import one_form
from fsgitops.cdr.page import render_page
from fsgitops.cdr.query import Source
from fsgitops.cdr.report import Line, Report, Span, machine_zone, make_report, spark_scheme
from fsgitops.cdr.table import report_json, report_text
from fsgitops.cli.cdr import invoke
from fsgitops.errors import UsageError

DIMENSIONS = ["day", "hour", "agent", "did", "gateway", "cause"]
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
    assert list(report.by) == DIMENSIONS
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
    zone = {"tz": "Asia/Kolkata"}
    for span in (Span(), Span(leg="all"), Span("2026-11-23", "2026-11-23", **zone), Span(**zone)):
        assert make_report(source, span, "spark") == make_report(source, span)


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
    assert "prefers-color-scheme:dark" in page
    assert "@media print" in page


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
    assert dumped.count('class="good"') > 20


def test_spark_says_which_stores_it_reads(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not hdfs://"):
        spark_scheme("hdfs://somewhere/lake")


@pytest.fixture
def with_gaps(tmp_path: Path, templates) -> Source:
    """Calls on Monday 2026-11-23 at 02:13 UTC, and three days later."""
    spool, lake = fill(tmp_path, templates, 14)
    spool.add([make_row(templates, n, start_us=START_US + 3 * DAY_US) for n in range(15, 22)])
    flush_all(spool, lake)
    return Source(str(tmp_path / "lake"), tmp_path / "spool")


def calls_by(report: Report, name: str) -> dict[str, int]:
    return {line.group: line.calls for line in report.by[name] if line.calls}


def test_days_and_hours_without_calls_are_there(with_gaps: Source) -> None:
    report = make_report(with_gaps, Span())
    assert [(line.group, line.calls) for line in report.by["day"]] == [
        ("2026-11-23", 8), ("2026-11-24", 0), ("2026-11-25", 0), ("2026-11-26", 4),
    ]  # fmt: skip
    assert [line.group for line in report.by["hour"]] == [f"{hour:02}" for hour in range(24)]
    assert calls_by(report, "hour") == {"02": 12}


def test_the_days_that_were_asked_for_are_there_up_to_today(with_gaps: Source) -> None:
    span = Span("2026-11-21", "2026-11-30")
    days = make_report(with_gaps, span, today=date(2026, 11, 28)).by["day"]
    assert [days[0].group, days[-1].group, len(days)] == ["2026-11-21", "2026-11-28", 8]


def test_one_clock_that_was_years_behind_fills_no_page_with_empty_days(
    tmp_path: Path, templates
) -> None:
    spool, lake = fill(tmp_path, templates, 7)
    spool.add([make_row(templates, n, start_us=10**15) for n in range(8, 15)])
    flush_all(spool, lake)
    assert len(make_report(Source(str(tmp_path / "lake")), Span()).by["day"]) == 2


@pytest.mark.parametrize(
    ("zone", "day", "hour"),
    [
        pytest.param("UTC", "2026-11-23", "02", marks=pytest.mark.sweep),
        ("America/New_York", "2026-11-22", "21"),
        pytest.param("Asia/Kolkata", "2026-11-23", "07", marks=pytest.mark.sweep),
        ("Asia/Kathmandu", "2026-11-23", "07"),
        ("Pacific/Kiritimati", "2026-11-23", "16"),
    ],
)
def test_days_and_hours_are_those_of_the_time_zone(
    with_gaps: Source, zone: str, day: str, hour: str
) -> None:
    report = make_report(with_gaps, Span(tz=zone))
    assert next(iter(calls_by(report, "day"))) == day
    assert list(calls_by(report, "hour")) == [hour]
    # The days that are asked for are those of the zone too, whatever day (UTC) they are stored in.
    assert make_report(with_gaps, Span(day, day, tz=zone)).total.calls == 8
    assert make_report(with_gaps, Span(last=day, tz=zone)).total.calls == 8
    assert make_report(with_gaps, Span("2026-11-24", tz=zone)).total.calls == 4


def test_a_report_on_the_command_line_has_the_time_zone_that_is_asked_for(
    with_gaps: Source, tmp_path: Path, capfd, monkeypatch
) -> None:
    place = ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool", "report"]
    assert invoke([*place, "--tz", "Asia/Tokyo", "--json"]) == 0
    made = json.loads(capfd.readouterr().out)
    assert made["span"]["tz"] == "Asia/Tokyo"
    assert {line["group"] for line in made["by"]["hour"] if line["calls"]} == {"11"}
    monkeypatch.setenv("TZ", "America/New_York")
    assert invoke([*place, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["span"]["tz"] == "America/New_York"
    for wrong in ("Nowhere/Land", "../../etc/passwd", "a\0b"):
        assert invoke([*place, "--tz", wrong]) == 64
        assert "expected a name such as Europe/Berlin" in capfd.readouterr().err


def test_the_machines_time_zone_is_found_or_it_is_utc(tmp_path: Path, monkeypatch) -> None:
    from fsgitops.cdr import report as zone

    monkeypatch.delenv("TZ", raising=False)
    target = tmp_path / "zoneinfo" / "Europe" / "Paris"
    target.parent.mkdir(parents=True)
    target.touch()
    (tmp_path / "localtime").symlink_to(target)
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    monkeypatch.setattr(zone, "LOCALTIME", tmp_path / "localtime")
    monkeypatch.setattr(zone, "TIMEZONE", tmp_path / "timezone")
    assert machine_zone() == "Europe/Paris"
    (tmp_path / "localtime").unlink()
    assert machine_zone() == "Asia/Tokyo"
    (tmp_path / "timezone").unlink()
    assert machine_zone() == "UTC"
    monkeypatch.setenv("TZ", ":Asia/Kolkata")
    assert machine_zone() == "Asia/Kolkata"


FORMS = ["+19495431333", "19495431333", "9495431333", "0019495431333", "%2B19495431333"]


def test_a_did_has_one_row_however_it_was_dialled(tmp_path: Path, templates) -> None:
    spool, lake = fill(tmp_path, templates, 0)
    inbound = next(n for n, e in enumerate(templates) if e.get("Call-Direction") == "inbound")
    for number, form in enumerate([*FORMS, "sales"]):
        at = inbound + len(templates) * (number + 1)
        changes = {"variable_sip_req_user": form, "Caller-Destination-Number": form}
        spool.add([make_row(templates, at, **changes, variable_sip_to_user=form)])
    flush_all(spool, lake)
    found = calls_by(make_report(Source(str(tmp_path / "lake")), Span()), "did")
    assert found == {"+19495431333": len(FORMS), "sales": 1}


def test_a_report_keeps_to_the_terminal(tmp_path: Path, templates) -> None:
    report = busy()
    whole = report_text(report)
    assert max(map(len, whole.splitlines())) > 80
    for width in (80, 60):
        narrow = report_text(report, width)
        assert max(map(len, narrow.splitlines())) <= width
        assert set(re.findall(r"[0-9.]+", whole)) == set(re.findall(r"[0-9.]+", narrow))


@pytest.mark.parametrize(
    ("numbers", "region", "shown"),
    [
        (["9495431333"], "US", ["+19495431333"]),
        (["9495431333", "19495431333"], None, ["+19495431333", "+19495431333"]),
        (["02071234567", "+442071234567"], None, ["+442071234567", "+442071234567"]),
        (["2071234567", "+442071234567", "+12071234567"], None,
         ["2071234567", "+442071234567", "+12071234567"]),
        (["1020", "sales", "55501234"], None, ["1020", "sales", "55501234"]),
    ],
)  # fmt: skip
def test_a_national_form_is_joined_only_where_it_is_certain(numbers, region, shown) -> None:
    found = one_form(numbers, region)
    assert [found[number] for number in numbers] == shown


def busy(days: int = 40, agents: int = 60) -> Report:
    def line(group: str, calls: int) -> Line:
        return Line(group, calls, calls // 2, 50.0, 61.5, 1234.0, calls * 0.9)

    by = {
        "day": tuple(
            line(date.fromordinal(date(2026, 1, 1).toordinal() + at).isoformat(), at % 7 * 40)
            for at in range(days)
        ),
        "hour": tuple(line(f"{at:02}", at * 3) for at in range(24)),
        "agent": tuple(line(str(1000 + at), 900 - at) for at in range(agents)),
        "did": tuple(line(f"+1949543{1000 + at}", 50) for at in range(3)),
        "gateway": (line("a-gateway-with-quite-a-long-name-in-the-cloud.example", 9),),
        "cause": (line("RECOVERY_ON_TIMER_EXPIRE", 9),),
    }
    groups = {name: len(lines) for name, lines in by.items()} | {"agent": 1345}
    return Report(Span("2026-01-01", "2026-02-09"), line("all", 12345), by, groups)


def test_long_lists_are_cut_and_say_how_much_is_not_shown() -> None:
    page = render_page(busy())
    agents = sum(900 - at for at in range(20, 60))
    assert f"and 40 more, with {agents:,} calls; 1,285 more are not listed" in page
    assert "and 9 earlier days" in page
    text = report_text(busy(days=70))
    assert "… and 1325 more" in text
    assert "… and 8 earlier days" in text


def test_a_long_span_has_a_column_a_month() -> None:
    page = render_page(busy(days=300))
    assert "Calls by month" in page
    assert 'title="2026-10: ' in page


MEASURE = """
const box = (each) => each.getBoundingClientRect();
const all = (what) => [...document.querySelectorAll(what)].filter((each) => box(each).width > 0);
const labels = [...document.querySelectorAll('.chart')].map((chart) =>
  [...chart.querySelectorAll('.plot b')].map(box).filter((each) => each.width > 0));
return {
  page: document.documentElement.scrollWidth,
  names: all('tbody th').map((each) => [each.textContent, box(each).width, box(each).height]),
  smallest: Math.min(...all('td, th, .plot b, .scale span, td[data-head]').filter(
    (each) => each.textContent && !each.closest('thead')).map(
    (each) => parseFloat(getComputedStyle(each).fontSize)).filter((size) => size > 0)),
  bars: all('.plot i').map((each) => box(each).width),
  overlaps: labels.flatMap((row) => row.slice(1).filter((each, at) => each.left < row[at].right)).length,
};
"""  # noqa: E501


@pytest.mark.parametrize("width", [320, 390, 700, 1100])
def test_the_page_is_readable_at_every_width(browser: Browser, tmp_path: Path, width: int) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_page(busy()), encoding="utf-8")
    browser.open(page)
    with browser.width(width):
        seen = browser.run(MEASURE)
    assert seen["page"] <= width
    assert seen["smallest"] >= 11
    assert max(seen["bars"]) <= 36
    assert seen["overlaps"] == 0
    for name, across, height in seen["names"]:
        lines = height / 20
        assert across >= 100, name
        assert lines < 2 or len(name) / lines > 8, name


def test_one_day_is_no_wider_than_a_column(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_page(busy(days=2)), encoding="utf-8")
    browser.open(page)
    with browser.width(1100):
        assert max(browser.run(MEASURE)["bars"]) <= 36


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(browser: Browser, tmp_path: Path, scheme: str) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_page(busy()), encoding="utf-8")
    browser.emulate(scheme)
    browser.open(page)
    back, text, dim = browser.run(
        "const of = (what) => getComputedStyle(document.querySelector(what));"
        "return [of('body').backgroundColor, of('body').color, of('thead th').color];"
    )
    assert contrast(back, text) > 7
    assert contrast(back, dim) > 4.5
    assert (brightness(back) > 0.5) == (scheme == "light")


def brightness(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"[0-9]+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([brightness(one), brightness(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier_with_every_list_open(
    browser: Browser, tmp_path: Path, scheme: str
) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_page(busy()), encoding="utf-8")
    browser.open(page)
    browser.emulate(scheme)
    browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    found = browser.run_async(
        f"{axe_source()}; const done = arguments[0]; {FIND_BARRIERS}.then(done)"
    )
    assert found == []
