"""The preprocessor, without a switch: what a conf directory is merged into."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.live.prover import tell_source
from fsgitops.routing.lines import LINE_LIMIT, Variables, expand
from fsgitops.routing.merged import MergedConfig, SourceLine
from fsgitops.routing.preprocess import MergeError, load_merged


def conf(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path = path.with_name(path.name + ".xml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")
    return folder


def merge(folder: Path, **files: str) -> str:
    return load_merged(conf(folder, **files)).text.decode()


INCLUDE = '<X-PRE-PROCESS cmd="include" data="{}"/>\n'


def test_an_include_is_put_in_the_place_of_its_line(tmp_path: Path) -> None:
    text = merge(tmp_path, freeswitch="<a>\n" + INCLUDE.format("b.xml") + "</a>\n", b="<b/>\n")
    assert text == "<a>\n<b/>\n</a>\n"


def test_a_pattern_is_relative_to_the_file_it_stands_in(tmp_path: Path) -> None:
    text = merge(
        tmp_path,
        freeswitch=INCLUDE.format("sub/*.xml"),
        sub__one=INCLUDE.format("deep/*.xml") + INCLUDE.format("../up.xml"),
        sub__deep__two="two\n",
        deep__wrong="wrong\n",
        up="up\n",
    )
    assert text == "two\nup\n"


def test_text_beside_an_instruction_is_dropped(tmp_path: Path) -> None:
    line = 'before <X-PRE-PROCESS cmd="set" data="a=b"/> after\n'
    assert merge(tmp_path, freeswitch=line + "$${a}\n") == "b\n"


def test_single_quotes_do_not_make_an_instruction(tmp_path: Path) -> None:
    line = "<X-PRE-PROCESS cmd='set' data='a=b'/>\n"
    assert merge(tmp_path, freeswitch=line + "[$${a}]\n") == "[]\n"


def test_an_instruction_that_is_switched_off_stays_as_a_tag(tmp_path: Path) -> None:
    line = '<X-NO-PRE-PROCESS cmd="set" data="a=b"/>\n'
    assert merge(tmp_path, freeswitch=line + "[$${a}]\n") == line + "[]\n"


def test_a_carriage_return_ends_a_line_of_its_own(tmp_path: Path) -> None:
    assert merge(tmp_path, freeswitch="<include>\r\n<a/>\r\n") == "\n<a/>\r\n"


def test_an_instruction_comment_may_run_over_lines(tmp_path: Path) -> None:
    text = "<a>\n x <!--#comment one\n two $${a}\n three--> y\n</a>\n"
    assert merge(tmp_path, freeswitch=text) == "<a>\n x  y\n</a>\n"


def test_a_set_in_an_instruction_comment_counts(tmp_path: Path) -> None:
    text = '<!--#set "a = b c"-->|\n$${a}\n'
    assert merge(tmp_path, freeswitch=text) == "|\nb c\n"


def test_a_file_without_a_last_line_feed_runs_into_the_next(tmp_path: Path) -> None:
    text = merge(tmp_path, freeswitch=INCLUDE.format("x/*.xml"), x__a="<a/>", x__b="<b/>\n")
    assert text == "<a/><b/>\n"


@pytest.mark.parametrize("command", ["exec", "exec-set", "stun-set", "env-set"])
def test_nothing_is_ever_executed(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "leaked")
    trace = tmp_path / "trace"
    data = "leak=$SECRET" if command == "env-set" else f"leak=touch {trace}"
    line = f'<X-PRE-PROCESS cmd="{command}" data="{data}"/>\n'
    merged = load_merged(conf(tmp_path, freeswitch=line + "[$${leak}]\n"))
    assert merged.text == b"[]\n"
    assert not trace.exists()
    assert [(item.what, item.where) for item in merged.not_run] == [
        (command, SourceLine("freeswitch.xml", 1))
    ]


def test_a_symlink_out_of_the_directory_is_followed_and_told(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("out\n")
    folder = conf(tmp_path / "conf", freeswitch=INCLUDE.format("x/*.xml"), x__a="in\n")
    (folder / "x" / "b.xml").symlink_to(outside)
    merged = load_merged(folder)
    assert merged.text == b"in\nout\n"
    assert merged.outside == ("x/b.xml",)


def test_a_pipe_does_not_block_the_reader(tmp_path: Path) -> None:
    folder = conf(tmp_path, freeswitch=INCLUDE.format("*.fifo") + "end\n")
    os.mkfifo(folder / "a.fifo")
    merged = load_merged(folder)
    assert merged.text == b"end\n"
    assert [item.reason for item in merged.skipped] == ["not a regular file"]


def test_a_file_that_includes_itself_stops_a_hundred_deep(tmp_path: Path) -> None:
    merged = load_merged(conf(tmp_path, freeswitch="x\n" + INCLUDE.format("freeswitch.xml")))
    assert merged.text == b"x\n" * 101
    assert merged.skipped[-1].reason == "included more than 100 deep"


def test_includes_that_multiply_without_end_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsgitops.routing.preprocess.MAX_FILES", 500)
    folder = conf(tmp_path, freeswitch=2 * INCLUDE.format("freeswitch.xml"))
    with pytest.raises(MergeError, match="more than 500 files"):
        load_merged(folder)


def test_a_missing_root_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MergeError, match=r"freeswitch\.xml: No such file"):
        load_merged(tmp_path)


def test_a_missing_folder_and_a_pattern_without_files_are_told(tmp_path: Path) -> None:
    text = INCLUDE.format("nowhere/*.xml") + INCLUDE.format("*.none")
    merged = load_merged(conf(tmp_path, freeswitch=text))
    assert [(item.what, item.where.line) for item in merged.skipped] == [
        ("nowhere/*.xml", 1),
        ("*.none", 2),
    ]


def test_unknown_variables_are_told(tmp_path: Path) -> None:
    merged = load_merged(conf(tmp_path, freeswitch="$${one} $${conf_dir} $${two}\n"))
    assert merged.unknown == {"one", "two"}


def test_every_merged_line_knows_its_source(tmp_path: Path) -> None:
    merged = load_merged(
        conf(
            tmp_path,
            freeswitch="<a>\n" + INCLUDE.format("x/*.xml") + "<!--#c\n-->\n</a>\n",
            x__one="<include>\n<b/>\n\n<c $${z}/>\n</include>\n",
            x__two="<d/>\n",
        )
    )
    assert merged.text == b"<a>\n<b/>\n\n<c />\n<d/>\n\n</a>\n"
    sources = [merged.source_of_merged_line(number) for number in range(1, 8)]
    assert sources == [
        SourceLine("freeswitch.xml", 1),
        SourceLine("x/one.xml", 2),
        SourceLine("x/one.xml", 3),
        SourceLine("x/one.xml", 4),
        SourceLine("x/two.xml", 1),
        SourceLine("freeswitch.xml", 4),
        SourceLine("freeswitch.xml", 5),
    ]


def test_a_line_outside_the_text_has_no_source(tmp_path: Path) -> None:
    merged = load_merged(conf(tmp_path, freeswitch="<a/>\n"))
    assert merged.source_of_line(0) is None
    assert merged.source_of_line(99) is None


def test_a_line_longer_than_the_buffer_loses_a_byte(tmp_path: Path) -> None:
    merged = load_merged(conf(tmp_path, freeswitch="a" * LINE_LIMIT + "bc\n"))
    assert merged.text == b"a" * LINE_LIMIT + b"c\n"


def test_an_expansion_that_does_not_fit_is_cut_at_the_variable() -> None:
    variables = Variables({"long": "x" * 2047})
    assert expand(b"a$${long}b", variables, 1024)[0] == b"a" + b"x" * 2047
    variables = Variables({"long": "x" * 2046})
    assert expand(b"a$${long}b", variables, 1024)[0] == b"a$${long"


@given(st.binary(max_size=200))
def test_any_bytes_can_be_merged(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "freeswitch.xml").write_bytes(data)
        merged = load_merged(Path(folder))
        for number in range(1, merged.text.count(b"\n") + 1):
            assert merged.source_of_merged_line(number) is not None


def test_the_stock_configuration_is_merged_whole(shared: Path) -> None:
    merged = load_merged(shared / "freeswitch-conf" / "vanilla", {"local_ip_v4": "127.0.0.1"})
    assert merged.skipped == ()
    assert [item.what for item in merged.not_run] == ["stun-set", "stun-set"]
    assert b'<domain name="127.0.0.1">' in merged.text


GENERATED = """\
<document>
  <section name="directory">
    <X-PRE-PROCESS cmd="exec" data="sh gen_users.sh"/>
    <X-PRE-PROCESS cmd="include" data="x/*.xml"/>
  </section>
