"""Reach a target's switch: a FreeSWITCH over ESL, or the embedded one."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from fsgitops.durable import ignore_folder
from fsgitops.errors import SecretError, SwitchUnreachableError
from fsgitops.homes.home import Address
from fsgitops.secret.value import check_secret
from fsgitops.workspace.open import make_fetcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch

RUNNING_FILE = "sandbox.json"
_OVERRIDE = "FSGITOPS_ESL_PASSWORD"


def prepare_conf_dir(target: Target) -> None:
    """Give the sandbox a small conf directory of its own when it has none yet."""
    if target.simulated and not target.conf_dir.exists():
        from fsgitops.sandbox.skeleton import write_skeleton

        ignore_folder(target.conf_dir.parent.parent)
        # Written aside: a process that is killed here leaves no half of a conf directory.
        aside = target.conf_dir.with_name(f"{target.conf_dir.name}.{os.getpid()}")
        write_skeleton(aside, target.domain)
        with suppress(OSError):  # another process was first
            aside.rename(target.conf_dir)
        shutil.rmtree(aside, ignore_errors=True)


def read_password(target: Target, root: Path) -> str:
    """Return the ESL password of a target. Raises SecretError when none can be had."""
    if target.esl_password is not None:
        return check_secret(target.esl_password.get_secret_value(), _OVERRIDE).reveal()
    if target.esl.password is not None:
        return (
            make_fetcher(target.secrets, root, target.key_file).fetch(target.esl.password).reveal()
        )
    raise SecretError(
        f"target `{target.name}` has no ESL password; set FSGITOPS_ESL_PASSWORD, or "
        "`esl: {password: {env: NAME}}` or `{file: PATH}` in fsgitops.yaml"
    )


def address_of(target: Target) -> Address:
    """Return what a home has to know of a target."""
    sharded = target.layout == "sharded"
    return Address(target.domain, target.profile, target.places, sharded)


@contextmanager
def connect_target(target: Target, root: Path) -> Iterator[Switch]:
    """Yield the target's switch; the embedded one is started where none is running.

    The sandbox is given a conf directory first, where it has none.
    Raises SwitchError when it cannot be reached, SecretError without a password.
    """
    with hold_target(target, root) as reach, reach() as switch:
        yield switch


def open_switch(target: Target, host: str, port: int, password: str) -> Switch:
    """Return a connected and authenticated switch, every wait bounded by the target's settings."""
    from fsgitops.esl.session import connect_esl
    from fsgitops.switch.client import Switch

    limits = target.esl
    connect, reply = limits.connect_timeout, limits.reply_timeout
    return Switch(connect_esl(host, port, password, connect_timeout=connect, reply_timeout=reply))


def open_running(target: Target) -> Switch | None:
    """Return the sandbox that `fsgitops sandbox` runs in another process, if it does."""
    try:
        state = json.loads((target.conf_dir.parent / RUNNING_FILE).read_bytes())
        host, port, password = str(state["host"]), int(state["port"]), str(state["password"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        return open_switch(target, host, port, password)
    except SwitchUnreachableError:
        return None


@contextmanager
def hold_target(target: Target, root: Path) -> Iterator[Callable[[], Switch]]:
    """Yield what opens further connections to the target's switch, for as long as it is held.

    For a process that stays: the embedded switch is started once, where none is running, and each
    call opens a connection that belongs to the calling thread. Calling raises as `connect_target`.
    """
    prepare_conf_dir(target)
    if not target.simulated:
        password = read_password(target, root)
        yield lambda: open_switch(target, target.esl.host, target.esl.port, password)
        return
    running = open_running(target)
    if running is not None:
        running.close()
        yield lambda: reopen_running(target)
        return
    from fsgitops.sandbox.switch import EmbeddedSwitch

    password = secrets.token_urlsafe(24)
    with EmbeddedSwitch(target.conf_dir, password) as embedded:
        host, port = embedded.address
        yield lambda: open_switch(target, host, port, password)


def reopen_running(target: Target) -> Switch:
    """Return the sandbox that runs in another process. Raises SwitchUnreachableError."""
    running = open_running(target)
    if running is None:
        raise SwitchUnreachableError("the sandbox that was running is not running any more")
    return running
