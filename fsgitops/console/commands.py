"""Click's groups and commands as both programs use them.

Help comes in sections, summaries are whole, an unknown command names the nearest one, and every
command takes `--color` and `-q`.
"""

from __future__ import annotations

import importlib
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from fsgitops.console.stream import COLOUR_WORDS, say_colour, say_quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_F = TypeVar("_F", bound="Callable[..., Any]")

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _note_colour(ctx: click.Context, _parameter: click.Parameter, word: str | None) -> None:
    if word is not None and not ctx.resilient_parsing:
        say_colour(word)


def _note_quiet(ctx: click.Context, _parameter: click.Parameter, quiet: bool) -> None:
    if quiet and not ctx.resilient_parsing:
        say_quiet()


class Common(click.Option):
    """An option that means the same in many commands; help shows these last."""


def with_directory(function: _F, name: str = "directory") -> _F:
    """Give a command `-C DIR` of its own, beside the group's; it comes as `directory`."""
    return click.option(
        "-C",
        name,
        type=click.Path(file_okay=False),
        cls=Common,
        metavar="DIR",
        help="Run as if in DIR.",
    )(function)


def output_option(*names: str, **more: Any) -> Callable[[_F], _F]:
    """Return the option `--output`, which also answers to its former name."""
    return click.option("--output", *names, cls=Option, former=("--out",), **more)


def _everywhere() -> list[click.Parameter]:
    return [
        Common(
            ["--color"],
            type=click.Choice(COLOUR_WORDS),
            expose_value=False,
            callback=_note_colour,
            help="When to colour [default: auto, on a terminal without NO_COLOR].",
        ),
        Common(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_note_quiet,
            help="Print no progress, hints or confirmations.",
        ),
    ]


class Number(click.IntRange):
    """A whole number between two others, which help and errors call a number."""

    name = "number"


class MissingCommandError(click.UsageError):
    """A group was called alone: its help is all that there is to say."""

    def __init__(self, ctx: click.Context) -> None:
        super().__init__(f"no command; see `{ctx.command_path} --help`", ctx)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the help of the group on standard error."""
        assert self.ctx is not None
        click.echo(self.ctx.get_help(), file=file, err=file is None)


class Option(click.Option):
    """An option that also answers to former names, which help and completion do not show."""

    def __init__(self, *words: Any, former: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*words, **attributes)
        self.former = tuple(former)

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Register the option with all its names."""
        shown = self.opts
        self.opts = [*shown, *self.former]
        try:
            super().add_to_parser(parser, ctx)
        finally:
            self.opts = shown


class Command(click.Command):
    """A command that takes the common options, and shows them after its own."""

    def __init__(self, *words: Any, **attributes: Any) -> None:
        super().__init__(*words, **attributes)
        self.params += _everywhere()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then the common ones."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Common options": []}
        for parameter in self.get_params(ctx):
            # Newer clicks list arguments too; the usage line and the text below it name those.
            argument = isinstance(parameter, click.Argument)
            record = None if argument else parameter.get_help_record(ctx)
            if record is not None:
                common = isinstance(parameter, Common) or "--help" in parameter.opts
                sections["Common options" if common else "Options"].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Group(click.Group):
    """A group whose commands stand in sections, and are imported when one is asked for.

    `lazy` tells where a command is found, as `module:name`; `synonyms` leads from words that
    people try to the command that they mean.
    """

    command_class = Command

    def __init__(
        self,
        *words: Any,
        sections: Mapping[str, Sequence[str]] | None = None,
        lazy: Mapping[str, str] | None = None,
        synonyms: Mapping[str, str] | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(*words, **attributes)
        self.params += _everywhere()
        self.sections = dict(sections or {})
        self._lazy = dict(lazy or {})
        self._synonyms = dict(synonyms or {})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the group's own options. Fails with its help where no command follows them."""
        words = list(args)
        if not words and not ctx.resilient_parsing:
            raise MissingCommandError(ctx)
        left = super().parse_args(ctx, args)
        if not ctx.resilient_parsing and not self.make_parser(ctx).parse_args(words)[1]:
            raise MissingCommandError(ctx)
        return left

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command, or None for a name that is not one."""
        place = self._lazy.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant. Fails with the nearest one for an unknown name."""
        name = args[0]
        known = self.list_commands(ctx)
        if name in known or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        meant = self._synonyms.get(name)
        near = [meant] if meant else get_close_matches(name, known, n=2)
        hint = " or ".join(f"`{ctx.command_path} {item}`" for item in near)
        told = f"did you mean {hint}?" if hint else "see --help"
        raise click.UsageError(f"no command `{name}`; {told}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every command below its section, with its whole summary."""
        for title, names in (self.sections or {"Commands": self.list_commands(ctx)}).items():
            with formatter.section(title):
                formatter.write_dl([(name, self._summary(ctx, name)) for name in names])

    def _summary(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        return command.get_short_help_str(10_000) if command else ""
