"""The files of agents: a directory user for each, and the dialplan that all of them share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from fsgitops.kinds.agent.secrets import PASSWORD, PIN
from fsgitops.kinds.agent.user import refusals, user_params, user_variables
from fsgitops.model.compiled import UNKNOWN
from fsgitops.model.draft import Draft, DraftError
from fsgitops.phone import is_user_name
from fsgitops.places import USUAL_PLACES, Places
from fsgitops.routing.pattern import broken_expressions, strange_contexts
from fsgitops.secret.key import a1_hash
from fsgitops.secret.source import HashSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.kinds.agent.noun import Agent
    from fsgitops.model.draft import Elements, Leaf
    from fsgitops.model.kind import Secrets, Site, Survey
    from fsgitops.secret.source import Source
    from fsgitops.secret.value import Secret

CLOSING_EXTENSION: Final = "fsgitops_closed"

_PARAMS = ("user", "params")
_HIDDEN: Final = frozenset(((*_PARAMS, "a1-hash"), (*_PARAMS, "vm-a1-hash")))


def user_path(agent: Agent, site: Site) -> str:
    """Return the file of an agent's user; of a large site, that of 500 numbers in a row.

    It is known by the number alone, so nobody moves when others come and go.
    """
    return find_path(agent.extension, site.places, sharded=site.sharded)


def find_path(extension: str, places: Places, *, sharded: bool) -> str:
    """Return the file of a user; `sharded` where those of hundreds lie."""
    if sharded:
        return f"{places.groups}/agents_{_first_of(extension)}.xml"
    return f"{places.directory}/{extension}.xml"


def dialplan_path(site: Site) -> str:
    """Return the file in which agents ring."""
    return f"{site.places.dialplan}/{site.places.prefix}10_fsgitops_agents.xml"


def transfer_path(site: Site) -> str:
    """Return the file of the context that calls go to which somebody moves."""
    return f"{site.places.contexts}/{site.places.transfers}.xml"


def _first_of(extension: str) -> str:
    """Return the first of the numbers that share a file with this one."""
    whole = extension.zfill(3)
    return f"{whole[:-3]}{'0' if whole[-3] < '5' else '5'}00"


def _frame(agent: Agent) -> tuple[str, str]:
    """Return a `<group>` of its own: FreeSWITCH loads siblings in the square of their number.

    It searches only the first `<users>` of a group (docs/freeswitch.md, "Directory").
    """
    name = f"fsgitops_{_first_of(agent.extension)}"
    return f'  <group name="{name}">\n  <users>\n', "  </users>\n  </group>\n"


def draft_user(agent: Agent, site: Site, secrets: Secrets, _known: Any) -> Iterator[Draft]:
    """Yield the file of an agent's user. Raises DraftError for what no user may hold."""
    if not site.lengths.hold(agent.extension):
        raise DraftError(
            [f"an extension is {site.lengths}"], "it names a file and a dialled number"
        )
    if agent.user and not is_user_name(agent.user):
        raise DraftError(
            ["a user is a name of letters, digits, `.`, `_` and `-`"], "phones register as it"
        )
    if reasons := refusals(agent, site.own_variables):
        raise DraftError(reasons, "write it without what FreeSWITCH would act on")
    login = agent.sip_user
    sip_hash, voicemail_hash = (
        _hash(agent, site, secrets.get(name), source)
        for name, source in ((PASSWORD, agent.password), (PIN, agent.voicemail.pin))
    )
    user: dict[str, Leaf] = {
        "id": login,
        **({"number_alias": agent.extension} if agent.user else {}),
        **({"cacheable": "true"} if agent.cacheable else {}),
        **({"cidr": ",".join(agent.cidr)} if agent.cidr else {}),
        "params": user_params(agent, sip_hash, voicemail_hash),
        "variables": user_variables(agent, site),
    }
    yield Draft(
        user_path(agent, site), "agent.xml.j2", {"user": user}, hidden=_HIDDEN, prove=prove_user,
        frame=_frame(agent) if site.sharded else ("", ""),
    )  # fmt: skip


