"""The subjects of the contract: the embedded switch, and a real FreeSWITCH where there is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from fresh_switch import run_freeswitch
from plain_esl import PlainEsl

from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from real_switch import RealSwitch


@dataclass
class Subject:
    """One switch under contract: its conf directory and an open ESL connection."""

    conf_dir: Path
    domain: str
    host: str
    port: int
    password: str
    esl: PlainEsl
    fsxml: Path | None = None
    written: list[Path] = field(default_factory=list)

    def api(self, line: str) -> str:
        return self.esl.api(line)

    def write(self, path: str, text: str | bytes) -> Path:
        target = self.conf_dir / path
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        self.written.append(target)
        return target

    def write_user(self, extension: str, params: str = "", variables: str = "") -> Path:
        return self.write(
            f"directory/default/{extension}.xml",
            f'<include>\n<user id="{extension}">\n<params>\n{params}\n</params>\n'
            f"<variables>\n{variables}\n</variables>\n</user>\n</include>\n",
        )

    def reload(self) -> str:
        return self.api("reloadxml")

    def user_data(self, extension: str, kind: str, name: str) -> str:
        return self.api(f"user_data {extension}@{self.domain} {kind} {name}")

    def variables(self) -> dict[str, str]:
        lines = self.api("global_getvar").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def clean(self) -> None:
        for path in self.written:
            path.unlink(missing_ok=True)
        self.written.clear()


def open_subject(conf_dir: Path, domain: str, host: str, port: int, password: str) -> Subject:
    return Subject(conf_dir, domain, host, port, password, PlainEsl.open(host, port, password))


@pytest.fixture(scope="session")
def freeswitch(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    """A FreeSWITCH for the contract alone: what it lists must be what these tests did."""
    template = shared / "freeswitch-conf" / "vanilla"
    yield from run_freeswitch(tmp_path_factory.mktemp("contract-freeswitch"), template)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    conf_dir = tmp_path_factory.mktemp("sandbox") / "conf"
    write_skeleton(conf_dir, "sandbox.example")
    with EmbeddedSwitch(conf_dir, "a password") as switch:
        host, port = switch.address
        subject = open_subject(conf_dir, "sandbox.example", host, port, "a password")
        yield subject
        subject.esl.close()


@pytest.fixture(scope="session")
def real(freeswitch: RealSwitch) -> Iterator[Subject]:
    subject = open_subject(
        freeswitch.conf_dir,
        freeswitch.domain,
        freeswitch.esl_host,
        freeswitch.esl_port,
        freeswitch.esl_password,
    )
    subject.fsxml = freeswitch.log_dir / "freeswitch.xml.fsxml"
    yield subject
    subject.esl.close()


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.freeswitch)])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """A switch whose conf directory is as it was before, once the test is over."""
    chosen: Subject = request.getfixturevalue(request.param)
    yield chosen
    chosen.clean()
    assert chosen.reload() == "+OK [Success]\n"
