"""What an apply would do: every change, every reload step, and what stands in the way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from fsgitops.model.permission import PERMISSIONS
from fsgitops.schema_parts import count, flag, list_of, maybe_text, rows_of, text, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.model.impact import Impact
    from fsgitops.model.resource import Resource
    from fsgitops.model.verdict import Tests

PLAN_VERSION = 1
MASK = "(secret)"
SAME = "(the same secret)"
"""What stands for a secret that a hash takes the place of, or the other way round."""
CREDENTIALS = frozenset(("user", "param a1-hash"))
"""Attributes whose change a registered phone notices: it is refused when it registers again."""

SECRET_WORDS: Final = ("a1-hash", "passw", "secret", "token", "-pass", "_pin", "auth-key")
"""What the name of a secret has in it, in letters of any case."""
_SECRET_NAME = re.compile(
    r"((^|/)(user \d+/)?(param|variable) \"?[\w .:-]*|@[\w.:-]*)"
    r"(a1-hash|passw|secret|token|-pass\b|_pin\b|auth-key)",
    re.IGNORECASE,
)
HASH_LENGTH: Final = 32
_HASH = re.compile(r"[0-9A-Fa-f]{32}")
_DIRECTIVE = re.compile(r"X-PRE-PROCESS \d+( #\d+)?")
_ASSIGNED = re.compile(
    r"(passw|secret|token|a1-hash|auth-key|_pin\b)[^\s=,;]{0,40}=", re.IGNORECASE
)
_NAMELESS = re.compile(r"(^|/)(param|variable)( #?\d+)?(@|$)")
"""Who edits a secret by hand may break its name, or put the value into another attribute."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest share of the managed resources that one plan may delete or update, in percent.

    Below `minimum` managed resources there is no limit.
    """

    deletes_percent: float = 30
    updates_percent: float = 50
    minimum: int = 10


@lru_cache(maxsize=4096)
def is_secret_attribute(name: str) -> bool:
    """Tell whether an attribute, named as `flatten_fragment` names it, holds a secret."""
    told = name.lower()
    if not ("param" in told or "variable" in told or "@" in told):
        return False  # as nearly every name of a dialplan: neither expression can find anything
    return bool(_SECRET_NAME.search(name) or _NAMELESS.search(name))


def is_secret(name: str, *values: str | None) -> bool:
    """Tell whether an attribute is a secret by its name, or by what it holds before or after.

    That is the hash of a password, an assignment to a name that says so, and whatever a line of
    the preprocessor sets or runs: only which files it includes is shown.
    """
    if is_secret_attribute(name):
        return True
    is_line = name.startswith("X-PRE-PROCESS") and _DIRECTIVE.fullmatch(name)
    for value in values:
        if value is None:
            continue
        if is_line:
            if not value.lower().startswith("include "):
                return True
        elif (len(value) == HASH_LENGTH and _HASH.fullmatch(value)) or (
            "=" in value and _ASSIGNED.search(value)
        ):
            return True
    return False


class Action(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Danger(StrEnum):
    """What a change can cost while it is carried out. Each class has a permission of its name."""

    NOTHING = "nothing"
    RELOAD = "reload"
    REGISTRATION = "registration"
    GATEWAY_RESTART = "gateway-restart"
    CALLS = "calls"


_ATTRIBUTE = ["user 1020/variable effective_caller_id_name"]
_RESOURCES = ["agent:1020", "did:+19495431333"]
_DANGERS = list_of(
    word("One of them.", *Danger), "What the change can cost while it is carried out."
)


class Baseline(Enum):
    """What a plan was compared with, and what it means that nothing differs from it."""

    LIVE = "every managed file is as declared"
    RECORDING = "the recorded state is as declared"
    REVISION = "both revisions compile to the same files"
    EARLIER = "every managed file is as it was then"


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute, before and after. A secret's values are never held, only that they differ."""

    name: str = field(metadata=text("The attribute.", examples=_ATTRIBUTE))
    before: str | None = field(metadata=maybe_text("What is live; null: nothing."))
    after: str | None = field(metadata=maybe_text("What it becomes; null: nothing."))
    secret: bool = field(default=False, metadata=flag("The values are masked."))

    @property
    def same(self) -> bool:
        """Tell whether it is a secret that stays: a hash takes its place, or gives way."""
        return self.secret and SAME in (self.before, self.after)


