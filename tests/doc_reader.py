"""Somebody who follows a page of the docs, on a project and an embedded switch of his own."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doc_pages import commands_of, learn_names

from fsgitops.cli import run
from fsgitops.sandbox.loaded import OWN_GATEWAY

if TYPE_CHECKING:
    from doc_pages import Step

    from fsgitops.sandbox.switch import EmbeddedSwitch

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = "pbx.example.com"
GATEWAY = """\
<include>
  <gateway name="{0}">
    <param name="username" value="acme"/>
    <param name="proxy" value="{0}.example"/>
    <param name="register" value="false"/>
  </gateway>
</include>
"""
SERVERS = {"run", "api", "sandbox", "tail"}
"""Commands that go on until somebody stops them."""
UNANSWERED = {
    "Hangup-Cause": "NO_ANSWER", "variable_hangup_cause": "NO_ANSWER", "variable_billsec": "0",
    "variable_answer_uepoch": "0", "variable_bridge_uepoch": "0", "variable_duration": "30",
}  # fmt: skip


class Typist(io.StringIO):
    """Somebody at a terminal who says yes, and sees what he types."""

    def isatty(self) -> bool:
        return True

    def readline(self, _size: int | None = -1) -> str:  # type: ignore[override]
        print("y")
        return "y\n"


@dataclass
class Reader:
    """A project, and the switch that its target `prod` names."""

    root: Path
    prod: Path
    switch: EmbeddedSwitch
    sip_domain: str = DOMAIN
    names: dict[str, str] = field(default_factory=dict)
    """The uuids and ids of the page, and those of this run."""
    more: list[str] = field(default_factory=list)
    place_of_api: str = ""
    ends: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def follow(self, step: Step) -> str:
        """Do what a step says; return what a command said, with its exit code if it is not 0."""
        if step.verb in ("run", "shows", "fails"):
            text = step.text
            for shown, real in self.names.items():
                text = text.replace(shown, real)
            aside = step.kind == "json"
            said = self.run(shlex.split(text, comments=True), step.user, aside=aside)
            self.names.update(learn_names(step, said))
            return said
        return getattr(self, step.verb)(step.text) or ""

    def run(self, words: list[str], user: str = "", *, aside: bool = False) -> str:
        """Run a command; `aside`: what it says on stderr is for somebody else."""
        if words[0] == "curl":
            return self.curl(words[1:])
        if words[0] == "cat":
            text = self.place(words[1]).read_text(encoding="utf-8")
            return text.replace(str(self.prod), "/etc/freeswitch")
        raw = io.BytesIO()
        said = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
        if user:
            os.environ["LOGNAME"] = user
        errors = io.StringIO() if aside else said
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
            code = self.invoke(words)
        if words[1] == "init":
            self.name_prod(self.root.joinpath(*words[2:3]) / "fsgitops.yaml")
        text = raw.getvalue().decode().replace(str(self.prod), "/etc/freeswitch")
        text = text.replace(
            f", {OWN_GATEWAY.name})", ")"
        )  # no page is about the embedded switch's own
        text = text.replace(f"{self.root}/", "").replace(str(self.root), "")
        return text + (f"(exit code {code})\n" if code else "")

    def invoke(self, words: list[str]) -> int:
        place = ["-C", str(self.root)]
        words = [str(self.prod) if word == "/etc/freeswitch" else word for word in words]
        if words[0] == "fsgitops-cdr":
            from fsgitops.cli.cdr import invoke

            return invoke([*place, *words[1:]])
        assert words[0] == "fsgitops", words
        more = [] if {"--target", "token", "init"} & set(words) else self.more
        return run([*place, *words[1:], *more])

    def line(self, text: str) -> str:
        """Run a line of a shell block; what is no command of ours is left out."""
        said, given = "", re.search(r" < (\S+)", text)
        if given:
            with (self.root / given[1]).open() as file, pytest.MonkeyPatch.context() as patch:
                patch.setattr("sys.stdin", file)
                return self.line(text.replace(given[0], ""))
        for words in commands_of(text):
            if words[0] == "cd":
                self.root = self.root / words[1]
            elif words[0] in ("fsgitops", "fsgitops-cdr") and words[1] not in SERVERS:
                said += self.run(words)
        return said

    def curl(self, words: list[str]) -> str:
        parser = argparse.ArgumentParser()
        parser.add_argument("url")
        parser.add_argument("-X", dest="method", default="GET")
        parser.add_argument("-H", dest="headers", action="append", default=[])
        parser.add_argument("-d", dest="body")
        told = parser.parse_args(words)
        assert told.url.startswith("http://localhost:3000/"), told.url
        request = urllib.request.Request(
            told.url.replace("http://localhost:3000", self.place_of_api),
            told.body.encode() if told.body else None,
            dict(header.split(": ", 1) for header in told.headers),
            method=told.method,
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as refused:
            return refused.read().decode()

    def name_prod(self, settings: Path) -> None:
        """Let the example's target `prod` be the switch of this test."""
        if not settings.exists():
            return
        host, port = self.switch.address
        text = settings.read_text().replace("/etc/freeswitch", str(self.prod))
        settings.write_text(text.replace("127.0.0.1", host).replace("8021", str(port)))

    def edit(self, text: str) -> None:
        name, change = text.split(" ", 1)
        _, before, after, _ = change.replace("\\n", "\n").split(change[0])
        found = self.place(name).read_text()
        assert before in found, f"{name}: nothing to edit"
        self.place(name).write_text(found.replace(before, after))

    def place(self, name: str) -> Path:
        if name.startswith("/etc/freeswitch/"):
            return self.prod / name.removeprefix("/etc/freeswitch/")
        on_switch = name.startswith(("directory/", "dialplan/"))
        return (self.prod if on_switch else self.root) / name

    def file(self, text: str) -> None:
        name, body = text.split("\n", 1)
        self.place(name).parent.mkdir(parents=True, exist_ok=True)
        self.place(name).write_text(body)

    def remove(self, name: str) -> None:
        self.place(name).unlink()

    def agents(self, text: str) -> None:
        first, last = map(int, text.split())
        lines = [
            f"  - {{extension: {number}, name: Agent {number}}}" for number in range(first, last)
        ]
        self.file("desired/more.yaml\n" + "\n".join(["agents:", *lines]) + "\n")

    def register(self, text: str) -> None:
        extension, port, agent, *_ = [*text.split(" ", 2), "", ""]
        self.switch.add_registration(
            extension,
            self.sip_domain,
            network_port=int(port or 5070),
            agent=agent or "sandbox phone",
        )

    def target(self, name: str) -> None:
        self.more = ["--target", name]
        self.name_prod(self.root / "fsgitops.yaml")

    def refuse(self, text: str) -> None:
        self.switch.refuse(*text.split())

    def call(self, text: str) -> None:
        uuid, caller, did, extension = text.split()
        self.names[uuid] = self.switch.add_call(did, extension, self.sip_domain, caller)[0]

    def domain(self, name: str) -> None:
        variables = self.prod / "vars.xml"
        text = variables.read_text()
        variables.write_text(re.sub(r'(data="domain=)[^"]*', rf"\g<1>{name}", text))
        self.sip_domain = name

    def tell_switch(self, command: str) -> None:
        from scripted_esl import connect_switch

        host, port = self.switch.address
        with connect_switch(host, port, os.environ["FSGITOPS_ESL_PASSWORD"]) as switch:
            switch.session.api_many([command])

    def gateway(self, name: str) -> None:
        place = self.prod / "sip_profiles" / "external" / "carrier.xml"
        place.unlink(missing_ok=True)
        self.tell_switch("sofia profile external killgw _all_")
        self.tell_switch("sofia xmlstatus gateway")  # listed once more, then gone
        if name:
            place.write_text(GATEWAY.format(name))
        self.tell_switch("sofia profile external rescan")

    def api(self, scopes: str) -> None:
        from served_api import listening

        from fsgitops.api.serve import build_service
        from fsgitops.live.connect import hold_target
        from fsgitops.workspace.open import open_workspace

        workspace = open_workspace(self.root, "prod")
        connect = self.ends.enter_context(hold_target(workspace.target, workspace.root))
        service = build_service(workspace, connect, anonymous=scopes.split())
        port = self.ends.enter_context(listening(service))
        self.place_of_api = f"http://localhost:{port}"

    def records(self, count: str) -> None:
        """Let the sidecar have kept so many legs, seven minutes apart; nobody answered the last."""
        from lakes import flush_all, make_row
        from replay_switch import load_templates

        from fsgitops.cdr.lake import open_lake
        from fsgitops.cdr.spool import Spool

        templates, last = load_templates(None), int(count)
        start = 1_795_420_800_000_000  # 2026-11-23 08:00 UTC, in microseconds
        spool, lake = Spool(self.root / "spool"), open_lake(str(self.root / "lake"), create=True)
        rows = [
            make_row(templates, number, start_us=start + number * 420_000_000)
            for number in range(1, last)
        ]
        rows.append(make_row(templates, last, start_us=start + last * 420_000_000, **UNANSWERED))
        spool.add(rows)
        flush_all(spool, lake)

    def empty(self, _: str) -> None:
        for path in self.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def write(self, text: str) -> None:
        name, body = text.split("\n", 1)
        parts = re.split(r"^# (\S+\.(?:ya?ml|py))\n", body, flags=re.MULTILINE)[1:]
        for path, part in [(name, body)] if name else zip(parts[::2], parts[1::2], strict=True):
            self.file(f"{path}\n{part}")

    def unset(self, name: str) -> None:
        os.environ.pop(name, None)

    def commit(self, _: str) -> None:
        git = ["git", "-C", str(self.root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
        for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "x"]):
            subprocess.run([*git, *words], check=True)
