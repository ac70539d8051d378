"""Where things are: from the command line, else from `fsgitops.yaml`; the options that say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fsgitops.cdr.options import RunOptions
from fsgitops.cli.options import TARGET
from fsgitops.console.commands import Common, with_directory
from fsgitops.errors import FsgitopsError, UsageError
from fsgitops.phone import USUAL_LENGTHS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsgitops.cdr.lake import Lake
    from fsgitops.cdr.query import Source
    from fsgitops.esl.session import EslSession
    from fsgitops.phone import Lengths
    from fsgitops.workspace.open import Workspace


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[IPv6]:port`. Raises UsageError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"`{text}`: expected HOST:PORT, such as 127.0.0.1:8090")
    return host.strip("[]"), int(port)


def parse_date(_context: object, _parameter: object, text: str) -> str:
    """Return a date as the lake writes it, for click. '' stays ''. Raises UsageError."""
    try:
        return date.fromisoformat(text).isoformat() if text else text
    except ValueError:
        raise UsageError(f"`{text}`: expected a date, such as 2026-11-23") from None


@dataclass(frozen=True)
class Place:
    """One project directory, and what the command line chose. Settings are read when needed."""

    root: Path
    choices: Mapping[str, Any]

    def with_choices(self, more: Mapping[str, Any]) -> Place:
        """Return the place with what stood after the command. Raises UsageError for none."""
        named = {name: value for name, value in more.items() if value}
        root = (self.root / named.pop("directory", "")).resolve()
        if not root.is_dir():
            raise UsageError(f"{root}: no such directory")
        return replace(self, root=root, choices={**self.choices, **named})

    @cached_property
    def project(self) -> Path:
        """The project's directory: this one, or the nearest above. Raises UsageError."""
        from fsgitops.settings.project import find_project

        return find_project(self.root) or self.root

    @cached_property
    def workspace(self) -> Workspace:
        """The project's settings and target. Raises as `open_workspace`."""
        from fsgitops.workspace.open import open_workspace

        return open_workspace(self.project, self.choices.get("target"))

    def _find(self, name: str) -> str | None:
        """Return a URL or an absolute path: what is declared starts at the project."""
        chosen: str | None = self.choices.get(name)
        found: str | None = chosen or getattr(self.workspace.settings.cdr, name)
        if not found or "://" in found:
            return found
        return str((self.root if chosen else self.project) / found)

    def _need(self, name: str) -> str:
        found = self._find(name)
        if not found:
            raise UsageError(f"no {name}: say --{name}, or `cdr: {{{name}: …}}` in fsgitops.yaml")
        return found

    def lake_url(self) -> str:
        """Return the lake's URL, or its absolute path. Raises UsageError when there is none."""
        return self._need("lake")

    def lake(self) -> Lake:
        """Open the lake. Raises UsageError, LakeError."""
        from fsgitops.cdr.lake import open_lake

        return open_lake(self.lake_url())

    def spool(self) -> Path | None:
        """Return the spool's directory, when there is one."""
        found = self._find("spool")
        return Path(found) if found else None

    def json_dir(self) -> Path | None:
        """Return mod_json_cdr's directory, when there is one."""
        found = self._find("json_dir")
        return Path(found) if found else None

    def source(self) -> Source:
        """Return where to read records."""
        from fsgitops.cdr.query import Source

        return Source(self.lake_url(), self.spool())

    def region(self) -> str | None:
        """Return the region whose national numbers are meant, where a project says one."""
        try:
            return self.workspace.settings.default_region
        except FsgitopsError:
            return None

    def lengths(self) -> Lengths:
        """Return how many digits extensions have."""
        try:
            return self.workspace.settings.extensions.lengths
        except FsgitopsError:
            return USUAL_LENGTHS

    def run_options(
        self, *, http: tuple[str, int] | None = None, remove_json: bool | None = None
    ) -> RunOptions:
        """Return how to run. Raises UsageError when lake or spool are missing."""
        settings = self.workspace.settings.cdr
        chosen: dict[str, Any] = {
            "lake": self.lake_url(),
            "spool": Path(self._need("spool")),
            "json_dir": self.json_dir(),
            "http": http or (parse_address(settings.http) if settings.http else None),
            "http_credential": self._credential(),
            "remove_json": settings.remove_json if remove_json is None else remove_json,
        }
        return RunOptions(**dict(settings) | chosen)

    def _credential(self) -> str | None:
        from fsgitops.workspace.open import make_fetcher

        settings = self.workspace.settings
        source = settings.cdr.http_credential
        fetcher = make_fetcher(settings.secrets, self.project, settings.key_file)
        return None if source is None else fetcher.fetch(source).reveal()

    def reach(self) -> Callable[[], EslSession]:
        """Return what connects to the target's event socket. Raises UsageError, SecretError."""
        from fsgitops.esl.session import connect_esl
        from fsgitops.live.connect import open_running, read_password, reopen_running

        target = self.workspace.target
        if target.simulated:
            running = open_running(target)
            if running is None:
                raise UsageError(
                    "no sandbox is running: start one with `fsgitops sandbox`, or name a switch: "
                    "--target NAME"
                )
            running.close()
            return lambda: reopen_running(target).session
        esl = target.esl
        return partial(
            connect_esl,
            esl.host,
            esl.port,
            read_password(target, self.project),
            connect_timeout=esl.connect_timeout,
            reply_timeout=esl.reply_timeout,
        )


_PLACES = ("directory", "target", "lake", "spool", "json_dir")


def add_places(function: Any, lake: str = "A directory, s3://… or gs://…") -> Any:
    """Give a command or a group `-C`, `--target`, `--lake`, `--spool` and `--json-dir`."""
    for option in (
        click.option("--json-dir", cls=Common, metavar="DIR", help="mod_json_cdr's log-dir."),
        click.option("--spool", cls=Common, metavar="DIR", help="The spool's directory."),
        click.option("--lake", cls=Common, metavar="DIR-OR-URL", help=lake),
        click.option(
            "--target",
            cls=Common,
            shell_complete=TARGET,
            metavar="NAME",
            help="The switch, as fsgitops.yaml names it.",
        ),
        with_directory,
    ):
        function = option(function)
    return function


def with_places(function: Any) -> Any:
    """Give a command the options of `add_places`, together as its first word."""

    @wraps(function)
    def gather(**chosen: Any) -> Any:
        places = {name: chosen.pop(name) for name in _PLACES}
        return function(click.get_current_context().obj.with_choices(places), **chosen)

    return add_places(gather)


def with_json(function: Any) -> Any:
    """Give a command `--json`, as its `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def with_span(function: Any, zone: str = "UTC") -> Any:
    """Give a command `--from` and `--to`, whole days of a zone, as its `first` and `last`."""

    @wraps(function)
    def checked(*words: Any, **chosen: Any) -> Any:
        if chosen["last"] < chosen["first"]:
            raise UsageError("--to is before --from")
        return function(*words, **chosen)

    for flag, name, default, text in (
        ("--to", "last", "9999-12-31", f"Last day ({zone})."),
        ("--from", "first", "", f"First day ({zone})."),
    ):
        option = click.option(
            flag, name, default=default, metavar="DATE", callback=parse_date, help=text
        )
        checked = option(checked)
    return checked
