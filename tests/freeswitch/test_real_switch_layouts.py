"""On a real FreeSWITCH: a site in `layout: sharded` does with every call what `files` does."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from phones_and_carrier import agent, until, up
from sip_phone import CallFailedError, SipPhone, call_from_outside, calling, require_sipp

from fsgitops.esl.session import EslSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from project import Project, Ran
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

AGENTS = """\
agents:
  - {extension: 1020, name: Alice}
  - {extension: 999998, name: Zoe}
"""
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
  - {did_number: +442071838750, destination_extension: 999998}
  - {did_number: +493090182000, destination_extension: ring_group/all}
"""
GROUP = "ring_groups:\n  - {name: all, members: [999998]}\n"
INCLUDE = '<X-PRE-PROCESS cmd="include" data="fsgitops/*.xml"/>\n'
FORMS = {
    "1020": ("+19495431333", "19495431333", "9495431333"),
    "999998": (
        *("+442071838750", "442071838750", "02071838750"),
        *("+493090182000", "493090182000", "03090182000"),
    ),
}
UNDECLARED = ("+19495431399", "19495431334", "9495431334", "18005551234", "02071838751")
BEFORE, BEHIND, GLOBAL = (
    f"dialplan/{name}.xml" for name in ("public/00_before", "public/zz_behind", "global")
)


def extension(name: str, expression: str, cause: str) -> str:
    return (
        f'<extension name="{name}">\n'
        f'<condition field="destination_number" expression="{expression}">\n'
        f'<action application="hangup" data="{cause}"/>\n</condition>\n</extension>\n'
    )


class Site:
    """A project on the switch, in the one layout or the other."""

    def __init__(self, project: Project, switch: RealSwitch, place: Path) -> None:
        self.project, self.switch, self.place = project, switch, place

    def choose(self, layout: str) -> None:
        self.project.write("fsgitops.yaml", self.switch.settings(f"    layout: {layout}\n"))

    def apply(self, *more: str) -> Ran:
        ran = self.project.run("apply", "--yes", *more)
        assert ran.code == 0, ran.err
        return ran

    def write(self, path: str, text: str) -> None:
        (self.switch.conf_dir / path).write_text(text)
        self.reload()

    def reload(self) -> None:
        with self.switch.esl() as esl:
            assert esl.api("reloadxml").strip() == "+OK [Success]"

    def call(self, number: str) -> None:
        call_from_outside(self.switch, self.place / "caller", number)

    def cause_of(self, number: str) -> str:
        """Return the SIP code that a call is refused with; "" where somebody answers."""
        try:
            self.call(number)
        except CallFailedError as problem:
            found = re.search(r"SIP/2\.0 ([4-6][0-9]{2}) ", str(problem))
            assert found, problem
            return found[1]
        return ""

    def wait_idle(self) -> None:
        """Wait until the last call is over on the switch, too."""
        until(lambda: not self.project.run("calls", "--json").json()["calls"])

    def log(self) -> str:
        return (self.switch.log_dir / "freeswitch.log").read_text(errors="replace")

    @contextlib.contextmanager
    def phone(self, number: str) -> Iterator[SipPhone]:
        ran = self.project.run("credentials", number, "--reveal", "--json")
        password = ran.json()["password"]
        with SipPhone(self.switch, self.place / number, number, password) as phone:
            phone.register()
            until(lambda: agent(self.project, number)["registered"])
            yield phone


@pytest.fixture
def site(on_real_switch: Project, freeswitch: RealSwitch, tmp_path: Path) -> Iterator[Site]:
    """Applied in `layout: sharded`; afterwards nobody is on the phone, and all is put back."""
    require_sipp()
    include = freeswitch.conf_dir / "directory/default.xml"
    kept = include.read_text()
    assert "fsgitops/*.xml" in kept or "</groups>" in kept
    if "fsgitops/*.xml" not in kept:
        include.write_text(kept.replace("</groups>", f"{INCLUDE}</groups>"))
    site = Site(on_real_switch, freeswitch, tmp_path)
    site.choose("sharded")
    on_real_switch.write("desired/agents.yaml", AGENTS)
    on_real_switch.write("desired/routes.yaml", ROUTES)
    on_real_switch.write("desired/groups.yaml", GROUP)
    site.apply()
    yield site
    with freeswitch.esl() as esl:
        esl.api("hupall")
    for path in (BEFORE, BEHIND, GLOBAL):
        (freeswitch.conf_dir / path).unlink(missing_ok=True)
    for path in (on_real_switch.root / "desired").iterdir():
        path.unlink()
    site.apply("--allow", "empty", "--allow", "calls", "--allow", "registration")
    include.write_text(kept)
    site.reload()


