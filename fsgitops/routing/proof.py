"""What a template must show before it is trusted with values.

Each check reads the template's skeleton, where the made-up words stand for values; what holds there
holds for every file that matches the skeleton.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.model.compiled import DirectoryUser
from fsgitops.routing.pattern import is_valid
from fsgitops.routing.skeleton import neutral_word

if TYPE_CHECKING:
    from fsgitops.routing.skeleton import Skeleton

TRANSFER_CONTEXT: Final = "fsgitops_transfer"
"""Where a call goes that somebody moves while it is up: what the templates name in their legs."""

CLOSING_EXTENSION: Final = "fsgitops_closed"


def neutral_words(count: int) -> list[str]:
    """Return the made-up words for values 0 to `count` - 1."""
    return [neutral_word(number) for number in range(count)]


def neutral_user(user: DirectoryUser) -> DirectoryUser:
    """Return the same user with made-up words as values: id, then params, then variables."""
    words = iter(neutral_words(1 + len(user.params) + len(user.variables)))
    return DirectoryUser(
        next(words),
        {name: next(words) for name in user.params},
        {name: next(words) for name in user.variables},
        user.secret_params,
    )


def prove_user(skeleton: Skeleton, user: DirectoryUser) -> list[str]:
    """Return why the template does not render exactly this user, if it does not."""
    neutral = neutral_user(user)
    found = skeleton.elements()
    users = [(path, attributes) for path, attributes in found if path[-1] == "user"]
    if [path for path, _ in users] != [("user",)] or users[0][1].get("id") != neutral.id:
        return ['it must render exactly one <user id="{{ user.id }}">, inside <include>']
    problems = []
    for box, tag, declared in (
        ("params", "param", neutral.params),
        ("variables", "variable", neutral.variables),
    ):
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


def prove_route(skeleton: Skeleton) -> list[str]:
    """Return why the template does not render exactly one DID route, if it does not."""
    digits, expression, destination, _domain = neutral_words(4)
    found = skeleton.elements()
    extensions = [(path, at) for path, at in found if path[-1] == "extension"]
    if [(path, at.get("name")) for path, at in extensions] != [
        (("extension",), f"inbound_{digits}")
    ]:
        return ['it must render exactly one <extension name="inbound_{{ digits }}">']
    problems = []
    if not any(
        path[-1] == "condition"
        and (at.get("expression") == expression or digits in at.get("expression", ""))
        for path, at in found
    ):
        problems.append("no condition compares with {{ expression }}")
    if not any(
        at.get("application") == "transfer" and at.get("data", "").startswith(f"{destination} ")
        for _, at in found
    ):
        problems.append("no action transfers to {{ destination }}")
    return problems + _broken_expressions(found)


def prove_dialplan(skeleton: Skeleton) -> list[str]:
    """Return why the template is no dialplan, if it is none."""
    found = skeleton.elements()
    if not any(path == ("extension",) for path, _ in found):
        return ["it must render at least one <extension>, inside <include>"]
    if not any(path[-1] == "action" for path, _ in found):
        return ["no <action> in it"]
    return _broken_expressions(found)


def prove_transfers(skeleton: Skeleton) -> list[str]:
    """Return why the template is not the context that moved calls are sent to, if it is not."""
    found = skeleton.elements()
    contexts = [(path, at.get("name")) for path, at in found if path[-1] == "context"]
    if contexts != [(("context",), TRANSFER_CONTEXT)] or found[0][0] != ("context",):
        return [f'it must render exactly one <context name="{TRANSFER_CONTEXT}">, inside <include>']
    if any(path[0] != "context" for path, _ in found):
        return [f"everything stands inside the context {TRANSFER_CONTEXT}"]
    names = [at.get("name") for path, at in found if path == ("context", "extension")]
    if names[:1] != [CLOSING_EXTENSION]:
        return [f"its first extension must be {CLOSING_EXTENSION}: the other templates run it"]
    return _broken_expressions(found)


def _broken_expressions(found: list[tuple[tuple[str, ...], dict[str, str]]]) -> list[str]:
    """FreeSWITCH only logs an expression that it cannot compile, and matches nothing with it."""
    return [
        f"the expression {attributes['expression']} is not a regular expression"
        for path, attributes in found
        if path[-1] == "condition" and not is_valid(attributes.get("expression", ""))
    ]
