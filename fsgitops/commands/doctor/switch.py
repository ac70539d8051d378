"""The doctor's checks of the running switch; without one, the rest is checked all the same."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.commands.doctor.files import STOCK_PASSWORD, STOCK_PIN, VALID_HASH
from fsgitops.commands.doctor.trunks import check_trunks
from fsgitops.diagnosis import Check, bad, good, skip, warn
from fsgitops.errors import FsgitopsError, SecretError, SwitchError
from fsgitops.homes.directory import DIRECTORY
from fsgitops.kinds.agent.noun import Agent
from fsgitops.live.connect import connect_target, read_password
from fsgitops.steps.read_live import read_manifest
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.switch.client import Switch
    from fsgitops.workspace.declare import Declared
    from fsgitops.workspace.open import Workspace

MERGED_FILE = "freeswitch.xml.fsxml"
"""What FreeSWITCH writes below `log_dir` at each reloadxml: preprocess_file of switch_xml.c."""

SAMPLE = 200
MODULES = {
    "mod_commands": "reads back what the switch holds",
    "mod_sofia": "speaks SIP",
    "mod_dialplan_xml": "reads the dialplan",
    "mod_dptools": "bridges and transfers calls",
}
VOICEMAIL = {"mod_voicemail": "keeps the mailboxes that agents have"}


def check_switch(workspace: Workspace, declared: Declared | None) -> Iterator[Check]:
    """Yield what the switch itself says; one error when it cannot be reached."""
    target = workspace.target
    if target.simulated and not target.conf_dir.is_dir():
        yield skip("esl", "the sandbox has no conf directory yet: the first plan makes it")
        return
    if not target.simulated:
        try:
            password = read_password(target, workspace.root)
        except SecretError as problem:
            yield bad("esl-password", str(problem), "put the password there")
            return
        if password == STOCK_PASSWORD:
            yield bad(
                "esl-password",
                "the ESL password is the stock one",
                "set another one in event_socket.conf.xml and in the target's `esl` settings",
            )
        else:
            yield good("esl-password", "the ESL password is not the stock one")
    try:
        with connect_target(target, workspace.root) as switch:
            yield good("esl", f"reached: {switch.version()}")
            yield from _ask(workspace, declared, switch)
    except (SwitchError, OSError) as problem:
        yield bad(
            "esl",
            str(problem),
            "start FreeSWITCH with mod_event_socket, and correct `esl` of the target",
        )


def _ask(workspace: Workspace, declared: Declared | None, switch: Switch) -> Iterator[Check]:
    target = workspace.target
    try:
        switch.registrations(target.profile)
        yield good("profile", f"the SIP profile {target.profile} runs")
    except SwitchError as problem:
        yield bad("profile", str(problem), "set the target's `profile` to one that runs")
    if switch.domain_exists(target.domain):
        yield good("domain-loaded", f"the switch holds the domain {target.domain}")
    else:
        yield bad(
            "domain-loaded",
            f"the switch holds no domain {target.domain}",
            "set the target's `domain` to the one phones register with; see that "
            "`conf_dir` is the switch's own",
        )
    if target.simulated:
        yield skip("modules", "the embedded switch has none")
    else:
        yield from _check_modules(declared, switch)
        if switch.global_variable("default_password") == STOCK_PIN:
            yield bad(
                "default-password-loaded",
                "the running switch has the stock default_password",
                "set another one in vars.xml, and reloadxml",
            )
        yield from _check_merged_copy(switch.global_variable("log_dir"))
    yield from _check_loaded(workspace, switch)
    yield from check_trunks(target, switch)


def _check_modules(declared: Declared | None, switch: Switch) -> Iterator[Check]:
    agents = declared.desired.of(Agent) if declared else ()
    mailboxes = any(agent.enabled and agent.voicemail.enabled for agent in agents)
    needed = {**MODULES, **(VOICEMAIL if mailboxes else {})}
    missing = [name for name in needed if not switch.module_exists(name)]
    for name in missing:
        yield bad(
            "modules",
            f"{name} is not loaded; it {needed[name]}",
            f'put <load module="{name}"/> into autoload_configs/modules.conf.xml, and run '
            f"`load {name}` on the switch",
        )
    if not missing:
        yield good("modules", f"loaded: {', '.join(sorted(needed))}")


def _check_loaded(workspace: Workspace, switch: Switch) -> Iterator[Check]:
    """Ask for some of the agents that were applied: are our files what the switch reads?"""
    target = workspace.target
    try:
        entries = read_manifest(target.state_dir).entries
    except FsgitopsError:
        return
    names = sorted(
        record.resource.name
        for path, entry in entries.items()
        if DIRECTORY.has(path)
        for record in entry.records
    )
    sample = names[:: max(1, len(names) // SAMPLE)]
    if not sample:
        return
    there = switch.users_exist((name, target.domain) for name in sample)
    absent = [name for name, found in zip(sample, there, strict=True) if not found]
    if absent:
        yield bad(
            "effective",
            f"{len(absent)} of {count_noun(len(sample), 'applied agent')} missing from the "
            f"switch's directory ({target.domain}), such as {absent[0]}",
            "reloadxml; if that does not help, `conf_dir` or `domain` is not the switch's",
        )
    else:
        yield good(
            "effective",
            f"the switch holds all of {count_noun(len(sample), 'applied agent')} looked up",
        )


def _check_merged_copy(log_dir: str | None) -> Iterator[Check]:
    """Yield whether everybody may read the merged configuration that FreeSWITCH writes.

    `log_dir` is what the switch answers; on another machine it leads nowhere.
    """
    if not log_dir:
        return
    path = Path(log_dir) / MERGED_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as problem:
        yield skip("merged-copy", f"{path}: not looked at here: {problem.strerror}")
        return
    if mode & 0o007:
        yield warn(
            "merged-copy",
            f"{path} (mode {mode:04o}): every user may read it, and it holds the whole "
            f"configuration with every a1-hash and the passwords of gateways; {VALID_HASH}",
            f"chmod o-rwx {path.parent}: FreeSWITCH writes this file again at each reloadxml, so "
            f"close the folder; or start FreeSWITCH with umask 027",
        )
    else:
        yield good("merged-copy", f"{path} is not open to everybody")
