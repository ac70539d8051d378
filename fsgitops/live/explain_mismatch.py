"""Say why the switch does not hold what was written: each cause in its own words, with a remedy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.homes import home_of
from fsgitops.homes.directory import DIRECTORY
from fsgitops.live.connect import address_of
from fsgitops.live.switch_user import find_switch_user, find_unreadable
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.veil import Veil
from fsgitops.routing.whereabouts import Cause, Whereabouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.model.applied import Mismatch
    from fsgitops.routing.merged import MergedConfig
    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch

SHOWN_DOMAINS = 5


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
    explainer = _Explainer(target, switch, merged, Whereabouts(merged))
    told: set[str] = set()
    explained: list[Mismatch] = []
    for item in mismatches:
        if item.subject in told:
            explained.append(item)
            continue
        told.add(item.subject)
        cause = explainer.explain(item)
        explained.append(replace(item, cause=cause.cause, remedy=cause.remedy))
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


@dataclass(frozen=True, slots=True)
class _Explainer:
    target: Target
    switch: Switch
    merged: MergedConfig
    places: Whereabouts

    def explain(self, item: Mismatch) -> Cause:
        if not item.path:
            domain = (item.subject, item.message) == DIRECTORY.lacking(address_of(self.target))
            return self._name_domains() if domain else self._blame_the_load()
        found = self._find_left(item) if item.gone else self._find_cause(item)
        return found or self._blame_the_load()

    def _name_domains(self) -> Cause:
        """Name the domains that the directory really has; the target's own is none of them."""
        names = [self.switch.global_variable("domain") or "", *self.places.domains()]
        have: list[str] = []
        for name in dict.fromkeys(names):
            try:
                if name and name != self.target.domain and self.switch.domain_exists(name):
                    have.append(name)
            except ValueError:
                continue
        if not have:
            return Cause(
                "it does not hold the domains of the files either",
                f"see that `conf_dir` is the switch's own{self._home()}",
            )
        shown = ", ".join(have[:SHOWN_DOMAINS])
        more = f" and {len(have) - SHOWN_DOMAINS} more" if len(have) > SHOWN_DOMAINS else ""
        return Cause(
            f"its directory has {Veil(self.merged.variables).hide(shown)}{more}",
            "set the target's `domain` to the one phones register with",
        )

    def _find_cause(self, item: Mismatch) -> Cause | None:
        conf_dir = self.target.conf_dir
        person = find_switch_user(conf_dir)
        unreadable = find_unreadable(conf_dir, item.path, person) if person else ""
        if person and unreadable:
            return Cause(
                f"FreeSWITCH runs as uid {person.uid} and may not read {unreadable}",
                f"give it the group of that user: chgrp -R GROUP {conf_dir}, and chmod g+rX",
            )
        address = address_of(self.target)
        return home_of(item.path).why(self.places, item.path, item.element, address)

    def _find_left(self, item: Mismatch) -> Cause | None:
        """Return who declares what was deleted."""
        home, address = home_of(item.path), address_of(self.target)
        place = home.place(item.path, address)
        where = home.where(self.places, item.element, place, address)
        return Cause(f"{where} declares it", "remove that one") if where else None

    def _blame_the_load(self) -> Cause:
        """Tell that the files say otherwise, and who else may have told the switch."""
        printed = [item.where for item in self.merged.not_run if item.what == "exec"]
        others = [f"`exec` at {where} prints" for where in printed[:1]]
        others.append("another service (mod_xml_curl) answers")
        return Cause(
            "by the files on disk it should; it holds what it loaded before, or what "
            + " or ".join(others),
            f"see that `conf_dir` is the switch's own{self._home()}, and that nothing stands "
            "between it and reloadxml",
        )

    def _home(self) -> str:
        said = self.switch.global_variable("conf_dir") or ""
        return "" if said in ("", str(self.target.conf_dir)) else f" (the switch says {said})"
