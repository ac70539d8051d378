"""Variables that agents may declare: known harmless ones, and the site's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from builders import desired, noun
from hypothesis import given
from hypothesis import strategies as st
from switch_names import gather

from fsgitops.kinds import BUILT_IN
from fsgitops.kinds.agent.rules import check_variable_names, check_variables
from fsgitops.model.switch_names import FAMILIES, READ
from fsgitops.model.variables import LISTED, PREFIX, judge_variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.rule import Breach


def breaches(check: Any, variables: dict[str, str], *own: str) -> list[Breach]:
    agent = noun("agent", extension="1020", name="Ann", variables=variables)
    names = frozenset(name.lower() for name in own)
    found: Iterator[Breach] = check(desired(agent, own_variables=names), BUILT_IN)
    return list(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sip_h_X-Site", "Berlin 7"), ("hold_music", "$${hold_music}"), ("site_x", "anything: 'x'"),
        ("Hold_Music", "local_stream://moh/8000"), ("ringback", "%(2000,4000,440.0,480.0)"),
        ("absolute_codec_string", "OPUS,PCMU@20i"), ("timezone", "America/Argentina/Ushuaia"),
        ("call_timeout", "30"), ("RECORD_STEREO", "true"), ("numbering_plan", "US"),
        ("site_page", "https://crm.example.com/1020"),
    ],
)  # fmt: skip
def test_a_harmless_variable_passes(name: str, value: str) -> None:
    assert (
        breaches(check_variable_names, {name: value}) + breaches(check_variables, {name: value})
        == []
    )


INLINE = "'system:touch /tmp/x' inline"


@pytest.mark.parametrize(
    "name",
    [
        # Each is read by FreeSWITCH or a module, and runs, dials, charges or hides something.
        "vm_operator_extension", "execute_on_answer", "EXECUTE_ON_ANSWER_2", "api_on_ring",
        "sip_execute_on_image", "opal_api_on_t38", "api_before_bridge", "api_after_bridge_1",
        "api_hangup_hook", "api_reporting_hook", "session_in_hangup_hook", "exec_after_bridge_app",
        "bridge_pre_execute_bleg_app", "record_post_process_exec_api", "transfer_after_bridge",
        "transfer_on_fail", "inbound_dialplan", "loopback_app", "hold_hangup_xfer_exten",
        "_nolocal_api_hangup_hook", "mutex_orbit_exten", "fifo_orbit_exten",
        "campon_fallback_exten",
        "default_gateway", "default_areacode", "nibble_account", "export_vars", "process_cdr",
        "sip_redirect_dialplan", "force_transfer_context", "sip_h_Diversion",
        "sip_h_X-FS-Support",
        "sip-force-user", "bypass_media", "system_on_fax_success", "x",
    ],
)  # fmt: skip
def test_a_variable_that_freeswitch_reads_is_refused_unless_it_is_harmless(name: str) -> None:
    for own in ((), (name,)):
        [breach] = breaches(check_variables, {name: INLINE}, *own)
        assert (breach.path, breach.key) == (("variables", name), True)
        assert "dialplan" in breach.hint
        assert "site_" in breach.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hold_music", "Shell_Stream://x"), ("hold_music", "system::touch /tmp/x"),
        ("hold_music", "../recordings/a.wav"), ("hold_music", "/etc/a.wav"),
        ("ringback", "a b.wav"),
        ("call_timeout", "30'"), ("dtmf_type", "x"), ("site_x", "shell_stream://x"),
        ("site_x", "a,Vlc://x"), ("sip_h_X-Site", "a\\b"), ("codec_string", "^^:a"),
        ("sip_h_X-Site", "$${default_password}"), ("fax_ident", "a::b"),
    ],
)  # fmt: skip
def test_a_value_of_another_shape_is_found(name: str, value: str) -> None:
    [breach] = breaches(check_variables, {name: value})
    assert (breach.path, breach.key) == (("variables", name), False)
    assert breach.hint


def test_a_name_of_the_sites_own_is_declared_or_has_the_prefix() -> None:
    variables = {"Department": "sales"}
    [breach] = breaches(check_variables, variables)
    assert "`site_Department`" in breach.hint
    assert "`variables: {allow: [Department]}`" in breach.hint
    assert breaches(check_variables, variables, "department") == []


def test_a_misspelt_variable_is_found_with_the_right_name() -> None:
    [breach] = breaches(check_variables, {"hold_musik": "local_stream://moh"})
    assert breach.hint.startswith("Did you mean `hold_music`?")


@given(st.sampled_from(sorted(LISTED)), st.text(max_size=40))
def test_no_value_that_passes_holds_what_freeswitch_acts_on(name: str, value: str) -> None:
    if judge_variable(name, value, ()) is None and not value.startswith("$${"):
        assert not set(value) & set("'\"`$|<>{}[]\\^\n\0")
        assert "::" not in value
        assert ".." not in value or LISTED[name].words.startswith("plain text")


def test_no_name_with_the_sites_prefix_is_read_by_freeswitch() -> None:
    assert not [name for name in READ if name.startswith(PREFIX)]
    assert PREFIX.rstrip("_") not in FAMILIES


def test_the_names_are_those_of_the_source() -> None:
    source = os.environ.get("FSGITOPS_TEST_FREESWITCH_SOURCE")
    if not source:
        pytest.skip("FSGITOPS_TEST_FREESWITCH_SOURCE does not name FreeSWITCH's source")
    assert gather(Path(source)) == READ


def test_the_documentation_lists_every_harmless_variable() -> None:
    text = (Path(__file__).parents[3] / "docs" / "variables.md").read_text().lower()
    assert [name for name in LISTED if f"`{name}`" not in text] == []
