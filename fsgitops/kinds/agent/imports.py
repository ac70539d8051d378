"""Users that people wrote by hand, as agents say them: the other way round of user.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.kinds.agent.drafts import user_path
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.agent.rules import judge_pin
from fsgitops.kinds.agent.secrets import PASSWORD, PIN
from fsgitops.kinds.agent.user import (
    WEBRTC_VARIABLES,
    encode_caller_name,
    user_params,
    user_variables,
)
from fsgitops.model.imports import Brought, Kept, Known, Reason
from fsgitops.model.noun import make_noun
from fsgitops.model.params import judge_param
from fsgitops.model.variables import judge_own_name, judge_variable
from fsgitops.phone import is_extension, is_user_name
from fsgitops.routing.directory import descend
from fsgitops.routing.tree import fold
from fsgitops.secret.source import is_hash
from fsgitops.secret.value import Secret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fsgitops.model.kind import Site
    from fsgitops.routing.directory import LocatedUser
    from fsgitops.routing.handwritten import Handwritten
    from fsgitops.routing.tree import Element

_FALSE: Final = frozenset(("no", "off", "false", "f", "disabled", "inactive", "disallow", "0"))
_TRUE: Final = frozenset(("yes", "on", "true", "t", "enabled", "active", "allow"))
_MAIL_DEFAULTS: Final = {
    "vm-email-all-messages": "false",
    "vm-attach-file": "false",
    "vm-keep-local-after-email": "true",
}
"""What an agent's address sets to true, as FreeSWITCH has it (deliver_vm in mod_voicemail.c)."""
_CALLER: Final = (
    *("effective_caller_id_name", "effective_caller_id_number"),
    *("outbound_caller_id_name", "outbound_caller_id_number", "accountcode"),
)
_LISTS: Final = ("toll_allow", "callgroup")
_SECRETS: Final = frozenset(("password", "a1-hash", "vm-password", "vm-a1-hash"))


def import_users(hand: Handwritten, site: Site) -> Iterator[Brought | Kept]:
    """Yield every user of the target's domain as an agent, or why it stays as it is."""
    for name, domain, many in hand.other_domains(site.domain):
        why = f"its {many} users stay: the target's domain is {site.domain}"
        place = hand.place(domain)
        yield Kept(f"domain {name}", place, (Reason(place, why),))
    first: dict[str, str] = {}
    for user in hand.users(site.domain):
        reader = _User(hand, site, user)
        name = fold(reader.extension or reader.id)
        if name in first:
            reader.refuse(user.element, f"{first[name]} is found in its place: it comes first")
        first.setdefault(name, f"{reader.place.file}:{reader.place.line}")
        yield reader.read()


