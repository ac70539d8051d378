"""The `sofia` commands of the embedded switch: profiles, gateways and registrations."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from fsgitops.sandbox.calls import split_words
from fsgitops.sandbox.trunks import XML_HEADER

if TYPE_CHECKING:
    from fsgitops.sandbox.loaded import Profile, Registration, SwitchMemory

_RULE = "=" * 97
_USAGE = (
    "USAGE: sofia <status|xmlstatus> [profile <name> [reg]] | "
    "sofia profile <name> [rescan | killgw <gateway> | "
    "flush_inbound_reg [<call_id>|<[user]@domain>] [reboot]]\n"
)


def sofia(memory: SwitchMemory, argument: str) -> str:
    """Answer `sofia …`."""
    words = split_words(argument)
    if not words or words[0].lower() == "help":
        return _USAGE
    verb, rest = words[0].lower(), words[1:]
    if verb == "profile":
        return _command_profile(memory, rest)
    if verb in ("status", "xmlstatus"):
        return _status(memory, rest, as_xml=verb == "xmlstatus")
    return f"Unknown Command [{words[0]}]\n"


def sofia_contact(memory: SwitchMemory, argument: str) -> str:
    """Answer `sofia_contact [PROFILE/]USER@DOMAIN`."""
    profile, slash, address = argument.partition("/")
    if not slash:
        profile, address = "", argument
    user, _, domain = address.partition("@")
    address = f"{user}@{domain or memory.variable('domain')}"
    found = [
        f"sofia/{item.profile}/{item.contact}"
        for item in memory.registrations
        if item.address == address and profile in ("", "*", item.profile)
    ]
    return ",".join(found) or "error/user_not_registered"


def _command_profile(memory: SwitchMemory, words: list[str]) -> str:
    if len(words) < 2:
        return "Invalid Args!\n"
    profile = memory.find_profile(words[0])
    if profile is None:
        return f"Invalid Profile [{words[0]}]"
    verb, rest = words[1].lower(), words[2:]
    if verb == "killgw":
        return _kill_gateway(memory, rest)
    if verb == "rescan":
        answer = memory.reload()
        memory.start_gateways()
        return f"Reload XML [{answer}]\n+OK scan complete\n"
    if verb == "flush_inbound_reg":
        return _flush(memory, profile, rest)
    return "-ERR Unknown command!\n"


def _kill_gateway(memory: SwitchMemory, names: list[str]) -> str:
    if not names:
        return "-ERR missing gw name\n"
    found = memory.stop_gateway(names[0])
    if names[0] == "_all_":
        return "+OK every gateway marked for deletion.\n"
    return "+OK gateway marked for deletion.\n" if found else "-ERR no such gateway.\n"


def _flush(memory: SwitchMemory, profile: Profile, words: list[str]) -> str:
    doing = "rebooting" if any(word.lower() == "reboot" for word in words[:2]) else "flushing"
    if not words or words[0].lower() == "reboot":
        memory.expire(profile.name, None)
        return f"+OK {doing} all registrations\n"
    memory.expire(profile.name, words[0])
    return f"+OK {doing} all registrations matching specified call_id\n"


def _status(memory: SwitchMemory, words: list[str], *, as_xml: bool) -> str:
    if not words:
        return _xml_summary(memory) if as_xml else _summary(memory)
    if as_xml and len(words) == 1:
        listed = "".join(item.as_xml() for item in memory.list_gateways())
        return f"{XML_HEADER}<gateways>\n{listed}</gateways>\n"
    if words[0].lower() == "gateway":
        return _gateway(memory, words[1:], as_xml=as_xml)
    if len(words) < 2 or words[0].lower() != "profile":
        return "Invalid Syntax!\n"
    profile = memory.find_profile(words[1])
    if profile is None:
        return "Invalid Profile!\n"
    found = [item for item in memory.registrations if item.profile == profile.name]
    if len(words) > 3 and words[2].lower() == "reg":
        found = [item for item in found if words[3] in item.contact]
    if as_xml:
        listed = "".join(_xml_registration(item) for item in found)
        listed = f"  <registrations>\n{listed}  </registrations>\n"
        info = "" if len(words) > 2 else _xml_profile(profile, len(found))
        return f"{XML_HEADER}<profile>\n{info}{listed}</profile>\n"
    listed = "".join(_registration(item) for item in found)
    total = f"Total items returned: {len(found)}\n{_RULE}\n"
    return f"\nRegistrations:\n{_RULE}\n{listed}{total}"


def _summary(memory: SwitchMemory) -> str:
    lines: list[str] = []
    profiles = memory.profiles().values()
    aliases = {alias: item.name for item in profiles for alias in item.aliases}
    for alias, name in aliases.items():
        lines.append(f"{alias:>25}\t  alias\t  {name:>40}\tALIASED\n")
    for item in profiles:
        lines.append(f"{item.name:>25}\tprofile\t  {item.url:>40}\tRUNNING (0)\n")
        for one in memory.trunks.running():
            if one.profile == item.name:
                told = f"{one.profile}::{one.name}"
                lines.append(f"{told:>25}\tgateway\t  {one.to:>40}\t{one.state}\n")
    head = f"{'Name':>25}\t   Type\t  {'Data':>40}\tState\n{_RULE}\n"
    count, more = len(profiles), len(aliases)
    foot = f"{count} profile{'' if count == 1 else 's'} {more} alias{'' if more == 1 else 'es'}\n"
    return f"{head}{''.join(lines)}{_RULE}\n{foot}"


def _xml_summary(memory: SwitchMemory) -> str:
    parts: list[str] = []
    profiles = memory.profiles().values()
    for item in profiles:
        parts.extend(_xml_entry("alias", alias, item.name, "ALIASED") for alias in item.aliases)
    for item in profiles:
        parts.append(_xml_entry("profile", item.name, item.url, "RUNNING (0)"))
        parts.extend(
            _xml_entry("gateway", one.name, one.to, one.state) + "\n"
            for one in memory.trunks.running()
            if one.profile == item.name
        )
    return f"{XML_HEADER}<profiles>\n{''.join(parts)}</profiles>\n"


def _xml_entry(kind: str, name: str, data: str, state: str) -> str:
    return (
        f"<{kind}>\n<name>{escape(name)}</name>\n<type>{kind}</type>\n"
        f"<data>{escape(data)}</data>\n<state>{state}</state>\n</{kind}>\n"
    )


def _xml_profile(profile: Profile, registrations: int) -> str:
    return (
        f"  <profile-info>\n    <name>{escape(profile.name)}</name>\n"
        f"    <url>{escape(profile.url)}</url>\n"
        f"    <registrations>{registrations}</registrations>\n  </profile-info>\n"
    )


def _gateway(memory: SwitchMemory, names: list[str], *, as_xml: bool) -> str:
    if not names and not as_xml:
        rows = [
            f"{f'{one.profile}::{one.name}':>25}\t{one.to:>32}\t{one.state}\t  0.00\t0/0\t0/0\n"
            for one in memory.list_gateways()
        ]
        heads = (f"{'Profile::Gateway-Name':>25}", f"{'Data':>32}", "State", "Ping Time")
        head = "\t".join((*heads, "IB Calls(F/T)", "OB Calls(F/T)"))
        foot = f"{len(rows)} gateways: Inbound(Failed/Total): 0/0,Outbound(Failed/Total):0/0\n"
        return f"{head}\n{_RULE}\n{''.join(rows)}{_RULE}\n{foot}"
    for one in memory.usable_gateways():
        if one.name in names[:1]:
            if as_xml:
                return XML_HEADER + one.as_xml()
            facts = {
                "Name": one.name, "Profile": one.profile, "To": one.to, "State": one.state,
                "Status": "UP",
            }  # fmt: skip
            lines = "".join(f"{key:<8}\t{value}\n" for key, value in facts.items())
            return f"{_RULE}\n{lines}{_RULE}\n"
    return "Invalid Gateway!\n"


def _times(item: Registration) -> tuple[str, int]:
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(item.expires))
    return stamp, item.expires - int(time.time())


def _registration(item: Registration) -> str:
    stamp, left = _times(item)
    return (
        f"Call-ID:    \t{item.call_id}\nUser:       \t{item.address}\n"
        f'Contact:    \t"" <{item.contact}>\nAgent:      \t{item.agent}\n'
        f"Status:     \tRegistered(UDP)(unknown) EXP({stamp}) EXPSECS({left})\n"
        f"Ping-Status:\tReachable\nPing-Time:\t0.00\nHost:       \tfsgitops-sandbox\n"
        f"IP:         \t{item.network_ip}\nPort:       \t{item.network_port}\n"
        f"Auth-User:  \t{item.user}\nAuth-Realm: \t{item.domain}\n"
        f"MWI-Account:\t{item.address}\n\n"
    )


def _xml_registration(item: Registration) -> str:
    stamp, left = _times(item)
    contact = escape(f'"" <{item.contact}>', {'"': "&quot;"})
    fields = {
        "call-id": escape(item.call_id),
        "user": escape(item.address),
        "contact": contact,
        "agent": escape(item.agent),
        "status": f"Registered(UDP)(unknown) exp({stamp}) expsecs({left})",
        "ping-status": "Reachable",
        "ping-time": "0.00",
        "host": "fsgitops-sandbox",
        "network-ip": item.network_ip,
        "network-port": str(item.network_port),
        "sip-auth-user": escape(item.user),
        "sip-auth-realm": escape(item.domain),
        "mwi-account": escape(item.address),
    }
    lines = "".join(f"        <{key}>{value}</{key}>\n" for key, value in fields.items())
    return f"    <registration>\n{lines}    </registration>\n"