def test_a_did_in_each_form_rings_its_agent(site: Site) -> None:
    for number, forms in FORMS.items():
        with site.phone(number) as phone:
            for form in forms:
                phone.answer()
                site.call(form)
                assert phone.wait_answered(), form
    assert site.project.run("plan").code == 0
    assert site.project.run("drift").code == 0


def test_a_number_that_nobody_declares_goes_on_to_the_extension_behind(site: Site) -> None:
    site.write(BEHIND, extension("behind", ".*", "USER_BUSY"))
    assert {number: site.cause_of(number) for number in UNDECLARED} == dict.fromkeys(
        UNDECLARED, "486"
    )
    with site.phone("1020") as phone:
        phone.answer()
        site.call("19495431333")
        assert phone.wait_answered()


def test_an_extension_before_takes_a_number_that_nobody_declares(site: Site) -> None:
    site.write(BEFORE, extension("before", r"^\+?19495431399$", "CALL_REJECTED"))
    site.write(BEHIND, extension("behind", ".*", "USER_BUSY"))
    assert site.cause_of("19495431399") == "603"
    assert site.cause_of("19495431398") == "486"
    assert "[taken-number]" not in site.project.run("plan").out


def test_a_number_that_nothing_takes_ends_as_with_files(site: Site) -> None:
    """With the stock dialplan, whose first extension always queues something."""
    said = site.log()
    assert site.cause_of("19495431399") == "480"
    assert site.cause_of("18005551234") == "480"
    more = site.log()[len(said) :]
    assert "Context fsgitops_dids_180055512 not found" in more
    assert "Context fsgitops_dids_194954313 not found" not in more
    site.choose("files")
    site.apply()
    assert (site.cause_of("19495431399"), site.cause_of("18005551234")) == ("480", "480")


def test_a_number_that_nothing_takes_is_480_and_404_where_an_extension_says_so(site: Site) -> None:
    """With files it is 404, where no extension queues an action for it (docs/scale.md)."""
    public = site.switch.conf_dir / "dialplan/public.xml"
    kept = public.read_text()
    try:
        bare = re.sub(r"<condition>\s*<action[^>]*>\s*<action[^>]*>\s*</condition>", "", kept)
        assert bare != kept
        site.write("dialplan/public.xml", bare)
        assert site.cause_of("18005551234") == "480"
        site.write(BEHIND, extension("unknown_number", ".*", "NO_ROUTE_DESTINATION"))
        assert site.cause_of("18005551234") == "404"
        (site.switch.conf_dir / BEHIND).unlink()
        site.choose("files")
        site.apply()
        assert site.cause_of("18005551234") == "404"
    finally:
        site.write("dialplan/public.xml", kept)


def test_a_context_named_global_takes_what_nobody_declares_and_is_refused(site: Site) -> None:
    """FreeSWITCH looks in it for a context that is not there."""
    everything = extension("all", ".*", "USER_BUSY")
    site.write(GLOBAL, f'<context name="global">\n{everything}</context>\n')
    site.write(BEHIND, extension("behind", ".*", "CALL_REJECTED"))
    assert site.cause_of("18005551234") == "486"
    site.project.write("desired/agents.yaml", AGENTS.replace("Alice", "Anna"))
    assert site.project.run("apply", "--yes", "--only", "agent:1020").code == 0
    site.project.write("desired/routes.yaml", ROUTES.replace("1020", "999998"))
    ran = site.project.run("apply", "--yes")
    assert (ran.code, "[global-context]" in ran.out) == (4, True), ran.err


def test_an_extension_behind_runs_its_inline_actions_in_a_call_to_a_did(site: Site) -> None:
    """The plan warns of that: it is the one thing that `files` does not do."""
    inline = extension("behind", ".*", "").replace(
        'application="hangup" data=""/>', 'application="set" data="ran_inline=yes" inline="true"/>'
    )
    site.write(BEHIND, inline)
    assert "[runs-behind]" in site.project.run("plan").out
    with site.phone("1020") as phone:
        phone.answer()
        with calling(site.switch, site.place / "waiting", "19495431333"):
            call = until(lambda: up(site.project))
            with site.switch.esl() as esl:
                assert esl.api(f"uuid_getvar {call['uuid']} ran_inline") == "yes"
                esl.api(f"uuid_kill {call['uuid']}")
        assert phone.wait_answered()


