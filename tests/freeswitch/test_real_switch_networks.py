"""Agents whose networks call without a password, on a real FreeSWITCH."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from project import Project
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch


def test_an_acl_takes_an_agents_network_in_and_lets_go_of_it(
    on_real_switch: Project, freeswitch: RealSwitch
) -> None:
    (on_real_switch.root / "desired/routes.yaml").unlink()
    with freeswitch.esl() as esl:
        for cidr, inside in (("[198.51.100.7]", "true"), ("[]", "false")):
            agent = f"{{extension: 1020, name: Lift, cidr: {cidr}}}"
            on_real_switch.write("desired/agents.yaml", f"agents:\n  - {agent}\n")
            ran = on_real_switch.run("apply", "--yes")
            assert (ran.code, "reloadacl" in ran.out) == (0, True), ran.err
            assert esl.api("acl 198.51.100.7 domains") == inside
            assert esl.api("acl 198.51.100.8 domains") == "false"