def _hash(agent: Agent, site: Site, secret: Secret | None, source: Source | None) -> str:
    if secret is None:
        return UNKNOWN
    if isinstance(source, HashSource):
        return secret.reveal()
    return a1_hash(agent.sip_user, site.domain, secret).reveal()


def prove_user(found: Elements, values: Mapping[str, Leaf]) -> list[str]:
    """Return why the template does not render exactly this user, if it does not."""
    user = cast("Mapping[str, Any]", values["user"])
    users = [(path, attributes) for path, attributes in found if path[-1] == "user"]
    if [path for path, _ in users] != [("user",)] or users[0][1].get("id") != user["id"]:
        return ['it must render exactly one <user id="{{ user.id }}">, inside <include>']
    for name in ("number-alias", "cacheable", "cidr"):
        key = name.replace("-", "_")
        said, wanted = users[0][1].get(name), user.get(key)
        # Whose agents declare nothing of it, may have all of them cached.
        if said != wanted and not (name == "cacheable" and wanted is None):
            return [
                f"it must render user.{key} as the user's {name} where it is defined, and no other"
            ]
    problems = []
    for box, tag in (("params", "param"), ("variables", "variable")):
        declared = user[box]
        if sum(path == ("user", box) for path, _ in found) != 1:
            problems.append(f"it must render exactly one <{box}> in <user>")
        names = {name.lower() for name in declared}
        there = [
            (attributes.get("name", ""), attributes.get("value"))
            for path, attributes in found
            if path[-1] == tag and attributes.get("name", "").lower() in names
        ]
        if sorted(map(str, there)) != sorted(map(str, declared.items())):
            problems.append(f"it must render each of user.{box} once, name and value as they are")
    return problems


def draft_dialplan(site: Site, _survey: Survey) -> Draft:
    """Return the dialplan in which agents ring, the same for any set of them."""
    values = {"domain": site.domain, "extensions": site.lengths.expression}
    return Draft(
        dialplan_path(site), "agents_dialplan.xml.j2", values,
        {"transfers": site.places.transfers}, prove=partial(prove_dialplan, site.places),
    )  # fmt: skip


def prove_dialplan(places: Places, found: Elements, _values: Mapping[str, Leaf]) -> list[str]:
    """Return why the template is no dialplan, if it is none."""
    if not any(path == ("extension",) for path, _ in found):
        return ["it must render at least one <extension>, inside <include>"]
    if not any(path[-1] == "action" for path, _ in found):
        return ["no <action> in it"]
    return [*strange_contexts(found, places), *broken_expressions(found)]


def draft_transfers(site: Site, _survey: Survey) -> Draft:
    """Return the context that calls go to which somebody moves."""
    values = {"domain": site.domain, "extensions": site.lengths.expression}
    places = site.places
    return Draft(
        transfer_path(site), "transfer_dialplan.xml.j2", values,
        {"context": places.context, "transfers": places.transfers},
        prove=partial(prove_transfers, places),
    )  # fmt: skip


def prove_transfers(places: Places, found: Elements, _values: Mapping[str, Leaf]) -> list[str]:
    """Return why the template is not the context that moved calls are sent to, if it is not.

    From there, calls to agents go on to the agents' context.
    """
    contexts = [(path, at.get("name")) for path, at in found if path[-1] == "context"]
    if contexts != [(("context",), places.transfers)] or found[0][0] != ("context",):
        return [f'it must render exactly one <context name="{places.transfers}">, inside <include>']
    if any(path[0] != "context" for path, _ in found):
        return [f"everything stands inside the context {places.transfers}"]
    names = [at.get("name") for path, at in found if path == ("context", "extension")]
    if names[:1] != [CLOSING_EXTENSION]:
        return [f"its first extension must be {CLOSING_EXTENSION}: the other templates run it"]
    sent = [at.get("data", "") for _, at in found if at.get("application") == "transfer"]
    # A template of one's own may send calls to agents through a context of its own.
    if places.context != USUAL_PLACES.context and not any(
        to.endswith(f" XML {places.context}") for to in sent
    ):
        return ["no action transfers to XML {{ context }}"]
    return [*strange_contexts(found, places), *broken_expressions(found)]
