"""Every example in README and docs does what its page says.

`UPDATE_DOCS=1 pytest tests/test_docs.py` writes what the commands print now into the pages; read
the difference before it is committed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml
from doc_pages import Page, Step, agrees, commands_of, read_page
from project import KEY

from fsgitops.cli import run
from fsgitops.sandbox import EmbeddedSwitch
from fsgitops.settings.shapes import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOMAIN = "pbx.example.com"

NOT_RUN = {
    "operations.md": "phones and a carrier: tests/freeswitch/ plays them",
    "api.md": "a server and curl: tests/api/ runs each endpoint",
}
"""Pages whose examples need what no test of a page has, and what runs them instead."""


class Typist(io.StringIO):
    """Somebody at a terminal who says yes, and sees what he types."""

    def isatty(self) -> bool:
        return True

    def readline(self, _size: int | None = -1) -> str:  # type: ignore[override]
        print("y")
        return "y\n"


@dataclass
class Reader:
    """Somebody who follows a page: a project, and the switch that its target `prod` names."""

    root: Path
    prod: Path
    switch: EmbeddedSwitch

    def follow(self, step: Step) -> str:
        if step.verb == "run":
            return self.run(shlex.split(step.text), step.user)
        getattr(self, step.verb)(step.text)
        return ""

    def run(self, words: list[str], user: str = "") -> str:
        assert words[0] == "fsgitops"
        said = io.StringIO()
        if user:
            os.environ["LOGNAME"] = user
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run(["-C", str(self.root), *words[1:]])
        if words[1] == "init":
            self.name_prod()
        text = said.getvalue().replace(str(self.prod), "/etc/freeswitch")
        text = text.replace(f"{self.root}/", "").replace(str(self.root), "")
        return text + (f"(exit code {code})\n" if code else "")

    def name_prod(self) -> None:
        """Let the example's target `prod` be the switch of this test."""
        settings, (host, port) = self.root / "fsgitops.yaml", self.switch.address
        text = settings.read_text().replace("/etc/freeswitch", str(self.prod))
        settings.write_text(text.replace("127.0.0.1", host).replace("8021", str(port)))

    def edit(self, text: str) -> None:
        name, change = text.split(" ", 1)
        _, before, after, _ = change.replace("\\n", "\n").split(change[0])
        found = self.place(name).read_text()
        assert before in found, f"{name}: nothing to edit"
        self.place(name).write_text(found.replace(before, after))

    def place(self, name: str) -> Path:
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

    def register(self, extension: str) -> None:
        self.switch.add_registration(extension, DOMAIN)

    def empty(self, _: str) -> None:
        for path in self.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def write(self, body: str) -> None:
        files = re.split(r"^# (\S+\.ya?ml)\n", body, flags=re.MULTILINE)[1:]
        for name, text in zip(files[::2], files[1::2], strict=True):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, _: str) -> None:
        git = ["git", "-C", str(self.root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
        for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "x"]):
            subprocess.run([*git, *words], check=True)


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    for name in list(os.environ):
        if name.startswith(("FSGITOPS_", "FS_", "DEFAULT_CALLER_", "COLUMNS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FSGITOPS_KEY", KEY)
    prod, root = tmp_path / "freeswitch", tmp_path / "pbx"
    shutil.copytree(ROOT / "tests" / "switch_conf", prod)
    for path in prod.rglob("*.xml"):
        path.chmod(0o640)
    variables = prod / "vars.xml"
    variables.write_text(re.sub(r'(data="domain=)[^"]*', rf"\g<1>{DOMAIN}", variables.read_text()))
    root.mkdir()
    switch = EmbeddedSwitch(prod, "a password for a page")
    switch.start()
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "a password for a page")
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.setattr("sys.stdin", Typist())
    monkeypatch.chdir(root)
    reader = Reader(root, prod, switch)
    reader.run(["fsgitops", "init"])
    yield reader
    switch.stop()


def with_examples() -> list[Path]:
    return [
        path for path in PAGES if any(step.expected is not None for step in read_page(path).steps)
    ]