</document>
"""


def generated(folder: Path, **files: str) -> MergedConfig:
    return load_merged(conf(folder, freeswitch=GENERATED, **files))


def test_a_line_behind_an_executed_one_is_uncertain_and_one_before_is_not(tmp_path: Path) -> None:
    merged = generated(tmp_path, x__a="<user/>\n")
    assert [merged.find_doubt(number) is None for number in (1, 2, 3, 4)] == [
        True, True, False, False,
    ]  # fmt: skip
    doubt = merged.find_doubt(4)
    assert doubt is not None
    assert (doubt.what, doubt.where) == ("exec", SourceLine("freeswitch.xml", 3))


@pytest.mark.parametrize("command", ["exec-set", "env-set"])
def test_a_value_that_only_the_switch_knows_makes_the_place_uncertain_where_it_is_used(
    tmp_path: Path, command: str
) -> None:
    text = f'<a>\n<X-PRE-PROCESS cmd="{command}" data="who=x"/>\n<b/>\n<c d="$${{WHO}}"/>\n</a>\n'
    merged = load_merged(conf(tmp_path, freeswitch=text))
    assert [merged.find_doubt(number) is None for number in (1, 2, 3, 4)] == [
        True, True, False, False,
    ]  # fmt: skip


def test_an_address_from_stun_has_one_line_wherever_it_is_used(tmp_path: Path) -> None:
    text = '<X-PRE-PROCESS cmd="stun-set" data="ip=stun:x"/>\n<c d="$${ip}"/>\n'
    assert load_merged(conf(tmp_path, freeswitch=text)).doubts == ()


def test_an_address_from_stun_that_chooses_a_file_makes_the_place_uncertain(tmp_path: Path) -> None:
    text = '<X-PRE-PROCESS cmd="stun-set" data="ip=stun:x"/>\n' + INCLUDE.format("$${ip}.xml")
    merged = load_merged(conf(tmp_path, freeswitch=text + "<a/>\n"))
    assert [skipped.what for _, skipped in merged.doubts] == ["stun-set"]


def test_a_value_that_is_set_again_is_known(tmp_path: Path) -> None:
    text = '<X-PRE-PROCESS cmd="exec-set" data="a=date"/>\n<X-PRE-PROCESS cmd="set" data="a=1"/>\n'
    assert load_merged(conf(tmp_path, freeswitch=text + '<c d="$${a}"/>\n')).doubts == ()


def test_the_wrong_file_is_not_blamed_behind_an_executed_line(tmp_path: Path) -> None:
    """The switch counts the users that the script prints; line 8 is none of `5.xml`."""
    merged = generated(
        tmp_path, x__5="<user/>\n<user/>\n<user/>\n<user/>\n<user/>\n", x__6="<user>\n</oops>\n"
    )
    told = tell_source(merged, 5)
    assert "uncertain" in told
    assert "`exec` at freeswitch.xml:3" in told
    assert "x/6.xml:2: unexpected closing tag </oops>" in told
    assert "x/5.xml" not in told


def test_what_an_executed_line_prints_is_suspected_where_the_files_are_well_formed(
    tmp_path: Path,
) -> None:
    told = tell_source(generated(tmp_path, x__a="<user/>\n"), 4)
    assert told.endswith("`exec` at freeswitch.xml:3 inserts; "
                         "look at its output, and at the files read after it")  # fmt: skip


def test_a_line_before_any_executed_one_is_named_as_it_is(tmp_path: Path) -> None:
    told = tell_source(generated(tmp_path, x__a="<user/>\n"), 2)
    assert told == "; line 2 of the merged configuration is freeswitch.xml:2"
