"""A plan that is known to change nothing says what a plan that is made says, and is known only so
long as nothing that it follows from has changed."""

from __future__ import annotations

import base64
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from leak_search import MARK, Search, all_secrets
from own_kinds import write_paging
from plan_causes import (
    CHANGES,
    POLICY,
    PROJECTS,
    WARNED,
    add_hand_written,
    break_yaml,
    change_own_kind,
    change_template,
    change_yaml,
    edit_live,
    rewrite,
)
from project import ROUTES
from secret_sources import plant_secrets

from fsgitops.cli.outputs import FORMATS
from fsgitops.commands import plan as plan_command
from fsgitops.planning import planned, remembered
from fsgitops.workspace import declare

if TYPE_CHECKING:
    from collections.abc import Callable

    from project import Project, Ran


class Compared:
    """Counts the plans that were made, and not known."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        compile_declared = declare.compile_declared

        def count(*words: Any, **named: Any) -> Any:
            self.times += 1
            return compile_declared(*words, **named)

        monkeypatch.setattr(declare, "compile_declared", count)


@pytest.fixture
def compared(project: Project, monkeypatch: pytest.MonkeyPatch) -> Compared:
    """The cache is used, in a folder of the test's own, and what was written a moment ago counts
    as written long ago: no test waits for two seconds."""
    monkeypatch.delenv("FSGITOPS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.root.parent / "xdg"))
    monkeypatch.setattr(remembered, "RACY", 0)
    return Compared(monkeypatch)


@pytest.fixture
def known(applied: Project, compared: Compared) -> Project:
    """An applied project, of which a plan is known."""
    know(applied, compared)
    return applied


def apply(project: Project) -> None:
    project.prepare("apply", "--yes")


def know(project: Project, compared: Compared) -> None:
    """Plan, and see that the next plan is not made."""
    planned = project.run("plan")
    assert planned.code == 0, planned.err
    compared.times = 0
    assert is_known(project, compared, planned)


def is_known(project: Project, compared: Compared, expected: Ran | None = None) -> bool:
    """Tell whether a plan is known; what it prints is what a plan that is made prints."""
    before = compared.times
    planned = project.run("plan", "--detailed-exitcode")
    found = compared.times == before
    made = expected or project.run("plan", "--detailed-exitcode", "--no-cache")
    assert (planned.out, planned.err) == (made.out, made.err)
    assert expected or planned.code == made.code
    return found


@pytest.mark.parametrize("write", PROJECTS, ids=lambda write: write.__name__)
def test_a_known_plan_says_in_every_format_what_a_made_one_says(
    write: Callable[..., None],
    project: Project,
    compared: Compared,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(project, monkeypatch)
    applied = project.run("apply", "--yes", "--allow", "calls")
    assert applied.code == 0, applied.err
    project.run("plan")
    compared.times = 0
    wordings = [
        *(("--format", name) for name in FORMATS),
        ("--json", "--live"),
        ("--full", "--detailed-exitcode", "--live"),
        ("--json", "--kick-rotated"),
        ("--allow", "calls"),
        ("--output", "plan.html", "--output", "plan.md"),
        ("--out", "saved.json"),
    ]
    monkeypatch.chdir(project.root)
    for words in wordings:
        said = read(project, words)
        assert compared.times == 0, words
        assert said == read(project, ("--no-cache", *words))
        compared.times = 0


def read(project: Project, words: tuple[str, ...]) -> tuple[Ran, dict[str, str]]:
    ran = project.run("plan", *words)
    written = [project.root / name for name in words if "." in name]
    return ran, {path.name: path.read_text() for path in written}


def test_a_known_plan_is_applied_from_a_saved_file_like_any_other(
    known: Project, compared: Compared
) -> None:
    saved = str(known.root / "saved.json")
    assert known.run("plan", "--out", saved).code == 0
    assert compared.times == 0
    assert known.run("apply", saved).code == 0


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_plan_is_made_where_anything_has_changed(
    change: Callable[[Project], None], known: Project, compared: Compared
) -> None:
    change(known)
    assert not is_known(known, compared)
    assert compared.times > 0


def test_errors_are_told_as_ever(known: Project) -> None:
    break_yaml(known)
    assert known.run("plan") == known.run("plan", "--no-cache")
    assert known.run("plan").code == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("FSGITOPS_KEY", base64.b64encode(bytes(32)).decode()),
        ("FSGITOPS_KEY", ""),
        ("FSGITOPS_DEFAULT_REGION", "DE"),
        ("FSGITOPS_DEFAULT_CALLER_NAME", "Ours"),
        ("FSGITOPS_PROJECT", "other"),
        ("FSGITOPS_TEMPLATES", "none"),
    ],
)
def test_a_plan_is_made_with_another_environment(
    name: str, text: str, known: Project, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    assert not is_known(known, compared)


def test_a_plan_is_made_where_a_file_has_become_a_mount(
    known: Project, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "mounts_below", lambda _: {"directory/default/1020.xml"})
    known.run("plan")
    assert compared.times == 1


def test_a_plan_is_made_for_another_target(
    known: Project, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(known.conf, known.root / "conf")
    monkeypatch.setenv("FSGITOPS_TARGET", "image")
    assert not is_known(known, compared)


def test_a_plan_is_made_where_the_schema_of_an_own_kind_has_changed(
    project: Project, compared: Compared
) -> None:
    write_paging(project)
    apply(project)
    know(project, compared)
    change_own_kind(project)
    assert not is_known(project, compared)


def test_a_plan_is_made_where_a_file_behind_a_link_has_changed(
    project: Project, compared: Compared
) -> None:
    apply(project)
    place = project.write("more.xml", "<include>\n<!-- one -->\n</include>\n")
    (project.conf / "dialplan/default/99_more.xml").symlink_to(place)
    know(project, compared)
    rewrite(place, lambda text: text.replace("one", "two"))
    assert not is_known(project, compared)


def test_a_plan_is_made_where_a_secret_has_changed_where_it_stands(
    project: Project, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIP_SECRET", "first-Secret-77")
    project.write(
        "desired/more.yaml",
        "agents:\n  - {extension: 1040, name: Dan, password: {env: SIP_SECRET}}\n",
    )
    apply(project)
    know(project, compared)
    monkeypatch.setenv("SIP_SECRET", "other-Secret-77")
    assert not is_known(project, compared)
    monkeypatch.delenv("SIP_SECRET")
    assert not is_known(project, compared)
    monkeypatch.setenv("SIP_SECRET", "first-Secret-77")
    assert is_known(project, compared)


def test_what_was_written_a_moment_ago_may_change_unseen_so_it_is_not_remembered(
    project: Project, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "RACY", 3600 * 10**9)
    apply(project)
    assert not is_known(project, compared)
    assert not is_known(project, compared)


@pytest.mark.parametrize("change", [change_yaml, edit_live, add_hand_written, change_template])
def test_what_changes_while_a_plan_is_made_is_not_remembered(
    change: Callable[[Project], None],
    project: Project,
    compared: Compared,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apply(project)
    make_plan = plan_command.make_plan

    def make(*words: Any) -> Any:
        made = make_plan(*words)
        change(project)
        return made

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(plan_command, "make_plan", make)
        project.run("plan")
    assert not is_known(project, compared)


@pytest.mark.parametrize("what", ["yaml", "new yaml", "policy", "template", "live"])
def test_what_changes_while_a_plan_is_made_and_changes_back_is_not_remembered(
    what: str, project: Project, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("policy/empty.yaml", "rules: []\n")
    apply(project)
    place, text = {
        "yaml": (project.root / "desired/routes.yaml", ROUTES.replace("1020", "1021 ")),
        "new yaml": (project.root / "desired/more/more.yaml", WARNED),
        "policy": (project.root / "policy/more.yaml", POLICY),
        "template": (project.root / "templates/agent.xml.j2", "{{"),
        "live": (project.conf / "directory/default/other.xml", "<include>\n</include>\n"),
    }[what]
    before = place.read_text() if place.exists() else None
    declare_desired, look_at_live = declare.declare_desired, planned.look_at_live
    place.parent.mkdir(exist_ok=True)

    def write() -> None:
        place.write_text(text)

    def restore() -> None:
        place.unlink() if before is None else place.write_text(before)

    def change_declared(*words: Any) -> Any:
        write()
        found = declare_desired(*words)
        restore()
        return found

    def change_live(*words: Any) -> Any:
        write()
        found = look_at_live(*words)
        restore()
        return found

    with monkeypatch.context() as meanwhile:
        if what == "live":
            meanwhile.setattr(planned, "look_at_live", change_live)
        else:
            meanwhile.setattr(declare, "declare_desired", change_declared)
        project.run("plan")
    assert not is_known(project, compared)
    assert is_known(project, compared)


@pytest.mark.parametrize(
    "include",
    [
        '<X-PRE-PROCESS cmd="include" data="/nowhere/*.xml"/>',
        '<X-PRE-PROCESS cmd="include" data="../../../*.xml"/>',
        '<X-PRE-PROCESS cmd="include" data=".fsgitops/*.xml"/>',
        '<X-PRE-PROCESS cmd="include" data="$${nothing}/etc/*.xml"/>',
    ],
)
def test_a_conf_directory_that_includes_other_places_is_looked_at_each_time(
    include: str, project: Project, compared: Compared
) -> None:
    apply(project)
    place = project.conf / "dialplan/default/99_more.xml"
    place.write_text(f"<include>\n  {include}\n</include>\n")
    assert not is_known(project, compared)
    assert not is_known(project, compared)


def test_a_part_of_a_plan_and_one_with_changes_are_not_remembered(
    known: Project, compared: Compared
) -> None:
    known.run("plan", "--only", "agent:1020")
    assert compared.times == 1
    edit_live(known)
    assert not is_known(known, compared)
    assert not is_known(known, compared)


def test_a_plan_that_needs_a_reload_is_not_remembered(project: Project, compared: Compared) -> None:
    assert project.run("apply", "--yes", "--no-reload").code == 0
    assert not is_known(project, compared)
    assert not is_known(project, compared)


@pytest.mark.parametrize("words", [("--rehash",), ("--no-cache",)])
def test_a_plan_is_made_where_that_is_asked_for(
    words: tuple[str, ...], known: Project, compared: Compared
) -> None:
    assert known.run("plan", *words).code == 0
    assert compared.times == 1


def test_rehash_remembers_and_no_cache_does_not(project: Project, compared: Compared) -> None:
    apply(project)
    project.run("plan", "--no-cache")
    assert not (project.root.parent / "xdg").exists()
    project.run("plan", "--rehash")
    assert is_known(project, compared)


def test_the_environment_switches_it_off(
    known: Project, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSGITOPS_CACHE", "off")
    known.run("plan")
    assert compared.times == 1
    monkeypatch.setenv("FSGITOPS_CACHE", "never")
    assert "FSGITOPS_CACHE" in known.run("plan").err


def test_an_apply_reads_everything_itself(
    known: Project, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("an apply has asked the cache")

    monkeypatch.setattr(remembered, "open_memory", refuse)
    assert known.run("apply", "--yes").code == 0
    assert compared.times > 0


def test_a_plan_is_the_same_where_the_cache_is_gone_or_of_no_use(
    known: Project, compared: Compared
) -> None:
    cache = known.root.parent / "xdg"
    shutil.rmtree(cache)
    cache.write_text("no folder")
    assert not is_known(known, compared)
    cache.unlink()
    assert not is_known(known, compared)
    assert is_known(known, compared)


def test_the_cache_holds_no_secret(
    project: Project, compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = plant_secrets(project, monkeypatch, MARK)
    apply(project)
    know(project, compared)
    plain, hashes = all_secrets(planted)
    search = Search(plain | hashes)
    files = [path for path in (project.root.parent / "xdg").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert search.find(path.name, path.name.encode() + b"\n" + path.read_bytes()) == []
    # The search would see one.
    leaking = base64.b64encode(plain["env password"].encode())
    assert search.find("here", b"..." + leaking + b"...")
