"""A world to evaluate calls in, from a text of XML, and what a call executes there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call, evaluate
from fsgitops.routing.call.world import Phones, World
from fsgitops.routing.records import PlacedRecords

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.model.trace import Way
    from fsgitops.routing.tree import Element

DOMAIN = "127.0.0.1"
NOW = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)
DIRECTORY = """
<domain name="127.0.0.1">
<params>
<param name="dial-string" value="${sofia_contact(*/${dialed_user}@${dialed_domain})}"/>
</params>
<groups><group name="default"><users>
<user id="1000"><params><param name="vm-password" value="1000"/></params>
<variables><variable name="user_context" value="default"/></variables></user>
<user id="1001"><params><param name="vm-password" value="1001"/></params>
<variables><variable name="user_context" value="default"/></variables></user>
</users></group></groups></domain>
"""
MODULES = """
<configuration name="modules.conf"><modules><load module="mod_hash"/><load module="mod_dptools"/>
<load module="mod_sofia"/><load module="mod_dialplan_xml"/>
<load module="mod_conference"/><load module="mod_voicemail"/></modules></configuration>
<configuration name="ivr.conf"><menus>
<menu name="main">
<entry action="menu-exec-app" digits="1" param="transfer 1000 XML inside"/>
<entry action="menu-sub" digits="2" param="sub"/>
<entry action="menu-exec-app" digits="/^(10..)$/" param="transfer $1 XML inside"/>
<entry action="menu-exit" digits="9"/>
</menu>
<menu name="sub"><entry action="menu-sub" digits="1" param="main"/>
<entry action="menu-exec-app" digits="2" param="hangup USER_BUSY"/></menu>
<menu name="broken"><entry action="menu-dance" digits="1"/></menu>
</menus></configuration>
"""


def make_world(
    dialplan: str,
    *,
    variables: Mapping[str, str] | None = None,
    memory: Mapping[str, str] | None = None,
    directory: str = DIRECTORY,
    configuration: str = MODULES,
    taken_out: bool = False,
) -> World:
    """Return a world with these contexts; `taken_out`: read as those of plans are, by records."""
    text = (
        f'<document><section name="dialplan">{dialplan}</section>'
        f'<section name="directory">{directory}</section>'
        f'<section name="configuration">{configuration}</section></document>'
    )
    records = PlacedRecords(("",) if taken_out else ())
    root = records.parse(records.take_out(text.encode(), ""))
    assert root is not None

    def locate(section: str, tag: str, name: str) -> Element | None:
        found = root.find("section", "name", section)
        return found.find(tag, "name", name) if found else None

    section = root.find("section", "name", "dialplan")
    names = [item.attributes.get("name", "") for item in section.all("context")] if section else []
    variables = {"domain": DOMAIN, **(variables or {})}
    held = None if memory is None else lambda *key: memory.get("{}/{}_{}".format(*key))
    return World(locate, variables, {}, memory=held, contexts=names)


def ways_of(
    dialplan: str | World,
    number: str = "1000",
    context: str = "default",
    *,
    caller: str | None = "12025550123",
    registered: Iterable[str] | None = None,
    now: datetime = NOW,
    zones: Mapping[str, str] | None = None,
) -> tuple[Way, ...]:
    """Return every way of a call through a dialplan."""
    world = make_world(dialplan) if isinstance(dialplan, str) else dialplan
    phones = Phones(None if registered is None else frozenset(registered))
    call = Call(number, context, caller)
    return evaluate(world, call, Clock(now, zones or {}), phones)[0]


def executed(dialplan: str, number: str = "1000", **more: str | None) -> list[str]:
    """Return what the likeliest way executes, as `application(data)`."""
    way = ways_of(f'<context name="default">{dialplan}</context>', number, **more)[0]
    return [f"{name}({data})" for name, data in way.executed]
