"""A real FreeSWITCH takes the secrets of every kind of source, and the doctor knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from project import Project
from real_switch import RealSwitch
from secret_sources import EXTENSIONS, KINDS, Planted, plant_secrets
from sip_phone import CallFailedError, SipPhone, require_sipp

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.freeswitch


@pytest.fixture
def real(on_real_switch: Project, freeswitch: RealSwitch) -> Project:
    """A project with the real switch as its target, its password in a file."""
    settings = freeswitch.settings(password="{file: outside/esl}")
    on_real_switch.write("fsgitops.yaml", settings)
    on_real_switch.write("outside/esl", freeswitch.esl_password).chmod(0o600)
    return on_real_switch


@pytest.fixture
def planted(real: Project, monkeypatch: pytest.MonkeyPatch) -> Planted:
    # The words of sipp's authentication keyword end at a blank.
    return plant_secrets(real, monkeypatch, "Pw+{kind}/7")


def phone_of(project: Project, switch: RealSwitch, kind: str, work_dir: Path) -> SipPhone:
    require_sipp()
    shown = project.run("credentials", EXTENSIONS[kind], "--reveal", "--json").json()
    return SipPhone(switch, work_dir / kind, shown["username"], shown["password"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_registers_with_a_password_of_each_kind(
    real: Project, planted: Planted, freeswitch: RealSwitch, tmp_path: Path, kind: str
) -> None:
    ran = real.run("apply", "--yes")
    assert ran.code == 0, ran.err
    phone_of(real, freeswitch, kind, tmp_path).register()


def test_a_wrong_password_registers_nobody(
    real: Project, planted: Planted, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    real.run("apply", "--yes")
    phone = SipPhone(freeswitch, tmp_path, EXTENSIONS["env"], planted.passwords["file"])
    with pytest.raises(CallFailedError):
        phone.register()


def test_a_moved_group_registers_with_the_next_key_s_password_and_no_longer_with_the_former(
    real: Project, freeswitch: RealSwitch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real.write(
        "desired/agents.yaml",
        "agents:\n"
        "  - {extension: 2100, name: A, groups: [sales]}\n"
        "  - {extension: 2101, name: B, groups: [support]}\n",
    )
    (real.root / "desired/routes.yaml").unlink(missing_ok=True)
    assert real.run("apply", "--yes").code == 0
    former = phone_of(real, freeswitch, "derived", tmp_path / "former")
    assert real.run("key", "rotate", "--start", "--groups", "sales").code == 0
    ran = real.run("apply", "--yes")
    assert ran.code == 0, ran.err
    phone_of(real, freeswitch, "derived", tmp_path / "moved").register()
    phone_of(real, freeswitch, "env", tmp_path / "unmoved").register()
    with pytest.raises(CallFailedError):
        former.register()


def test_the_doctor_finds_the_real_switch_in_order(
    real: Project, planted: Planted, freeswitch: RealSwitch
) -> None:
    """But for the stock gateway `example.com`, whose password everybody may read as it comes."""
    for path in freeswitch.conf_dir.glob("directory/default/example.com.xml"):
        path.chmod(0o640)
    assert real.run("apply", "--yes").code == 0
    checks = real.run("doctor", "--json").json()["checks"]
    health = {check["name"]: check["health"] for check in checks}
    wrong = [check for check in checks if check["health"] == "error"]
    assert wrong == []
    for name in ("esl", "modules", "includes", "effective", "domain", "profile", "esl-password"):
        assert health[name] == "ok", checks


def test_the_doctor_finds_the_process_that_reads_the_conf_directory(
    real: Project, planted: Planted
) -> None:
    assert real.run("apply", "--yes").code == 0
    checks = real.run("doctor", "--json").json()["checks"]
    [check] = [check for check in checks if check["name"] == "switch-user"]
    assert "FreeSWITCH" in check["message"]
    assert check["health"] in ("ok", "warning")
