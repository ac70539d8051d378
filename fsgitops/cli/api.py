"""`fsgitops api`."""

from __future__ import annotations

from pathlib import Path

import click

from fsgitops.cli.options import Shared, open_place, with_place
from fsgitops.console.commands import Command, Number
from fsgitops.errors import UsageError


@click.command("api", cls=Command, epilog="Example: fsgitops api --target prod --port 3000")
@with_place
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=Number(1, 65535),
    default=3000,
    show_default=True,
    help="Port to listen on.",
)
@click.option(
    "--anonymous",
    multiple=True,
    type=click.Choice(["read", "cdr", "operate", "credentials"]),
    help="Allow this without a token; on a loopback address only. Can be given several times.",
)
@click.option("--lake", metavar="URL", help="Where call records are kept, for /api/cdr.")
@click.option(
    "--spool", type=click.Path(path_type=Path), help="Where the newest call records still wait."
)
@click.pass_obj
def command(
    shared: Shared,
    directory: str | None,
    target: str | None,
    host: str,
    port: int,
    anonymous: tuple[str, ...],
    lake: str | None,
    spool: Path | None,
) -> int:
    """Serve the HTTP API and the operator page.

    Runs until Ctrl-C (docs/api.md). It shows and operates; agents and routes change only through
    git. Needs the extra `api`.
    """
    try:
        from fsgitops.api.serve import serve
    except ModuleNotFoundError as missing:
        raise UsageError(
            f"the HTTP API needs {missing.name}, which is not installed: "
            "pip install 'fsgitops[api]'"
        ) from None
    workspace = open_place(shared, directory, target)
    tell = lambda text: click.echo(text, err=True)  # noqa: E731
    serve(workspace, host, port, anonymous, tell, lake=lake, spool=spool)
    return 0
