"""The doctor's checks of the conf directory: modes, owners, includes, the event socket."""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from fsgitops.commands.doctor.legs import check_dialplan
from fsgitops.commands.doctor.registering import check_registering
from fsgitops.commands.doctor.trunks import check_trunk_files
from fsgitops.diagnosis import Check, bad, good, skip, warn
from fsgitops.errors import FsgitopsError
from fsgitops.homes import HOMES
from fsgitops.live.connect import address_of
from fsgitops.live.switch_user import find_switch_user, find_unreadable
from fsgitops.planning.arrivals import list_entries, tell_closed
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.load import load_disk
from fsgitops.routing.call.outcome import Outcomes
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.surroundings import find_surroundings
from fsgitops.routing.survey import survey_conf
from fsgitops.routing.tree import XmlSyntaxError, fold, parse
from fsgitops.routing.veil import Veil
from fsgitops.routing.whereabouts import Whereabouts, list_domain_globals
from fsgitops.steps.read_live import read_manifest
from fsgitops.transaction.journal import REVISIONS
from fsgitops.transaction.places import mounts_below
from fsgitops.transaction.state import UnsafeStateError, is_shared, open_state
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from fsgitops.model.live import ManifestEntry
    from fsgitops.routing.merged import MergedConfig
    from fsgitops.routing.survey import Survey
    from fsgitops.routing.tree import Element
    from fsgitops.settings.target import Target
    from fsgitops.workspace.declare import Declared
    from fsgitops.workspace.open import Workspace

STOCK_PASSWORD = "ClueCon"  # noqa: S105 - what every installation begins with
STOCK_PIN = "1234"
SHOWN_NAMES = 5
FOLLOWED = 20
_PUBLIC = re.compile(r"\+[0-9]+", re.ASCII)
VALID_HASH = "an a1-hash works like the password until the password changes"


def list_probes(target: Target) -> list[str]:
    """Return a path in each folder that fsgitops writes to."""
    address = address_of(target)
    return [f"{folder}/0000.xml" for home in HOMES for folder in home.folders(address)]


def check_files(workspace: Workspace, declared: Declared | None = None) -> Iterator[Check]:
    """Yield what is found about the conf directory, without a switch."""
    conf_dir = workspace.target.conf_dir
    if not conf_dir.is_dir():
        if workspace.target.simulated:
            yield skip("conf-dir", "the sandbox has none yet: the first plan makes it")
        else:
            yield bad(
                "conf-dir",
                f"{conf_dir}: no such directory",
                "set the target's `conf_dir` to FreeSWITCH's conf directory, or run this there",
            )
        return
    yield from _check_folder(workspace)
    yield from _check_mounts(workspace.target)
    yield from _check_revisions(workspace.target.state_dir)
    yield from _check_managed(workspace)
    try:
        merged = load_merged(conf_dir)
    except (FsgitopsError, OSError) as problem:
        yield bad("includes", f"the configuration cannot be read: {problem}", "correct that first")
        return
    veil = Veil(merged.variables)
    for check in _check_merged(workspace, merged, declared):
        yield replace(check, message=veil.hide(check.message))


def _check_merged(
    workspace: Workspace, merged: MergedConfig, declared: Declared | None
) -> Iterator[Check]:
    yield from _check_reading(workspace)
    try:
        root = parse(merged.text)
    except XmlSyntaxError:
        root = None  # Told by the check `includes`.
    places = Whereabouts(merged, root)
    yield _check_domain(workspace, merged, places)
    yield _check_pointers(places)
    if root:
        yield from check_trunk_files(workspace.target.conf_dir, root, merged)
    if root and not workspace.target.simulated:
        yield from check_registering(root, workspace.target)
        yield from _check_socket(root)
        yield from check_dialplan(workspace, declared)
    yield _check_default_password(merged)


