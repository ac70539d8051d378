"""Read a conf directory for what people wrote in it, as resources would say it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from fsgitops.homes import HOMES
from fsgitops.model.imports import Brought, Kept, Reason
from fsgitops.model.kind import Site
from fsgitops.model.noun import make_noun
from fsgitops.phone import Lengths
from fsgitops.routing.call.load import is_unknown, load_disk
from fsgitops.routing.glob import Ours
from fsgitops.routing.handwritten import Handwritten, Home
from fsgitops.routing.places import find_readings, find_realm, list_settings
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.survey import survey_conf
from fsgitops.routing.tree import parse
from fsgitops.steps.read_live import read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fsgitops.model.noun import Noun
    from fsgitops.routing.call.load import Loaded
    from fsgitops.workspace.declare import Declared
    from fsgitops.workspace.open import Workspace

ANY_LENGTH = Lengths(2, 11)


class Found:
    """What stands in the conf directory: what can be brought, what stays, what is ours already."""

    def __init__(self) -> None:
        self.brought: list[Brought] = []
        self.kept: list[Kept] = []
        self.managed = 0
        self.lost_comments: list[str] = []
        self.columns: Mapping[str, str] = {}
        self.unread: tuple[str, ...] = ()
        self.realms: tuple[tuple[str, str], ...] = ()

    def keep(self, item: Brought, what: str, *reasons: Reason) -> None:
        """Leave an element where it is after all."""
        self.kept.append(Kept(what, item.place, reasons))


def look_around(workspace: Workspace, declared: Declared) -> Found:
    """Return what stands in a target's conf directory. Raises MergeError where none can be read."""
    target = workspace.target
    loaded = load_disk(target.conf_dir, target.domain)
    hand = Handwritten(
        target.conf_dir,
        loaded.merged,
        loaded.root,
        _find_context(loaded, workspace),
        cache(lambda folder: _find_home(workspace, folder)),
    )
    ours = read_manifest(target.state_dir).entries
    site = make_site(workspace, declared)
    found = Found()
    dialled: dict[str, Noun] = {}
    # What nothing leads to comes last: where it leads to is known then.
    for kind in sorted(workspace.kinds.values(), key=lambda kind: kind.reach is None):
        results = kind.imports(hand, replace(site, dialled=dialled)) if kind.imports else ()
        for item in results:
            if item.place.file in ours:
                found.managed += isinstance(item, Brought)
            elif isinstance(item, Kept):
                found.kept.append(item)
            else:
                found.brought.append(item)
                noun, _ = make_noun(kind.noun, item.values)
                if noun is not None:
                    dialled |= dict.fromkeys(kind.dialled(noun), noun)
    found.realms = tuple(_find_realms(loaded, workspace))
    found.lost_comments = list(dict.fromkeys(f"{at.file}:{at.line}" for at in hand.lost))
    return found


def make_site(workspace: Workspace, declared: Declared) -> Site:
    """Return what is the same for every resource that is imported for a target."""
    target, settings = workspace.target, workspace.settings
    return Site(
        domain=target.domain,
        places=target.places,
        sharded=target.layout == "sharded",
        lengths=ANY_LENGTH,
        caller_id=declared.caller_id,
        caller_name=settings.default_caller_name,
        did_forms=target.did_forms,
        did_prefixes=target.did_prefixes,
        default_region=settings.default_region,
        own_variables=frozenset(name.lower() for name in settings.variables.allow),
    )


def find_unread(
    workspace: Workspace, site: Site, brought: Iterable[Brought]
) -> Iterator[tuple[str, str]]:
    """Yield which folders of what is brought FreeSWITCH would not read, and what to do."""
    ours: dict[str, None] = {}
    brought = [*brought]
    for file in dict.fromkeys(item.place.file for item in brought):
        if not any(home.has(file) for home in HOMES):
            yield (
                f"{file}: `fsgitops adopt` takes nothing out of this file",
                "move what is declared now into a file of directory/ or dialplan/, and include it",
            )
    for item in brought:
        kind = workspace.kinds[item.kind]
        noun, _ = make_noun(kind.noun, item.values)
        if noun is not None:
            ours |= dict.fromkeys(kind.paths(noun, site))
            ours |= {shared.path(site): None for shared in kind.shared if shared.when(site)}
    target = workspace.target
    survey = survey_conf(target.conf_dir, ours, target.domain, target.places)
    told = set[tuple[str, str]]()
    for path in ours:
        problem = survey.problem_of(path)
        if problem is not None and problem not in told:
            told.add(problem)
            yield f"{path.rpartition('/')[0]}/*.xml {problem[0]}", problem[1]


def _find_context(loaded: Loaded, workspace: Workspace) -> str:
    """Return the context of phones whose users have none: that of the profile they log in to."""
    name = f"profile {workspace.target.profile}"
    doors = loaded.doors(workspace.target.domain)
    return next((door.context for door in doors if door.name == name), "default")


def _find_realms(loaded: Loaded, workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Yield why a phone may log in to a realm for which no agent's hash is, and what to do.

    FreeSWITCH takes an a1-hash as it is, whatever realm the phone was asked for; of a password, it
    makes one for that realm (`sofia_reg_parse_auth` in sofia_reg.c).
    """
    domain, profile = workspace.target.domain, workspace.target.profile
    settings = list_settings(loaded.root, profile)
    realm, forced = find_realm(settings), settings.get("force-register-domain", "")
    if realm == domain:
        return
    if realm:
        told = "one that only the switch knows" if is_unknown(realm) else loaded.veil.hide(realm)
        yield (
            f"the profile {profile} has every phone log in to one realm, {told} (challenge-realm)",
            f"set it to auto_from, if phones register as NUMBER@{domain}; or to {domain}",
        )
    elif forced:
        yield (
            f"phones that register as NUMBER@ANOTHER_NAME: the profile {profile} takes them for "
            f"users of {domain} (force-register-domain), and has them log in to what they name",
            f"set challenge-realm of the profile to {domain}, or have these phones register there: "
            f"`sofia status profile {profile} reg` shows them (Auth-Realm)",
        )


def _find_home(workspace: Workspace, folder: str) -> Home | None:
    """Return what users inherit whose files stand in a folder below the conf directory."""
    mine = Ours([f"{folder}/fsgitops.xml"])
    root = parse(load_merged(workspace.target.conf_dir, ours=mine).text)
    for reading in find_readings(root).values():
        if reading.section == "directory" and not reading.dead:
            return Home(reading.inner("group"), reading.inner("domain"))
    return None