def compare_attribute(
    name: str, before: str | None, after: str | None, *, same: bool = False
) -> AttributeChange:
    """Return what an attribute becomes, its values masked where it is a secret.

    `same`: it is a secret that stays, as its hash or as what that hides.
    """
    if is_secret(name, before, after):
        sides = [value and SAME if same else mask(value) for value in (before, after)]
        return AttributeChange(name, sides[0], sides[1], secret=True)
    return AttributeChange(name, before, after)


def mask(value: str | None) -> str | None:
    """Return what stands for a secret where there is one."""
    return None if value is None else MASK


ATTRIBUTES = rows_of("What differs.", AttributeChange)
SOURCE = text("Where it is declared: FILE:LINE:COLUMN.")
DRIFTED = flag("Somebody else changed the file since the last apply.")


@dataclass(frozen=True, slots=True)
class Change:
    """One resource and its file. `drifted`: somebody else changed the file since the last apply.

    The digests are keyed with the project key (empty where there is none, or no file). A rename is
    a deletion and a creation that name each other in `renamed_to` and `renamed_from`. `dangers`
    says what the change can cost, whoever is registered or on a call. `moves` says what of an
    ordered list moved, came or went; `restored`, that a file that is gone is written as it was
    applied; `login` is what its phones are registered as, where that is not its name (of a
    creation: what they will be); `networks`, that the element has networks, or had, which ACLs take
    in. These are told to a reader of a fresh plan, and not saved.
    """

    action: Action = field(metadata=word("What happens.", *Action))
    resource: Resource = field(metadata=text("KIND:NAME", examples=_RESOURCES))
    path: str = field(metadata=text("The file, below the conf directory."))
    source: str = field(default="", metadata=SOURCE)
    drifted: bool = field(default=False, metadata=DRIFTED)
    before_digest: str = field(default="", metadata=text("A keyed digest of what is live."))
    after_digest: str = field(default="", metadata=text("A keyed digest of what it becomes."))
    dangers: tuple[Danger, ...] = field(default=(), metadata=_DANGERS)
    renamed_from: Resource | None = field(
        default=None, metadata=maybe_text("The former resource of a rename; null: none.")
    )
    renamed_to: Resource | None = field(
        default=None, metadata=maybe_text("The new resource of a rename; null: none.")
    )
    attributes: Sequence[AttributeChange] = field(default=(), metadata=ATTRIBUTES)
    moves: tuple[str, ...] = field(default=(), compare=False)
    restored: bool = field(default=False, compare=False)
    login: str = field(default="", compare=False)
    networks: bool = field(default=False, compare=False)

    @property
    def moved(self) -> bool:
        """Tell whether this is half of a move to another file.

        What else changes are the attributes of the half that creates.
        """
        other = self.renamed_from or self.renamed_to  # a move names itself, a rename another
        return other is not None and self.resource in (self.renamed_from, self.renamed_to)

    @property
    def effect(self) -> Change | None:
        """Return what happens to the resource: one that moves is an update, told by one half."""
        if not self.moved:
            return self
        update = replace(self, action=Action.UPDATE, renamed_from=None)
        return update if self.renamed_from else None

    @property
    def rotated(self) -> bool:
        """Tell whether this gives a live agent another SIP password."""
        return self.action is Action.UPDATE and any(
            attribute.name == "param a1-hash" and not attribute.same
            for attribute in self.attributes
        )