def _check_folder(workspace: Workspace) -> Iterator[Check]:
    target = workspace.target
    conf_dir, state_dir = target.conf_dir, target.state_dir
    found = conf_dir.stat()
    mode = stat.S_IMODE(found.st_mode)
    told = f"{conf_dir}: owner uid {found.st_uid}, mode {mode:04o}"
    if mode & 0o002:
        yield bad("conf-dir", f"{told}: every user may replace it", f"chmod o-w {conf_dir}")
    elif not os.access(conf_dir, os.W_OK | os.X_OK):
        yield warn(
            "conf-dir", f"{told}: not writable for you", "run apply as a user who may write there"
        )
    else:
        yield good("conf-dir", told)
    try:
        with suppress(OSError):
            open_state(state_dir).close()
    except UnsafeStateError as problem:
        yield bad("state-dir", str(problem), "fsgitops neither reads nor writes it until then")
        return
    if state_dir.is_dir() and is_shared(found) and not is_shared(state_dir.stat()):
        told = (
            f"{state_dir}: operators share {conf_dir} as a group, but not this: only one can apply"
        )
        remedy = (
            f"chgrp -R {found.st_gid} {state_dir}; chmod -R g+rwX {state_dir}; find {state_dir}"
        )
        yield warn("state-dir", told, f"{remedy} -type d -exec chmod g+s {{}} +")
    if state_dir.is_dir() and stat.S_IMODE(state_dir.stat().st_mode) & 0o007:
        yield warn(
            "state-dir", f"{state_dir}: everybody may look into it", f"chmod o-rwx {state_dir}"
        )


def _check_mounts(target: Target) -> Iterator[Check]:
    """Yield what is a mount of its own: files are staged there, if that can be written."""
    for path in sorted(mounts_below(target.conf_dir)):
        place = target.conf_dir / path
        if place == target.state_dir:
            continue
        if not place.is_dir():
            yield warn(
                "mounts",
                f"{place} is a single mounted file, which cannot be replaced",
                "mount its folder instead, if fsgitops is to manage it",
            )
        elif not os.access(place, os.W_OK | os.X_OK):
            yield bad(
                "mounts",
                f"{place} is a mount of its own, not writable for you: nothing can be staged on it",
                "mount it writable for the user who applies, or declare nothing in it",
            )
        else:
            yield good("mounts", f"{place} is a mount of its own: its files are staged on it")


def _check_revisions(state_dir: Path) -> Iterator[Check]:
    """Yield whether others than the operators may read the hashes of earlier applies."""
    folder = state_dir / REVISIONS
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return
    if mode & 0o007:
        yield bad(
            "revisions",
            f"{folder} (mode {mode:04o}): every user may read it, and its revisions hold "
            f"a1-hashes of replaced files; {VALID_HASH}",
            f"chmod -R o-rwx {folder}, and raise `password_version` of the agents",
        )
    else:
        yield good(
            "revisions",
            "closed to other users; its revisions hold a1-hashes of replaced files, and "
            + VALID_HASH,
        )


def _check_managed(workspace: Workspace) -> Iterator[Check]:
    target = workspace.target
    try:
        paths = sorted(read_manifest(target.state_dir).entries)
    except FsgitopsError as problem:
        yield bad("managed-files", str(problem), "correct that first")
        return
    if target.simulated:
        yield skip("switch-user", "the embedded switch runs as you")
    else:
        yield _check_reader(target, paths)
    if not paths:
        yield skip("managed-files", "nothing is applied here yet")
        return
    files = [(path, _stat(target.conf_dir / path)) for path in paths]
    wide = [path for path, found in files if found and found.st_mode & 0o007]
    if wide:
        yield bad(
            "managed-files",
            f"every user of this machine may read {count_noun(len(wide), 'managed file')}, such as "
            f"{wide[0]}",
            f"chmod o-rwx {target.conf_dir / wide[0]}, and so on",
        )
    else:
        yield good("managed-files", f"{count_noun(len(paths), 'file')}; no other user may read any")


