"""What we ask a switch, in the field's words. Answers come back as typed values.

Every argument is checked before it becomes part of a command: FreeSWITCH splits commands at
blanks, with quotes and backslashes of its own, so those never get through.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from fsgitops.errors import SwitchError, SwitchProtocolError
from fsgitops.esl.session import decode_json_object
from fsgitops.switch.calls import transfer_command, uuid_word
from fsgitops.switch.replies import (
    ABSENT,
    JUDGES,
    METHODS,
    NO_CHANNEL,
    NO_GATEWAY,
    NO_REPLY,
    NOT_LOCATED,
    STATUS,
    UNSET,
    Channel,
    Gateway,
    Registration,
    ReloadReply,
    VertoUser,
    read_channels,
    read_gateways,
    read_registrations,
    read_sessions,
    read_verto_users,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Self

    from fsgitops.esl.session import EslSession, EventQueue
    from fsgitops.switch.calls import Onward

MOST_EVENTS = 100_000
"""Events about gateways that may wait: the session that hears them is asked as well."""

Place = Literal["param", "var", "attr"]

_Answer = TypeVar("_Answer", str, bytes)
_Value = TypeVar("_Value")

_SHAPES = {
    # No word is empty or begins with `@`: without a user, a flush would end everybody's.
    "address": re.compile(r"[0-9A-Fa-f][0-9A-Fa-f.:]{1,44}|::[0-9A-Fa-f.:]{0,43}"),
    "command": re.compile(r"[a-z_]+( [A-Za-z0-9+*#_\[][A-Za-z0-9._@:+*#\[\]-]*)*"),
    "extension": re.compile(r"[A-Za-z0-9+*#_][A-Za-z0-9._+*#-]{0,127}"),
    "domain": re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:\[\]-]{0,254}"),
    "name": re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}"),
    "profile": re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}"),
    "located": re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9._@:+\[\]-]{0,254}"),
}


class Switch:
    """A running FreeSWITCH.

    Every method raises ValueError for an argument that could be more than an argument, before
    anything is sent; SwitchTimeoutError; SwitchUnreachableError; SwitchError with what the switch
    said when it refused; and SwitchProtocolError for an answer of the wrong shape.
    """

    def __init__(self, session: EslSession) -> None:
        self.session = session
        self._heard: EventQueue | None = None
        self._added: set[str] = set()

    def close(self) -> None:
        """End the session. Can be called again."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> str:
        """Return the version as FreeSWITCH words it."""
        return self._ask("version").strip()

    def uptime(self) -> int:
        """Return how many seconds the switch has been running."""
        said = self._ask("uptime").strip()
        if not (said.isascii() and said.isdigit() and len(said) < 19):
            raise self._strange("uptime", said, "a number of seconds")
        return int(said)

    def global_variable(self, name: str) -> str | None:
        """Return the value of a `$${name}`, or None where it is missing or empty."""
        return self._value(f"global_getvar {_checked('name', name)}")

    def global_variables(self) -> dict[str, str]:
        """Return every `$${name}` with its value: `global_getvar` without a name, in mod_commands.

        A value of several lines keeps the first of them, and the others as variables of their own.
        """
        lines = self._ask("global_getvar").splitlines()
        pairs = (line.partition("=") for line in lines)
        return {name: value for name, sign, value in pairs if sign}

    def module_exists(self, name: str) -> bool:
        """Tell whether a module (`mod_sofia`) is loaded."""
        return self._is_true(f"module_exists {_checked('name', name)}")

    def run(self, command: str, answer: str = "ok", *, timeout: float | None = None) -> ReloadReply:
        """Send one step of a reload, and have `answer` judge what is said (switch/replies.py).

        Not ok means that the switch keeps what it had. It takes up to 75 s to load 100,000 users
        in one list.
        """
        said = self.session.api_bytes(_checked("command", command), timeout=timeout)
        reply = JUDGES[answer](said.decode("utf-8", "replace"))
        if not reply.ok and reply.text.startswith(("-ERR", "-USAGE")):
            raise self._refused(command, reply.text)
        return reply

    def domain_exists(self, domain: str) -> bool:
        """Tell whether the loaded directory has this domain."""
        return self._is_true(f"domain_exists {_checked('domain', domain)}")

    def in_acl(self, ip: str, acl: str) -> bool:
        """Tell whether an ACL of a name lets an address in; an unknown one lets nobody in."""
        return self._is_true(f"acl {_checked('address', ip)} {_checked('name', acl)}")

    def users_exist(self, users: Iterable[tuple[str, str]]) -> list[bool]:
        """Tell for each (extension, domain) whether the loaded directory has it, pipelined."""
        commands = [
            f"user_exists id {_checked('extension', extension)} {_checked('domain', domain)}"
            for extension, domain in users
        ]
        said = self.session.api_many(commands)
        return [self._is_true(*pair) for pair in zip(commands, said, strict=True)]

    def user_params_many(self, wanted: Sequence[tuple[str, str, Place, str]]) -> list[str | None]:
        """Return many values, pipelined, in their order: (extension, domain, place, name) each.

        `user_data` finds users by id or by number-alias, so a user without that id can answer
        for one that has it as its alias: ask `users_exist` where that matters. Values may be
        secrets: do not show them.
        """
        commands = [_user_data(*one) for one in wanted]
        said = self.session.api_many(commands)
        return [self._as_value(*pair) for pair in zip(commands, said, strict=True)]

    def find_login(self, extension: str, domain: str) -> str:
        """Return what the phones of an extension register as: its user's id, or itself."""
        return self.user_params_many([(extension, domain, "attr", "id")])[0] or extension

    def locate(self, section: str, tag: str, name: str, *, timeout: float = 60.0) -> bytes | None:
        """Return a whole element as the switch holds it, in XML, found by its name; None: none.

        That is a domain of the directory, a context of the dialplan, and so on. FreeSWITCH compares
        names without regard to case (switch_xml_find_child), and of several of one name returns the
        first. With mod_xml_curl and its like, the bound service's answer comes instead of the
        files'.
        """
        found = self._ask_bytes(_locating(section, tag, name), timeout)
        return None if found == NOT_LOCATED.encode() else found

    def locate_into(
        self,
        sink: Callable[[bytes], None],
        section: str,
        tag: str,
        name: str,
        *,
        timeout: float = 60.0,
    ) -> bool:
        """Do the same, and hand the XML on as it comes; False where there is none."""
        command = _locating(section, tag, name)
        return self._ask_bytes(command, timeout, sink=sink) != NOT_LOCATED.encode()

    def stored(self, module: str, realm: str, key: str) -> str | None:
        """Return what mod_hash (`hash`) or mod_db (`db`) holds in a realm; None: nothing."""
        words = (_checked("name", module), _checked("name", realm), _checked("extension", key))
        said = self._value("{} select/{}/{}".format(*words))
        return said or None

    def registrations(self, profile: str = "internal") -> tuple[Registration, ...]:
        """Return who is registered at a SIP profile. Up to date, unlike `show registrations`."""
        command = f"sofia xmlstatus profile {_checked('profile', profile)} reg"
        said = self._ask(command)
        if said.startswith("Invalid Profile"):
            raise self._refused(command, said)
        return self._read(read_registrations, said)

    def count_phones(self, extension: str, domain: str) -> int:
        """Return how many legs `user/EXTENSION@DOMAIN` rings: those of the user whom it finds.

        Those are the phones of all SIP profiles, and mod_verto's sessions, as the `dial-string` of
        FreeSWITCH's own directory has them.
        """
        login = self.find_login(extension, domain)
        user = f"{_checked('extension', login)}@{_checked('domain', domain)}"
        said = self._value(f"sofia_contact */{user}") or ""
        phones = [part for part in said.split(",") if part.strip().startswith("sofia/")]
        return len(phones) + len(read_sessions(self.session.api(f"verto_contact {user}")))

    def verto_users(self) -> tuple[VertoUser, ...]:
        """Return who is logged in by mod_verto; nobody where it is not loaded."""
        said = self.session.api(STATUS)
        return () if said == ABSENT else self._read(read_verto_users, said)

    def end_verto_sessions(self, extension: str, domain: str) -> tuple[int, int]:
        """Take every method but `login` from a user's mod_verto sessions.

        Returns how many that were, and how many are still as before.
        """
        user = f"{_checked('extension', extension)}@{_checked('domain', domain)}"
        sessions = read_sessions(self.session.api(f"verto_contact {user}"))
        refused = [
            session
            for session in sessions
            if self.session.api(f"verto noperm {session} methods {METHODS}").strip() != "+OK"
        ]
        if refused:
            # A session that left meanwhile is refused as well.
            there = read_sessions(self.session.api(f"verto_contact {user}"))
            refused = [session for session in refused if session in there]
        return len(sessions) - len(refused), len(refused)

    def channels(self) -> tuple[Channel, ...]:
        """Return every leg that is up."""
        return self._read(read_channels, self._ask_bytes("show channels as json"))

    def gateway(self, name: str) -> Gateway | None:
        """Return a gateway by its name, as a call by `sofia/gateway/NAME/…` finds it, or None."""
        command = f"sofia xmlstatus gateway {_checked('name', name)}"
        said = self._ask(command)
        return None if said == NO_GATEWAY else self._read(read_gateways, said)[0]

    def gateways(self) -> tuple[Gateway, ...]:
        """Return the gateways of all SIP profiles that run."""
        return self._read(read_gateways, self._ask("sofia xmlstatus gateway"))

    def hear_gateways(self) -> None:
        """Note from now on which gateways come and go, for `added_gateways`."""
        names = ("CUSTOM", "sofia::gateway_add", "sofia::gateway_delete")
        self._heard = self.session.subscribe_json(names, max_queued=MOST_EVENTS)
        self._added = set()

    def await_gateway(self, seconds: float) -> None:
        """Wait until a gateway comes or goes, at most so long."""
        for body in self._heard.take(MOST_EVENTS, timeout=seconds) if self._heard else ():
            event = decode_json_object(body)
            if event.get("Event-Subclass") == "sofia::gateway_add":
                self._added.add(str(event.get("Gateway", "")))

    def added_gateways(self, wanted: Collection[str], seconds: float) -> frozenset[str] | None:
        """Return which gateways began since `hear_gateways`; None: nobody listened.

        An event comes a moment after its cause, so those that are wanted are waited for, so long.
        """
        if self._heard is None:
            return None
        until = time.monotonic() + seconds
        while not self._added.issuperset(wanted) and (left := until - time.monotonic()) > 0:
            self.await_gateway(left)
        return frozenset(self._added)

    def legs_of_gateways(self) -> Counter[str]:
        """Return how many legs go over each gateway, called by the switch or calling it.

        sofia_glue sets `sip_gateway_name` for a leg that it calls, and sofia.c `sip_gateway` for
        one that came to the gateway's own address.
        """
        legs = [leg.uuid for leg in self.channels() if leg.name.startswith("sofia/")]
        legs = list(filter(_SHAPES["name"].fullmatch, legs))
        names = ("sip_gateway_name", "sip_gateway")
        asked = [f"uuid_getvar {leg} {name}" for leg in legs for name in names]
        said = [answer.strip() for answer in self.session.api_many(asked)]
        pairs = (said[at : at + 2] for at in range(0, len(said), 2))
        return Counter(
            name
            for pair in pairs
            if (name := next((x for x in pair if x != UNSET and not x.startswith("-ERR")), ""))
        )

    def hang_up(self, uuid: str) -> bool:
        """End a leg, and with it its call; False when there is no such leg."""
        return self._on_channel(f"uuid_kill {uuid_word(uuid)}")

    def transfer(self, uuid: str, onward: Onward, *, other_leg: bool = False) -> bool:
        """Send a leg, or the one it is bridged to, elsewhere; False when there is no such leg."""
        return self._on_channel(transfer_command(uuid, onward, other_leg=other_leg))

    def _is_true(self, command: str, said: str | None = None) -> bool:
        said = self._ask(command) if said is None else said
        if said not in ("true", "false"):
            raise self._strange(command, said, "true or false")
        return said == "true"

    def _on_channel(self, command: str) -> bool:
        said = self.session.api(command)
        if said == NO_CHANNEL:
            return False
        if not said.startswith("+OK"):
            raise self._refused(command, said)
        return True

    def _value(self, command: str) -> str | None:
        return self._as_value(command, self.session.api(command))

    def _as_value(self, command: str, said: str) -> str | None:
        if said == NO_REPLY:
            return None
        # A value may begin with -ERR, as anything else; only the exact refusals are errors.
        if said == f"-ERR {command.split(' ', 1)[0]} Command not found!\n":
            raise self._refused(command, said)
        return said

    def _ask(self, command: str, timeout: float | None = None) -> str:
        return self._ask_bytes(command, timeout).decode("utf-8", "replace")

    def _ask_bytes(
        self, command: str, timeout: float | None = None, **more: Callable[[bytes], None]
    ) -> bytes:
        said = self.session.api_bytes(command, timeout=timeout, **more)
        if said.startswith((b"-ERR", b"-USAGE")):
            raise self._refused(command, said.decode("utf-8", "replace"))
        return said

    def _read(self, reader: Callable[[_Answer], _Value], answer: _Answer) -> _Value:
        try:
            return reader(answer)
        except SwitchProtocolError as exc:
            raise SwitchProtocolError(f"{self.session.place}: {exc}") from None

    def _refused(self, command: str, said: str) -> SwitchError:
        return SwitchError(f"{self.session.place}: {command}: the switch said {said[:200]!a}")

    def _strange(self, command: str, said: str, expected: str) -> SwitchProtocolError:
        return SwitchProtocolError(
            f"{self.session.place}: {command}: expected {expected}, found {said[:80]!a}"
        )


def _user_data(extension: str, domain: str, place: Place, name: str) -> str:
    if place not in get_args(Place):
        raise ValueError(f"'param', 'var' or 'attr' expected, found {place!a}")
    user = f"{_checked('extension', extension)}@{_checked('domain', domain)}"
    return f"user_data {user} {place} {_checked('name', name)}"


def _locating(section: str, tag: str, name: str) -> str:
    words = (_checked("name", section), _checked("name", tag), _checked("located", name))
    return "xml_locate {} {} name {}".format(*words)


def _checked(kind: str, value: str) -> str:
    if not _SHAPES[kind].fullmatch(value):
        raise ValueError(f"{value!a} cannot be used as {kind} in a command to the switch")
    return value