@dataclass(frozen=True, slots=True)
class ReloadStep:
    """One command for the switch, in order, and why it is needed.

    `answer` says who judges the reply (switch/replies.py), `pause` how many seconds to wait
    afterwards. `home` asked for it, for the elements that are named in `of`; `logins` is what the
    phones of each are registered as. One that is `late` is sent once the files are ours, where
    there is something to end. An apply plans again, so a saved plan has the texts alone.
    """

    command: str = field(metadata=text("What the switch is told.", examples=["reloadxml"]))
    because: str = field(metadata=text("Why that is needed."))
    answer: str = "ok"
    pause: float = 0.0
    home: str = ""
    late: bool = False
    of: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hazard:
    """Something that stops the plan until a person has looked: never followed, never replaced."""

    rule: str = field(metadata=text("What kind of hazard.", examples=["foreign-file"]))
    path: str = field(metadata=text("Where, below the conf directory."))
    message: str = field(metadata=text("What was found."))
    hint: str = field(default="", metadata=text("What to do about it."))


@dataclass(frozen=True, slots=True)
class Need:
    """A permission that the plan needs, why, and whether it is given (by settings or --allow)."""

    permission: str = field(metadata=word("Its name.", *PERMISSIONS))
    because: str = field(metadata=text("What needs it."))
    allowed: bool = field(default=False, metadata=flag("It is given, by settings or --allow."))


@dataclass(frozen=True, slots=True)
class ResourceActivity:
    """What a phone that the plan deletes, or ends the registration of, is doing now."""

    resource: Resource = field(metadata=text("KIND:NAME", examples=["agent:1020"]))
    registrations: int = field(default=0, metadata=count("Its registered phones."))
    calls: int = field(default=0, metadata=count("Its call legs."))


@dataclass(frozen=True, slots=True)
class Activity:
    """What the switch said of the resources concerned; `problem` where it could not be asked."""

    resources: tuple[ResourceActivity, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan. `fingerprint` ties an apply to it; `live_digest` to what it was made from.

    `unknown_secrets` says that no key was at hand: such a plan can be read but not applied.
    A `partial` plan is what `only` and `exclude` chose; `left_out` changes stay undone. `activity`
    is None where the switch was not asked; like `needs`, it is no part of the fingerprint.
    `impact` is what changes for callers; None where nobody looked, as in plans of earlier releases.
    `tests` is what became of expectations, None where there are none; like `needs`, it is no part
    of the fingerprint. `unloaded` is what an apply without a reload left behind: this one has it
    loaded. `baseline` is for the reader of a plan that was just made, and is not saved.
    """

    project: str
    target: str
    conf_dir: str
    domain: str
    changes: tuple[Change, ...] = ()
    reloads: tuple[ReloadStep, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    warnings: tuple[str, ...] = ()
    unchanged: int = 0
    unmanaged: int = 0
    commit: str = ""
    dirty: bool = False
    live_digest: str = ""
    fingerprint: str = ""
    unknown_secrets: bool = False
    simulated: bool = False
    partial: bool = False
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    left_out: int = 0
    kick_rotated: bool = False
    needs: tuple[Need, ...] = ()
    activity: Activity | None = None
    unloaded: tuple[Change, ...] = ()
    baseline: Baseline = Baseline.LIVE
    impact: Impact | None = None
    tests: Tests | None = None

    @property
    def goes_back(self) -> bool:
        """Tell whether it is a roll-back: its passwords are those of then, not those declared."""
        return self.baseline is Baseline.EARLIER

    @property
    def renames(self) -> int:
        """Return how many resources move to another name."""
        return sum(1 for change in self.changes if change.renamed_from)

    @property
    def moves(self) -> int:
        """Return how many resources keep their name and move to another file."""
        return sum(change.moved for change in self.changes) // 2

    def count(self, action: Action) -> int:
        """Return how many changes are of this action; the two halves of a rename are neither."""
        return sum(
            1
            for change in self.changes
            if change.action is action and not (change.renamed_from or change.renamed_to)
        )

    def names(self, action: Action, kind: str) -> list[str]:
        """Return the names of the resources of one kind that this action happens to."""
        return [
            change.resource.name
            for change in self.changes
            if change.action is action and change.resource.kind == kind
        ]