def _check_reader(target: Target, paths: Sequence[str]) -> Check:
    """Tell whether FreeSWITCH's own user may read what we wrote for it, or are going to write."""
    conf_dir = target.conf_dir
    person = find_switch_user(conf_dir)
    if person is None:
        return skip("switch-user", "no FreeSWITCH process of this conf directory is visible here")
    if person.uid == 0:
        return warn(
            "switch-user",
            "FreeSWITCH runs as root: an attacker who takes it over owns the machine",
            "run it as a user of its own (-u and -g)",
        )
    remedy = f"give the files its group: chgrp -R GROUP {conf_dir}, and chmod g+s its folders"
    for path in paths:
        unreadable = find_unreadable(conf_dir, path, person)
        if unreadable:
            told = f"FreeSWITCH (uid {person.uid}) may not read {unreadable}"
            return bad("switch-user", told, remedy)
    for path in list_probes(target):
        unreadable = find_unreadable(conf_dir, path, person)
        if unreadable:
            folder = path.rpartition("/")[0]
            told = (
                f"FreeSWITCH (uid {person.uid}) may not read what you write to {folder}: "
                f"{unreadable.replace(path, 'a new file there')}"
            )
            return bad("switch-user", told, remedy)
    return good("switch-user", f"FreeSWITCH (uid {person.uid}) may read every managed file")


def _check_reading(workspace: Workspace) -> Iterator[Check]:
    """Tell whether FreeSWITCH reads what is written, and whether calls from outside come there."""
    target = workspace.target
    try:
        entries = read_manifest(target.state_dir).entries
        # Whether the domain is the target's is a check of its own.
        survey = survey_conf(target.conf_dir, {*list_probes(target), *entries}, "", target.places)
    except (FsgitopsError, OSError) as problem:
        yield bad("includes", f"FreeSWITCH would not load this: {problem}", "correct that first")
        return
    found = [(path, survey.problem_of(path)) for path in list_probes(target)]
    for path, misread in found:
        if misread:
            folder = path.rpartition("/")[0]
            tell = bad if survey.is_sure(folder.partition("/")[0]) else warn
            yield tell("includes", f"what fsgitops writes to {folder}/ {misread[0]}", misread[1])
    if any(misread for _, misread in found):
        read = {path.rpartition("/")[0] for path, misread in found if not misread}
        yield from _propose_places(target, read | set(survey.contexts()))
    else:
        yield good("includes", "the folders that fsgitops writes to are included")
    yield _check_inbound(target, survey, entries)


def _propose_places(target: Target, there: set[str]) -> Iterator[Check]:
    """Yield the settings that the conf directory tells in place of the target's.

    `there` are the folders and contexts that serve.
    """
    found = find_surroundings(target.conf_dir)
    for told in found.told:
        section, _, key = told.name.rpartition(".")
        now = target.inbound_context if key == "inbound_context" else ""
        now = str(getattr(target.places, key)) if section == "places" else now
        if now and now != told.value and now not in there:
            yield warn(
                "places",
                f"`{told.name}` is {now}, and this directory has {told.value}: {told.reason}",
                f"set `targets.{target.name}.{told.name}` to {told.value}",
            )


def _check_inbound(target: Target, survey: Survey, entries: Mapping[str, ManifestEntry]) -> Check:
    """Tell whether calls from outside come to the context of public numbers.

    Where none begins there, some of the numbers that are applied are followed from where they do.
    """
    loaded = load_disk(target.conf_dir, target.domain, ours=entries)
    doors, inbound = loaded.doors(target.domain), target.inbound_context
    begin = list_entries(doors, inbound)
    arrived: list[bool | None] = [begin.first_has(inbound)]
    names = (record.resource.name for entry in entries.values() for record in entry.records)
    numbers = [name for name in names if _PUBLIC.fullmatch(name)][:FOLLOWED]
    if not any(arrived):
        outcomes = Outcomes(loaded.world, Clock(datetime.now().astimezone(), {}, known=False))
        calls = [Call(number, context) for number in numbers for context in begin.first]
        arrived = [outcomes.find(call).comes_to(inbound) for call in calls]
    if any(arrived):
        return good("inbound-context", f"calls from outside come to the context `{inbound}`")
    known = survey.is_sure("configuration", values=False) and survey.is_sure("dialplan")
    sure = known and all(door.context for door in doors) and None not in arrived
    told, hint = tell_closed(doors, inbound, loaded.place, sure=sure)
    tell = bad if sure and numbers else warn
    return tell("inbound-context", f"a DID {loaded.veil.hide(told)}", hint)


