"""Every example in README and docs does what its page says.

`UPDATE_DOCS=1 pytest tests/docs/test_docs.py` writes what the commands print now into the pages;
read the difference before it is committed. What a page shows a part of (`shows`, and JSON) stays as
it is: mend it by hand.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml
from doc_pages import Block, Page, Step, commands_of, compare, is_excerpt, read_page
from doc_reader import DOMAIN, ROOT, Reader, Typist
from project import KEY

from fsgitops.cli import run
from fsgitops.sandbox.switch import EmbeddedSwitch
from fsgitops.settings.shapes import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PASSWORD = "a password for a page"


def type_unseen(prompt: str) -> str:
    """Type a password, of which nothing is seen."""
    print(prompt)
    return "a password"


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
    root.mkdir()
    switch = EmbeddedSwitch(prod, PASSWORD)
    reader = Reader(root, prod, switch)
    reader.domain(DOMAIN)
    switch.start()
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", PASSWORD)
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.setattr("sys.stdin", Typist())
    monkeypatch.setattr("click.termui.hidden_prompt_func", type_unseen)
    monkeypatch.chdir(root)
    for folder in (root, ROOT / "tests" / "cdr"):
        monkeypatch.syspath_prepend(folder)
    reader.run(["fsgitops", "init"])
    with reader.ends:
        yield reader
    switch.stop()


@pytest.mark.parametrize(
    "path", [path for path in PAGES if read_page(path).steps], ids=lambda path: path.stem
)
def test_the_examples_of_a_page_do_what_it_says(path: Path, reader: Reader) -> None:
    page, wrong = read_page(path), []
    for step in page.steps:
        said = reader.follow(step)
        if step.expected is None:
            went = f"{path.name}:{step.line}: {step.text}\n{said}"
            assert ("(exit code" in said) == (step.verb == "fails"), went
        elif not compare(step, said):
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
    named = [
        (block.line, words)
        for block in read_page(path).blocks
        if block.kind == "sh"
        for words in commands_of(block.body)
    ]
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"`(fsgitops(?:-cdr)? -?\w[^`]*)`", text):
        named.append((text.count("\n", 0, match.start()) + 1, shlex.split(match[1])))
    wrong = [
        f"{path.name}:{line}: {' '.join(words)}: {problem}"
        for line, words in named
        if (problem := judge(words))
    ]
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
        from fsgitops.cli.cdr import cli as command
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


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_what_a_page_shows_of_a_file_stands_in_it(path: Path) -> None:
    wrong = [
        f"{path.name}:{block.line}: {block.why}"
        for block in read_page(path).blocks
        if block.verb == "from"
        if not is_excerpt(block.body, (ROOT / block.why).read_text(encoding="utf-8"))
    ]
    assert not wrong, "\n".join(["the file says something else:", *wrong])


def yaml_blocks() -> list[tuple[str, str]]:
    """The YAML that pages show, file by file, with where it stands."""
    return [
        (f"{path.name}:{block.line}", part)
        for path in PAGES
        for block in read_page(path).blocks
        if block.kind == "yaml" and block.verb not in ("skip", "shows", "from")
        for part in re.split(r"^# \S+\.ya?ml\n", block.body, flags=re.MULTILINE)
        if part.strip()
    ]


def is_settings(data: dict[str, Any]) -> bool:
    names = {field.alias or name for name, field in Settings.model_fields.items()}
    return data.keys() <= names and not isinstance(data.get("rules"), list)


OF_A_PART = {
    "unknown-destination",
    "unknown-goal",
    "caller-id-not-owned",
    "unassigned-number",
    "own-kind",
}
"""What a page's lines break only because the rest of the project is not shown beside them."""


@pytest.mark.parametrize(
    ("where", "body"), yaml_blocks(), ids=lambda item: item[:20].split("\n")[0]
)
def test_the_yaml_of_a_page_is_valid(where: str, body: str, reader: Reader) -> None:
    body = body.replace("age1…, age1…", "").replace("age1…", "")
    body = re.sub(r"\{age: \w+\+…\}", "{env: PASSWORD}", body)  # a page cuts what is long
    data = yaml.safe_load(body)
    name = "policy/a.yaml"
    if data.keys() & {"agents", "did_routes", "tests"}:
        name = "desired/a.yaml"
        shutil.rmtree(reader.root / "desired")
    elif is_settings(data):
        name = "fsgitops.yaml"
    (reader.root / "templates").mkdir()
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


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_block_of_a_page_is_run_or_compared_or_says_why_not(path: Path) -> None:
    wrong = [
        f"{path.name}:{block.line}: {block.body.splitlines()[0]}"
        for block in read_page(path).blocks
        if not is_judged(block)
    ]
    assert not wrong, "\n".join(["what proves these?", *wrong])


def is_judged(block: Block) -> bool:
    if block.verb == "skip":
        named = re.findall(r"tests/[\w/]+\.py", block.why)
        return len(block.why.split()) > 2 and all((ROOT / name).exists() for name in named)
    named = block.kind == "sh" and any(
        word in ("fsgitops", "fsgitops-cdr") for words in commands_of(block.body) for word in words
    )
    return bool(block.verb) or block.is_example or block.kind == "yaml" or named
