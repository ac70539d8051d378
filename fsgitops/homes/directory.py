"""The directory: the users of the target's domain, their caches, phones and sessions."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from fsgitops.homes.home import Address, Doing, Flat, Home, Located, Wanted, run_step
from fsgitops.model.plan import CREDENTIALS, Action, Danger, ReloadStep
from fsgitops.routing.fragment import (
    ALIAS,
    GROUP,
    flatten_element,
    flatten_fragment,
    is_frame,
    parse_answer,
    quote_name,
)
from fsgitops.secret.key import a1_hash
from fsgitops.secret.value import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.applied import Finished
    from fsgitops.model.plan import Change
    from fsgitops.routing.whereabouts import Cause, Whereabouts
    from fsgitops.switch.client import Switch
    from fsgitops.switch.replies import Channel

LOOKUPS = 2000
"""Most users asked for one by one: a look-up walks the lists, up to 13 ms each of 100,000."""
FLUSH_CACHE = "xml_flush_cache"
RELOAD_ACL = "reloadacl"
END_VERTO = "verto noperm SESSION methods verto"
"""For each mod_verto session of these users; who has one is known only then."""

_HASH = "param a1-hash"
_HASHED = {"param password": _HASH, "param vm-password": "param vm-a1-hash"}
"""Secrets, and what may stand in their places (sofia_reg.c, mod_voicemail.c)."""
_CIDR = "user@cidr"
_LIST = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ALIASED = f"user@{ALIAS}"
_LATER = re.compile(r"user ([0-9]+)(?:/(.*)|(@.*))?", re.DOTALL)
# `sofia/internal/1020@pbx.example.com`, with `sip:` before the user where the switch called it.
_LEG = re.compile(r"sofia/[^/]+/(?:sips?:)?([^@;]+)@")


def _folders(address: Address) -> tuple[str, ...]:
    places = address.places
    return (places.groups if address.sharded else places.directory,)


def _place(path: str, _address: Address) -> str:
    """Users of all folders are of one domain; who lies where, the folder tells."""
    return path.rpartition("/")[0]


def _locate(_place: str, address: Address) -> Located:
    return Located("domain", address.domain)


def find_users(domain: Any) -> Iterator[tuple[str, Any]]:
    """Yield the users of a `<domain>` that a look-up passes, in the order in which it does.

    FreeSWITCH searches only the first `<users>` of each `<group>` (docs/freeswitch.md,
    "Directory").
    """
    for groups in domain.iterchildren("groups"):
        for group in groups.iterchildren("group"):
            users = group.find("users")
            if users is not None:
                yield from _named(users)
    for users in domain.iterchildren("users"):
        yield from _named(users)
    yield from _named(domain)


def _rest(domain: Any) -> Flat:
    """A file may hold a group, and is then the whole of it."""
    return {
        f"{GROUP} {quote_name(group.get('name', ''))}": GROUP
        for groups in domain.iterchildren("groups")
        for group in groups.iterchildren(GROUP)
    }


def _named(users: Any) -> Iterator[tuple[str, Any]]:
    """A user goes by what is dialled for him; a look-up finds him by his id as well."""
    for user in users.iterchildren("user"):
        alias = user.get(ALIAS)
        if alias is not None:
            yield alias, user
        yield user.get("id", ""), user


def _split(said: Flat) -> tuple[dict[str, Flat], Flat]:
    """The first user's names have no prefix; a later one's do, and lose it here.

    What stands beside the users, but for a group around them, cannot be told from the first one's
    own.
    """
    rest = {key: value for key, value in said.items() if is_frame(key, value)}
    if "user" not in said:
        return {}, said
    if "user 2" not in said:
        name = said.get(_ALIASED, said["user"])
        return {name: {k: v for k, v in said.items() if k not in rest}}, rest
    users: dict[str, dict[str, str]] = {"1": {}}
    for key, value in said.items():
        found = _LATER.fullmatch(key)
        if key in rest:
            continue
        if found is None:
            users["1"][key] = value
        else:
            own = found[2] if found[2] is not None else f"user{found[3] or ''}"
            users.setdefault(found[1], {})[own] = value
    named: dict[str, Flat] = {}
    for number, user in users.items():
        name = user.get(_ALIASED, user["user"])
        # A second user of one name is never found: it has to be missed.
        named[name if name not in named else f"{name} #{number}"] = user
    return named, rest


def _lacking(address: Address) -> tuple[str, str]:
    return "domain", f"the switch holds no domain {address.domain}"


def _is_pointer(held: Flat) -> bool:
    """Tell whether this is a pointer that holds nothing: no phone can register as it."""
    return held.get("user@type", "").lower() == "pointer" and held.keys() == {"user", "user@type"}


def _cost(change: Change) -> tuple[Danger, ...]:
    """Deleting a user ends its registration, and so does another password at the next REGISTER.

    `reloadxml` itself ends no registration and no call (docs/limits.md).
    """
    if change.action is Action.DELETE or (
        change.action is Action.UPDATE
        and any(item.name in CREDENTIALS and not item.same for item in change.attributes)
    ):
        return (Danger.RELOAD, Danger.REGISTRATION)
    return (Danger.RELOAD,)


def _load(changes: Sequence[Change], _address: Address) -> tuple[ReloadStep, ...]:
    """A user that is cached outlives a reload (docs/freeswitch.md, "Directory")."""
    because = "cached users (`cacheable`) stay in memory after a reload"
    steps = [ReloadStep(FLUSH_CACHE, because)] if changes else []
    if any(change.networks for change in changes):
        steps.append(ReloadStep(RELOAD_ACL, "ACLs take in the networks of users (`cidr`)"))
    return tuple(steps)


def _finish(
    changes: Sequence[Change], address: Address, kick_rotated: bool
) -> tuple[ReloadStep, ...]:
    """A registration outlives its user (docs/freeswitch.md, "Agents"), and so does a session.

    With `kick_rotated`, phones that registered with a password that is no longer valid have to
    register again. One that registered as another user never rings again, and is ended.
    """
    steps: list[ReloadStep] = []
    who: list[str] = []
    for change in changes:
        kind, name = change.resource
        login = change.login or name
        if change.action is Action.DELETE:
            because = f"{kind} {name} is deleted, and its phone would stay registered"
            who.append("a deleted agent")
        elif not change.rotated:
            continue
        elif any(attribute.name == "user" for attribute in change.attributes):
            because = f"{kind} {name} has another user, and its phone would stay registered"
            who.append("an agent with a former user")
        elif kick_rotated:
            because = f"{kind} {name} gets a new password, and its phone must register with it"
            who.append("an agent with a former password")
        else:
            continue
        command = flush_command(login, address)
        steps.append(ReloadStep(command, because, of=(name,), logins=(login,)))
    if steps:
        because = (
            f"{' or '.join(dict.fromkeys(who))} that is logged in by mod_verto could still call "
            "(sent only where there is such a session)"
        )
        names = tuple(name for step in steps for name in step.of)
        logins = tuple(login for step in steps for login in step.logins)
        steps.append(ReloadStep(END_VERTO, because, of=names, logins=logins))
    return tuple(steps)


def flush_command(name: str, address: Address) -> str:
    """Return the command that ends all registrations of a user; it is fine if there are none."""
    return f"sofia profile {address.profile} flush_inbound_reg {name}@{address.domain}"


def _end(switch: Switch, steps: Sequence[ReloadStep], address: Address) -> Finished:
    """End the registrations and sessions of these users, of those who have any."""
    from fsgitops.model.applied import Finished

    held = _registered(switch, address).keys()
    ended: dict[str, str] = {}
    for step in steps:
        if step.command != END_VERTO and not held.isdisjoint(step.logins):
            run_step(switch, step)
            ended.update(zip(step.of, step.logins, strict=True))
    there = _registered(switch, address).keys() if ended else set()
    left = {name for name, login in ended.items() if login in there}
    sessions: dict[str, int] = {}
    for step in steps:
        if step.command == END_VERTO:
            on = {one.user for one in switch.verto_users() if one.domain == address.domain}
            for name, login in sorted(zip(step.of, step.logins, strict=True)):
                if login not in on:
                    continue
                sessions[name], refused = switch.end_verto_sessions(login, address.domain)
                left |= {name} if refused else set()
    return Finished(frozenset(ended), sessions, frozenset(left))


def _registered(switch: Switch, address: Address) -> Counter[str]:
    phones = switch.registrations(address.profile)
    return Counter(item.user for item in phones if item.domain == address.domain)


def _runs(
    switch: Switch, wanted: Sequence[Wanted], address: Address, _place: str
) -> Iterable[tuple[str, str]]:
    """Ask for the users as a registration does, by their ids: the first that matches counts.

    Of more than 2,000, so many are asked for, spread evenly.
    """
    stride = -(-len(wanted) // LOOKUPS) if wanted else 1
    asked = wanted[::stride]
    answers = switch.user_params_many(
        [
            ((item.said or {}).get("user", item.name), address.domain, "param", "a1-hash")
            for item in asked
        ]
    )
    yield from _find_shut_out(switch, asked, address)
    for item, answer in zip(asked, answers, strict=True):
        if answer != (None if item.said is None else item.said.get(_HASH)):
            yield (
                item.name,
                "deleted, but the switch still finds credentials"
                if item.said is None
                else "the switch does not find the declared credentials",
            )


def _find_shut_out(
    switch: Switch, asked: Sequence[Wanted], address: Address
) -> Iterable[tuple[str, str]]:
    """Yield whose networks no ACL that takes in the domain's users lets in.

    What an ACL holds cannot be listed, only asked for one address (mod_commands, `acl`).
    """
    networks = {item.name: item.said[_CIDR] for item in asked if item.said and _CIDR in item.said}
    lists = _find_lists(switch, address.domain) if networks else []
    for name, said in networks.items():
        if not lists:
            told = f'no ACL takes in the users of {address.domain}: put <node type="allow" '
            yield name, f'{told}domain="{address.domain}"/> into a list of acl.conf.xml'
        for network in said.split(","):
            ip = network.partition("/")[0]
            for acl in lists:
                if not switch.in_acl(ip, acl):
                    yield name, f"the ACL {acl} does not let in {network}"


def _find_lists(switch: Switch, domain: str) -> list[str]:
    """Return the ACLs that take in the users of a domain; of two of a name, the last counts."""
    answer = switch.locate("configuration", "configuration", "acl.conf")
    found: dict[str, bool] = {}
    for acl in parse_answer(answer).iter("list") if answer else ():
        found[acl.get("name", "")] = any(
            node.get("domain", "").lower() == domain.lower()
            and node.get("type", acl.get("default", "allow")) == "allow"
            for node in acl.iterchildren("node")
        )
    return [name for name, takes in found.items() if takes and _LIST.fullmatch(name)]


def _has_networks(file: bytes) -> bool:
    return b" cidr=" in file


def _busy(switch: Switch, logins: Mapping[str, str], address: Address) -> Mapping[str, Doing]:
    registered = _registered(switch, address)
    calls = count_legs(switch.channels(), logins)
    return {name: Doing(registered[login], calls[name]) for name, login in logins.items()}


def _kept(
    before: Mapping[str, str], after: Mapping[str, str], domain: str, expand: Callable[[str], str]
) -> Iterator[str]:
    """Yield the secrets that stay: one is what the other is the a1-hash of."""
    user = after.get("user", "")
    if not user or before.get("user") != user:
        return
    for plain, hashed in _HASHED.items():
        for one, other in ((before, after), (after, before)):
            if one.get(plain) and hashed in other and hashed not in one and plain not in other:
                password = Secret(expand(one[plain]))
                if a1_hash(user, domain, password).reveal() == other[hashed].lower():
                    yield from (plain, hashed)


def _login(file: bytes) -> str:
    return flatten_fragment(file).get("user", "") if ALIAS.encode() in file else ""


def count_legs(channels: Iterable[Channel], logins: Mapping[str, str]) -> Counter[str]:
    """Return how many legs each user has a part in: it is called, calls, or is the leg's phone.

    `logins` are by what is dialled for each.

    A caller from outside can claim any number, so this may count too much and never too little.
    """
    legs: Counter[str] = Counter()
    names = {login: name for name, login in logins.items()} | {name: name for name in logins}
    for channel in channels:
        leg = _LEG.match(channel.name)
        parts = {channel.caller_number, channel.destination, leg[1] if leg else ""}
        legs.update({names[part] for part in parts & names.keys()})
    return legs


def _why(found: Whereabouts, path: str, name: str, address: Address) -> Cause | None:
    grouped = path.rpartition("/")[0] == address.places.groups
    return found.explain_user(path, name, address.domain, grouped=grouped)


def _where(places: Whereabouts, name: str, _place: str, address: Address) -> str:
    found = places.find_user(name, address.domain)
    return str(found) if found else ""


DIRECTORY: Final = Home(
    name="directory",
    paths=tuple(f"directory{'/*' * deep}.xml" for deep in range(1, 5)),
    place=_place,
    section="directory",
    element="user",
    key="id",
    folders=_folders,
    locate=_locate,
    inside=find_users,
    flatten=flatten_element,
    split=_split,
    rest=_rest,
    missing="the switch does not hold this user",
    still="deleted, but the switch still holds the user",
    lacking=_lacking,
    is_empty=_is_pointer,
    why=_why,
    where=_where,
    cost=_cost,
    load=_load,
    finish=_finish,
    end=_end,
    runs=_runs,
    busy=_busy,
    login=_login,
    kept=_kept,
    networks=_has_networks,
)