def _check_domain(workspace: Workspace, merged: MergedConfig, places: Whereabouts) -> Check:
    """Look for the target's domain among those of the directory: files elsewhere name some too."""
    domain = workspace.target.domain
    names = places.domains()
    if any(fold(name) == fold(domain) for name in names):
        return good("domain", f"the directory has the domain {domain}")
    unknown = list_domain_globals(workspace.target.conf_dir, merged)
    if unknown:
        return warn(
            "domain",
            "the name of the directory's domain comes from variables that only the switch knows "
            f"({', '.join(f'$${{{name}}}' for name in unknown[:SHOWN_NAMES])})",
            f"the check of the switch below tells whether it holds {domain}",
        )
    found = ", ".join(names[:SHOWN_NAMES]) or "none"
    return bad(
        "domain",
        f"the directory has no domain {domain}; it has: {found}",
        "set the target's `domain` to the one phones register with",
    )


def _check_pointers(places: Whereabouts) -> Check:
    """Look for pointers whose user is gone: mod_voicemail finds a user without a PIN there."""
    orphans = places.find_orphans()
    if not orphans:
        return good("pointers", "every pointer of a group has its user")
    return warn(
        "pointers",
        f"pointers without a user: {len(orphans)}, {orphans[0]} first; such a mailbox opens with "
        "any PIN where voicemail.conf has allow-empty-password-auth (as stock)",
        "remove these lines, or set allow-empty-password-auth to false",
    )


def _check_socket(root: Element) -> Iterator[Check]:
    section = root.find("section", "name", "configuration")
    found = section.find("configuration", "name", "event_socket.conf") if section else None
    if found is None:
        yield warn("event-socket", "there is no event_socket.conf", "configure mod_event_socket")
        return
    settings, params = found.child("settings"), defaultdict[str, list[str]](list)
    for param in settings.all("param") if settings else ():
        params[param.attributes.get("name", "")].append(param.attributes.get("value", ""))
    # Defaults of mod_event_socket.c, set_pref_ip and set_pref_pass.
    address = params.get("listen-ip", ["127.0.0.1"])[-1]
    if params.get("password", [STOCK_PASSWORD])[-1] == STOCK_PASSWORD:
        yield bad(
            "event-socket-password",
            "the event socket has the stock password",
            "set another one in autoload_configs/event_socket.conf.xml, and reload "
            "mod_event_socket",
        )
    else:
        yield good("event-socket-password", "the event socket has a password of its own")
    yield _check_address(address, params.get("apply-inbound-acl", []))


def _check_address(address: str, lists: list[str]) -> Check:
    name = "event-socket-address"
    if address in ("::1", "localhost") or address.startswith("127."):
        return good(name, f"the event socket listens on {address} only")
    remedy = (
        'set <param name="listen-ip" value="127.0.0.1"/> in event_socket.conf.xml, or let only '
        "known addresses in with apply-inbound-acl"
    )
    if lists:
        told = f"the event socket listens on {address}; the list {', '.join(lists)} guards it"
        return warn(name, told, remedy)
    return bad(name, f"the event socket listens on {address}, and no list guards it", remedy)


def _check_default_password(merged: MergedConfig) -> Check:
    if merged.variables.get("default_password") == STOCK_PIN:
        return bad(
            "default-password",
            "default_password in vars.xml is the stock one: anybody can register as a stock user",
            "set another one in vars.xml, and remove the stock users from directory/default and "
            "from the groups in directory/default.xml",
        )
    return good("default-password", "default_password is not the stock one")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None
