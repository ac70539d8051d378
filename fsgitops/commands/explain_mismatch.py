"""Say why the switch does not hold what was written: each cause in its own words, with a remedy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.commands.switch_user import find_switch_user, find_unreadable
from fsgitops.errors import FsgitopsError
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.whereabouts import Cause, Whereabouts
from fsgitops.steps.verify import NO_DOMAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.model.applied import Mismatch
    from fsgitops.routing.merged import MergedConfig
    from fsgitops.settings import Target
    from fsgitops.switch import Switch

SHOWN_DOMAINS = 5
OLDER = "by the files on disk it should; it holds what it loaded before, or what {others}"
SERVICE = "another service (mod_xml_curl) answers"
LOOK = "see that `conf_dir` is the switch's own, and that nothing stands between it and reloadxml"


def explain_mismatches(
    mismatches: Sequence[Mismatch], target: Target, switch: Switch
) -> list[Mismatch]:
    """Return the mismatches with the cause of each, as far as the files on disk tell it.

    Looked at are who may read the file, what includes it and where, and what comes first in a
    look-up. A cause is told once for each resource. Raises SwitchError.
    """
    if not mismatches:
        return []
    try:
        merged = _read_merged(target, switch)
    except (FsgitopsError, OSError):
        return list(mismatches)
    places = Whereabouts(merged)
    told: set[str] = set()
    explained: list[Mismatch] = []
    for item in mismatches:
        cause = None
        if item.subject == NO_DOMAIN:
            cause = _explain_domain(places, target, switch)
        elif item.subject not in told:
            told.add(item.subject)
            cause = _explain(item, places, target, merged)
        explained.append(replace(item, cause=cause.cause, remedy=cause.remedy) if cause else item)
    return explained


def _read_merged(target: Target, switch: Switch) -> MergedConfig:
    """Return the configuration on disk, with the values that only the switch knows."""
    merged = load_merged(target.conf_dir)
    known: dict[str, str] = {}
    for name in sorted(merged.unknown):
        try:
            value = switch.global_variable(name)
        except ValueError:
            continue
        if value:
            known[name] = value
    return load_merged(target.conf_dir, known) if known else merged


def _explain_domain(places: Whereabouts, target: Target, switch: Switch) -> Cause:
    """Name the domains that the directory really has; the target's own is none of them."""
    names = [switch.global_variable("domain") or "", *places.domains()]
    have: list[str] = []
    for name in dict.fromkeys(names):
        try:
            if name and name != target.domain and switch.domain_exists(name):
                have.append(name)
        except ValueError:
            continue
    if not have:
        return Cause(
            "it holds none of those that the files declare either",
            "see that `conf_dir` is the switch's own",
        )
    shown = ", ".join(have[:SHOWN_DOMAINS])
    more = f" and {len(have) - SHOWN_DOMAINS} more" if len(have) > SHOWN_DOMAINS else ""
    return Cause(
        f"its directory has {shown}{more}",
        "set the target's `domain` to the one that the phones register with",
    )


def _explain(item: Mismatch, places: Whereabouts, target: Target, merged: MergedConfig) -> Cause:
    folder, _, file = item.path.rpartition("/")
    name = file.removesuffix(".xml")
    if item.gone:
        return _explain_left(item, places, target, name, merged)
    person = find_switch_user(target.conf_dir)
    unreadable = find_unreadable(target.conf_dir, item.path, person) if person else ""
    if person and unreadable:
        return Cause(
            f"FreeSWITCH runs as uid {person.uid} and may not read {unreadable}",
            f"give it the group of that user: chgrp -R GROUP {target.conf_dir}, and chmod g+rX",
        )
    if folder.startswith("directory/"):
        cause = places.explain_user(item.path, name, target.domain)
    else:
        cause = places.explain_extension(
            item.path, item.extension or name, folder.rpartition("/")[2]
        )
    return cause or _not_loaded(merged)


def _explain_left(
    item: Mismatch, places: Whereabouts, target: Target, name: str, merged: MergedConfig
) -> Cause:
    if item.path.startswith("directory/"):
        found = places.find_user(name, target.domain)
        where = str(found) if found else ""
    else:
        context = item.path.split("/")[1]
        where = places.find_extension(item.extension or name, context)
    return Cause(f"{where} declares it", "remove that one") if where else _not_loaded(merged)


def _not_loaded(merged: MergedConfig) -> Cause:
    """Tell that the files say otherwise, and who else may have told the switch."""
    printed = [item.where for item in merged.not_run if item.what == "exec"]
    others = [f"`exec` at {where.file}:{where.line} prints" for where in printed[:1]]
    return Cause(OLDER.format(others=" or ".join([*others, SERVICE])), LOOK)
