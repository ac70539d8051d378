"""`fsgitops sandbox --call`: somebody outside calls a number of the embedded switch that runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.errors import NotPossibleError, UsageError
from fsgitops.live.connect import open_running

if TYPE_CHECKING:
    from fsgitops.workspace.open import Workspace

CALLER: Final = "+12025550100"
"""Who calls where nobody says who does: a number for fiction."""
_NUMBER: Final = re.compile(r"\+?[A-Za-z0-9*#]{1,30}", re.ASCII)


class CalledIn(NamedTuple):
    """What became of a call, in words, and whether it is up."""

    caller: str
    told: str
    up: bool


def run_call_in(workspace: Workspace, number: str, caller: str | None = None) -> CalledIn:
    """Place a call, and return where the dialplan that is loaded has sent it.

    Raises UsageError for what cannot be dialled, NotPossibleError where no sandbox is running.
    """
    caller = caller or CALLER
    for text in (number, caller):
        if not _NUMBER.fullmatch(text):
            raise UsageError(f"{text!a} cannot be dialled: expected digits, such as +19495431333")
    switch = open_running(workspace.target)
    if switch is None:
        raise NotPossibleError("no sandbox is running: start one with `fsgitops sandbox`")
    with switch:
        said = switch.session.api(f"sandbox_call {number} {caller}").strip()
    verdict, _, told = said.partition(" ")
    return CalledIn(caller, told.partition(" ")[2], verdict == "+OK")