@pytest.mark.parametrize("path", with_examples(), ids=lambda path: path.stem)
def test_the_examples_of_a_page_do_what_it_says(path: Path, reader: Reader) -> None:
    if path.name in NOT_RUN:
        pytest.skip(f"{path.name} is not run as a page: {NOT_RUN[path.name]}")
    page, wrong = read_page(path), []
    for step in page.steps:
        said = reader.follow(step)
        if step.expected is None:
            assert "(exit code" not in said, f"{path.name}:{step.line}: {step.text}\n{said}"
            continue
        lines = [line.rstrip() for line in said.rstrip("\n").split("\n")] if said else []
        if not agrees(step.expected, lines):
            wrong.append((step, said))
    if wrong and os.environ.get("UPDATE_DOCS"):
        update(page, wrong)
    told = "\n\n".join(f"{path.name}:{step.line}: $ {step.text}\n{said}" for step, said in wrong)
    assert not wrong, f"the page shows something else than this:\n{told}"


def update(page: Page, wrong: list[tuple[Step, str]]) -> None:
    text = page.path.read_text(encoding="utf-8")
    for step, said in wrong:
        prompt = f"{step.user}$ {step.text}"
        shown = "\n".join([prompt, *(step.expected or [])])
        lines = [line.rstrip() for line in said.rstrip("\n").split("\n")]
        text = text.replace(shown, "\n".join([prompt, *lines]), 1)
    page.path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_commands_that_a_page_names_take_the_options_that_it_gives(path: Path) -> None:
    page, wrong = read_page(path), []
    for step in page.shells:
        for words in commands_of(step.text):
            problem = judge(words)
            if problem:
                wrong.append(f"{path.name}:{step.line}: {' '.join(words)}: {problem}")
    assert not wrong, "\n".join(wrong)


def judge(words: list[str]) -> str:
    """Return why a command line can be no command line of ours, or ""."""
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words or words[0] not in ("fsgitops", "fsgitops-cdr"):
        return ""
    command: click.Command
    if words[0] == "fsgitops":
        from fsgitops.cli import cli as command
    else:
        from fsgitops.cdr.cli import cli as command
    context: click.Context | None = None
    rest = words[1:]
    try:
        while True:
            context = command.make_context(command.name or words[0], list(rest), parent=context)
            if not isinstance(command, click.Group):
                return ""
            left = [*context._protected_args, *context.args]
            if not left:
                return ""
            _, found, rest = command.resolve_command(context, left)
            assert found is not None
            command = found
    except click.exceptions.Exit:
        return ""
    except click.NoSuchOption as problem:
        return problem.format_message()
    except click.BadParameter:
        return ""  # such as a file that is not there: the options are what is looked at
    except click.UsageError as problem:
        return problem.format_message()


def yaml_blocks() -> list[tuple[str, str]]:
    """The YAML that pages show, file by file, with where it stands."""
    return [
        (f"{path.name}:{text.count(chr(10), 0, match.start()) + 1}", part)
        for path in PAGES
        for text in [path.read_text(encoding="utf-8")]
        for match in re.finditer(r"^```yaml\n(?P<body>.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for part in re.split(r"^# \S+\.ya?ml\n", match["body"], flags=re.MULTILINE)
        if part.strip()
    ]


def is_settings(data: dict[str, Any]) -> bool:
    names = {field.alias or name for name, field in Settings.model_fields.items()}
    return data.keys() <= names and not isinstance(data.get("rules"), list)


OF_A_PART = {"unknown-destination", "caller-id-not-owned", "unassigned-number"}
"""What a page's lines break only because the rest of the project is not shown beside them."""


@pytest.mark.parametrize(
    ("where", "body"), yaml_blocks(), ids=lambda item: item[:20].split("\n")[0]
)
def test_the_yaml_of_a_page_is_valid(where: str, body: str, reader: Reader) -> None:
    body = body.replace("age1…, age1…", "").replace("age1…", "")
    data = yaml.safe_load(body)
    if not isinstance(data, dict) or "…" in body:
        return  # a part of a workflow, or one that says that it is cut
    name = ""
    if data.keys() & {"agents", "did_routes"}:
        name = "desired/a.yaml"
        for path in (reader.root / "desired").iterdir():
            path.unlink()
    elif is_settings(data):
        name = "fsgitops.yaml"
    if not name:
        return
    reader.file(f"{name}\n{body}")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        run(["-C", str(reader.root), "validate", "--json"])
    wrong = [
        f"{where}: {item['message']}"
        for item in json.loads(said.getvalue())["findings"]
        if (item["severity"], item["file"]) == ("error", name) and item["rule"] not in OF_A_PART
        if "which is required" not in item["message"]
    ]
    assert not wrong, wrong