def test_nobody_is_cut_off_when_the_layout_changes(site: Site) -> None:
    with site.phone("1020") as phone:
        phone.answer()
        with calling(site.switch, site.place / "waiting", "19495431333"):
            call = until(lambda: up(site.project))
            for layout in ("files", "sharded"):
                site.choose(layout)
                planned = site.project.run("plan", "--json").json()
                site.apply()
                assert all(
                    item["resource"] in (item["renamed_from"], item["renamed_to"], "dialplan:dids")
                    for item in planned["changes"]
                ), planned["changes"]
                commands = [step["command"] for step in planned["reloads"]]
                assert commands == ["reloadxml", "xml_flush_cache"]
                assert "No changes" in site.project.run("plan").out
                found = up(site.project)
                assert found is not None
                assert found["uuid"] == call["uuid"]
                assert agent(site.project, "1020")["registered"]
            assert site.project.run("hangup", call["uuid"]).code == 0
        assert phone.wait_answered()
        site.choose("files")
        site.apply()
        phone.answer()
        site.call("9495431333")
        assert phone.wait_answered()


def test_what_a_call_has_in_its_variables_is_the_same_in_both_layouts(site: Site) -> None:
    """The read-back of a call: what the switch, a CDR or a script can know of it."""
    held: dict[str, Any] = {}
    with site.phone("1020") as phone:
        for layout in ("sharded", "files"):
            site.choose(layout)
            site.apply()
            phone.answer()
            with calling(site.switch, site.place / layout, "19495431333"):
                call = until(lambda: up(site.project))
                with site.switch.esl() as esl:
                    dumps = [esl.api(f"uuid_dump {leg['uuid']} json") for leg in call["legs"]]
                    esl.api(f"uuid_kill {call['uuid']}")
                assert phone.wait_answered()
                site.wait_idle()
            held[layout] = [_steady(json.loads(text)) for text in dumps]
    for sharded, files in zip(held["sharded"], held["files"], strict=True):
        assert set(sharded.items()) ^ set(files.items()) == set()


def _steady(dump: dict[str, str]) -> dict[str, str]:
    """Return every name, and the values that are the same for two calls in a row.

    Left out is what mod_sofia sets once it has told the caller who answered, sooner or later.
    """
    same = ("Caller-Context", "Caller-Destination-Number", "Caller-Dialplan", "Caller-Caller-ID")
    names = ("context", "destination", "sip_to_user", "sip_req_user", "fsgitops", "force_transfer")
    return {
        name: value if name.startswith(same) or any(word in name for word in names) else ""
        for name, value in dump.items()
        if not name.startswith("variable_last_sent_callee_id")
    }


def test_who_is_deleted_in_a_file_of_several_is_reached_no_more(site: Site) -> None:
    more = "  - {extension: 1021, name: Bob}\n"
    site.project.write("desired/agents.yaml", AGENTS + more)
    did = "  - {did_number: +19495431334, destination_extension: 1021}\n"
    site.project.write("desired/routes.yaml", ROUTES + did)
    site.apply()
    with site.phone("1021") as phone:
        phone.answer()
        site.call("19495431334")
        assert phone.wait_answered()
        site.wait_idle()
        site.project.write("desired/agents.yaml", AGENTS)
        site.project.write("desired/routes.yaml", ROUTES)
        ran = site.apply("--allow", "deletes", "--allow", "registration")
        assert "Registrations ended: 1" in ran.out
        assert "1021" not in site.project.run("registrations").out
        assert site.cause_of("19495431334") == "480"
    with site.phone("1020") as phone:
        phone.answer()
        site.call("19495431333")
        assert phone.wait_answered()


def test_an_agent_of_the_stock_groups_file_is_not_lost_where_groups_are_added(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look-ups go on through all groups, and the read-back asks for each context and domain."""
    asked: list[str] = []
    ask: Callable[..., bytes] = EslSession.api_bytes

    def note(self: EslSession, command: str, **rest: float | None) -> bytes:
        asked.append(command)
        return ask(self, command, **rest)

    monkeypatch.setattr(EslSession, "api_bytes", note)
    assert site.project.run("drift").code == 0
    assert "xml_locate dialplan context name fsgitops_dids_194954313" in asked
    with site.switch.esl() as esl:
        for user in ("1000", "1019", "1020", "999998"):
            assert esl.api(f"user_exists id {user} {site.switch.domain}") == "true"