class _User:
    """Reads one user; what FreeSWITCH acts on is what it, its group and its domain say together."""

    def __init__(self, hand: Handwritten, site: Site, user: LocatedUser) -> None:
        self.hand = hand
        self.site = site
        self.user = user
        self.place = hand.place(user.element)
        self.id = user.element.attributes.get("id", "")
        alias = user.element.attributes.get("number-alias", "")
        self.extension = alias or (self.id if is_extension(self.id) else "")
        self.reasons: list[Reason] = []
        self.secrets: dict[str, Known] = {}
        self.again: dict[str, str] = {}
        self.values: dict[str, object] = {}
        self.variables_of_site: list[str] = []
        self.params = self.own("params", "param")
        self.variables = self.own("variables", "variable")

    def refuse(self, element: Element, why: str) -> None:
        self.reasons.append(Reason(self.hand.place(element), self.hand.hide(why)))

    def own(self, box: str, tag: str) -> dict[str, Element]:
        """Return what the user itself says, by names in small letters; the last of each counts."""
        found = descend(self.user.element, box, tag)
        return {
            fold(item.attributes["name"]): item
            for item in found
            if "name" in item.attributes and "value" in item.attributes
        }

    def variable(self, name: str) -> str | None:
        return self.user.value("variables", name)

    def param(self, name: str) -> str | None:
        return self.user.value("params", name)

    def read(self) -> Brought | Kept:
        """Return the agent, or why it stays."""
        self._read_identity()
        if self.extension:
            self._check_group()
            self._read_fields()
            self._read_voicemail()
            self._read_password()
            self._read_params()
            self._read_variables()
        changes = () if self.reasons else tuple(self._compare())
        if self.reasons:
            return Kept(f"user {self.hand.hide(self.id)}", self.place, tuple(self.reasons))
        comments = self.hand.comments(self.user.element)
        return Brought(
            Agent.kind, self.extension, self.values, self.place, comments,
            self.secrets, self.again, changes, tuple(self.variables_of_site),
        )  # fmt: skip

    def _read_identity(self) -> None:
        element = self.user.element
        if not self.extension:
            self.refuse(element, "it has no number: give it a number-alias of digits")
        elif not is_extension(self.extension):
            self.refuse(element, f"its number-alias {self.extension} is not 2 to 11 digits")
        elif self.id != self.extension:
            if is_user_name(self.id):
                self.values["user"] = self.id
            else:
                self.refuse(element, "phones register as a number that is not the one dialled")
        for name, value in element.attributes.items():
            if name in ("id", "number-alias") or (name == "mailbox" and value == self.extension):
                continue
            if name == "cacheable" and fold(value) in (*_TRUE, *_FALSE):
                self.values["cacheable"] = fold(value) in _TRUE
            elif name == "type" or name not in Agent.model_fields:
                self.refuse(element, f"the attribute {name} of a user cannot be declared")
            else:
                self.values[name] = _split(value)
        for child in element.children:
            empty = not child.children
            if child.name not in ("params", "variables") and not empty:
                self.refuse(child, f"<{child.name}> of a user cannot be declared")

    def _check_group(self) -> None:
        """Refuse to take a user out of a group that is called: it would not ring any more."""
        path = self._path()
        home = self.hand.home_of(path)
        if self.user.group is None or home is None or self.place.file == path:
            return
        name = self.user.group.attributes.get("name", "")
        there = home.group.attributes.get("name", "") if home.group else ""
        if name != there and self.hand.calls_group(name):
            self.refuse(
                self.user.element,
                f"it is in the group {name}, which is called, and its file would not be",
            )

    def _read_fields(self) -> None:
        name = self.variable("effective_caller_id_name") or self.variable("directory_full_name")
        self.values |= {
            "extension": self.extension,
            "name": name or self.id,
            "context": self.variable("user_context") or self.hand.starts,
            "toll_allow": _split(self.variable("toll_allow")),
            "groups": _split(self.variable("callgroup")),
            "webrtc": all(fold(self.variable(name) or "") == "true" for name in WEBRTC_VARIABLES),
        }

    def _read_voicemail(self) -> None:
        enabled = fold(self.param("vm-enabled") or "true") not in _FALSE
        mail = self.param("vm-mailto")
        self.values["voicemail"] = {"enabled": enabled, **({"email": mail} if mail else {})}
        # Without one of its own, a mailbox opens with the SIP password (mod_voicemail.c).
        pin = self.param("vm-password") or (self.param("password") if enabled else None)
        hashed = self.param("vm-a1-hash") or ("" if pin or not enabled else self.param("a1-hash"))
        why = judge_pin(pin, self.extension) if pin else "it had none"
        if is_hash(hashed or ""):
            self.secrets[PIN] = Known(Secret((hashed or "").lower()), hashed=True)
        elif pin and not why:
            self.secrets[PIN] = Known(Secret(pin))
        elif enabled:
            self.again[PIN] = (why or "").removeprefix("the voicemail PIN is ")

    def _read_password(self) -> None:
        # With both, FreeSWITCH takes the hash (sofia_reg_parse_auth in sofia_reg.c).
        hashed, password = self.param("a1-hash") or "", self.param("password") or ""
        if is_hash(hashed):
            self.secrets[PASSWORD] = Known(Secret(hashed.lower()), hashed=True)
        elif hashed:
            self.refuse(self.params.get("a1-hash", self.user.element), "its a1-hash is none")
        elif password and password.isprintable():
            self.secrets[PASSWORD] = Known(Secret(password))
        else:
            self.again[PASSWORD] = "it had none: anybody could register as it"

    def _read_params(self) -> None:
        voicemail = self.values["voicemail"]
        mails = isinstance(voicemail, dict) and "email" in voicemail and voicemail["enabled"]
        found: dict[str, str] = {}
        if mails:
            found = {
                name: usual
                for name, usual in _MAIL_DEFAULTS.items()
                if usual == "false" and self.param(name) is None
            }
        given = {*_SECRETS, "vm-enabled", "vm-mailto"}
        for name, item in self.params.items():
            value = item.attributes["value"]
            if name in given or value == self._inherited("params", name):
                continue
            if mails and name in _MAIL_DEFAULTS and fold(value) == "true":
                continue
            if self.hand.takes_secret(item):
                self.refuse(item, f"{name} has a value that may be a secret")
            if refusal := judge_param(name, value):
                self.refuse(item, refusal.message)
            found[name] = value
        if found:
            self.values["params"] = found

    def _read_variables(self) -> None:
        found: dict[str, str] = {}
        given = {"user_context", *_LISTS, *_CALLER}
        if self.values["webrtc"]:
            given |= {*WEBRTC_VARIABLES}
        own = self.site.own_variables
        for name, item in self.variables.items():
            value = item.attributes["value"]
            if name in given or value == self._inherited("variables", name):
                continue
            value = self._text(name, item, own)
            refusal = judge_variable(name, value, own)
            if refusal and refusal.kind == "unknown" and judge_own_name(name) is None:
                self.variables_of_site.append(name)
                refusal = judge_variable(name, value, {*own, name})
            if refusal:
                self.refuse(item, refusal.message)
            found[item.attributes["name"]] = value
        self.values["variables"] = found
        self._read_caller()

    def _text(self, name: str, item: Element, own: Collection[str]) -> str:
        """Return a value as it is written: `$${name}` where that may be declared."""
        written = self.hand.written_global(item)
        if written and judge_variable(name, written, own) is None:
            return written
        if self.hand.takes_secret(item):
            self.refuse(item, f"{name} has a value that may be a secret")
        if "%{" in item.attributes["value"]:
            self.refuse(item, f"only the switch knows the value of {name}")
        return item.attributes["value"]

    def _read_caller(self) -> None:
        """Find the fields that make the caller IDs and the account; else they are variables."""
        shown, outside = (self.variable(f"{x}_caller_id_name") for x in ("effective", "outbound"))
        if shown and shown == outside:
            self.values["caller_id_name"] = shown
        number = self.variable("effective_caller_id_number")
        both = number == self.variable("outbound_caller_id_number")
        if number and both and number.startswith("+"):
            self.values["caller_id_number"] = number
        made, _ = make_noun(Agent, {**self.values, "variables": {}, "params": {}})
        if made is None:
            return
        becomes = user_variables(made, self.site)
        found = self.values["variables"]
        assert isinstance(found, dict)
        for name in _CALLER:
            now, then = self.variable(name), self.hand.expand(becomes[name])
            if now is None or now == then or (now and encode_caller_name(now) == then):
                continue
            item = self.variables.get(name)
            text = self._text(name, item, ()) if item else now
            if refusal := judge_variable(name, text, ()):
                self.refuse(item or self.user.element, refusal.message)
            found[name] = text

    def _inherited(self, box: str, name: str) -> str | None:
        """Return what the group and the domain say where the agent's file will stand."""
        home = self.hand.home_of(self._path())
        return home.value(box, name) if home else None

    def _inherited_names(self, box: str, tag: str) -> Iterator[str]:
        for parent in (self.user.group, self.user.domain):
            for item in descend(parent, box, tag):
                if "name" in item.attributes:
                    yield fold(item.attributes["name"])

    def _path(self) -> str:
        made, _ = make_noun(Agent, {"extension": self.extension, "name": "x"})
        return user_path(made, self.site) if made else ""

    def _compare(self) -> Iterator[str]:
        """Yield what the agent's user holds that this one did not, and refuse what is lost."""
        made, faults = make_noun(Agent, self.values)
        for fault in faults:
            path = ".".join(map(str, fault.path))
            self.refuse(self.user.element, f"`{path}` cannot hold what stands there")
        if made is None:
            return
        home = self.hand.home_of(self._path())
        for box, tag, then in (
            ("variables", "variable", user_variables(made, self.site)),
            ("params", "param", user_params(made, "", "")),
        ):
            becomes = {fold(name): self.hand.expand(value) for name, value in then.items()}
            names = {*becomes, *self.own(box, tag), *self._inherited_names(box, tag)}
            for name in sorted(names - _SECRETS - {"vm-enabled"}):
                now = self.user.value(box, name) or _MAIL_DEFAULTS.get(name)
                after = becomes.get(name, home.value(box, name) if home else now)
                if _same(name, now, after) or name.startswith("fsgitops_"):
                    continue
                if now is None or (name in becomes and encode_caller_name(now) == after):
                    yield f"{name}={after}"
                    continue
                told = f"become {after or 'empty'}" if name in becomes else "not be what it is"
                self.refuse(self.own(box, tag).get(name, self.user.element), f"{name} would {told}")


def _same(name: str, now: str | None, after: str | None) -> bool:
    if name in _LISTS:
        return _split(now) == _split(after)
    return (now or "") == (after or "")


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]
