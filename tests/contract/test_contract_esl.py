"""What a switch answers over ESL. The same promises bind both switches."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from plain_esl import PlainEsl

from fsgitops.routing.directory import locate
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.tree import parse

if TYPE_CHECKING:
    from conftest import Subject

NO_UUID = "00000000-0000-0000-0000-000000000000"
GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


@pytest.fixture
def stranger(subject: Subject) -> PlainEsl:
    """A connection that has not said the password."""
    return PlainEsl(subject.host, subject.port)


def test_the_greeting_asks_for_a_password(stranger: PlainEsl) -> None:
    assert stranger.greeting.headers == {"Content-Type": "auth/request"}


def test_a_wrong_password_ends_the_connection(stranger: PlainEsl) -> None:
    refused = stranger.command("auth wrong")
    assert refused.headers == {"Content-Type": "command/reply", "Reply-Text": "-ERR invalid"}
    assert stranger.read().body == GOODBYE
    assert stranger.at_end()


def test_nothing_is_answered_before_the_password(stranger: PlainEsl) -> None:
    assert stranger.command("api status").reply == "-ERR command not found"
    assert stranger.command("event plain ALL").reply == "-ERR command not found"


def test_exit_says_goodbye(subject: Subject, stranger: PlainEsl) -> None:
    assert stranger.command(f"auth {subject.password}").reply == "+OK accepted"
    assert stranger.command("exit").reply == "+OK bye"
    notice = stranger.read()
    assert notice.headers["Content-Type"] == "text/disconnect-notice"
    assert notice.headers["Content-Length"] == str(len(GOODBYE))
    assert notice.body == GOODBYE
    assert stranger.at_end()


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("event json NO_SUCH_EVENT", "-ERR no keywords supplied"),
        ("event json CHANNEL_HANGUP_COMPLETE", "+OK event listener enabled json"),
        ("EVENT PLAIN channel_create CUSTOM sofia::register", "+OK event listener enabled plain"),
        ("nixevent CHANNEL_CREATE", "+OK events nixed"),
        ("noevents", "+OK no longer listening for events"),
        ("noevents", "-ERR not listening for events"),
        ("filter Unique-ID x", "+OK filter added. [Unique-ID]=[x]"),
        ("filter delete Unique-ID", "+OK filter deleted. [Unique-ID][]"),
        ("filter x", "-ERR invalid syntax"),
        ("nonsense", "-ERR command not found"),
        ("api", "-ERR command not found"),
    ],
)
def test_a_control_command_is_answered_in_one_line(
    subject: Subject, command: str, reply: str
) -> None:
    if reply == "-ERR not listening for events":
        subject.esl.command("noevents")
    elif command in ("noevents", "nixevent CHANNEL_CREATE"):
        subject.esl.command("event plain CHANNEL_CREATE")
    assert subject.esl.command(command).reply == reply
    subject.esl.command("noevents")


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("nosuchcommand", "-ERR nosuchcommand Command not found!\n"),
        ("nosuchcommand with words", "-ERR nosuchcommand Command not found!\n"),
        (f"uuid_kill {NO_UUID}", "-ERR No such channel!\n"),
        ("uuid_kill", "-USAGE: <uuid> [cause]\n"),
        (f"uuid_transfer {NO_UUID} 1020", "-ERR No such channel!\n"),
        ("show calls as json", '{"row_count": 0}\n'),
        ("show channels as json", '{"row_count": 0}\n'),
        ("show registrations as json", '{"row_count": 0}\n'),
        ("show calls", "\n0 total.\n"),
        ("show channels", "\n0 total.\n"),
        ("show registrations", "\n0 total.\n"),
        ("show registrations count as json", '{"row_count":0,"rows":[]}'),
        ("show calls as nonsense", "-ERR Cannot find format nonsense\n"),
        ("reloadacl", "+OK acl reloaded\n"),
        ("user_exists", "false"),
        ("user_exists id 1", "false"),
        ("user_data 1 param", "-ERR no reply\n"),
        ("xml_locate a b", "-ERR bad args\n"),
        ("xml_locate nothing", "can't find anything\n"),
        ("xml_locate directory domain name no.such.domain", "can't find anything\n"),
        ("global_getvar no_such_variable", "-ERR no reply\n"),
        ("regex", "-ERR"),
        ("regex 19495431333|^(\\+?19495431333)$", "true"),
        ("regex 123|^4", "false"),
        ("regex 123|^(1)(2)|%2%1", "21"),
        ("regex 123|^9|x", "123"),
        ("regex 123|^9|x|b", "false"),
        ("regex m:/a|b/^a.b$", "true"),
        ("regex ABC|/abc/i", "true"),
        ("regex 123|^(123", "false"),
        ("sofia profile nowhere rescan", "Invalid Profile [nowhere]"),
        ("sofia status profile nowhere", "Invalid Profile!\n"),
        ("sofia profile external killgw nowhere", "-ERR no such gateway.\n"),
        ("sofia profile external killgw", "-ERR missing gw name\n"),
        ("sofia profile external nonsense", "-ERR Unknown command!\n"),
        ("sofia nonsense", "Unknown Command [nonsense]\n"),
        ("sofia status gateway nowhere", "Invalid Gateway!\n"),
        ("sofia profile external rescan", "Reload XML [Success]\n+OK scan complete\n"),
        ("sofia profile internal flush_inbound_reg", "+OK flushing all registrations\n"),
        (
            "sofia profile internal flush_inbound_reg 2001@nowhere reboot",
            "+OK rebooting all registrations matching specified call_id\n",
        ),
        (
            "sofia xmlstatus profile internal reg",
            '<?xml version="1.0" encoding="ISO-8859-1"?>\n<profile>\n  <registrations>\n'
            "  </registrations>\n</profile>\n",
        ),
    ],
)
def test_a_command_is_answered_byte_for_byte(subject: Subject, command: str, body: str) -> None:
    assert subject.api(command) == body


def test_spaces_after_api_belong_to_the_command_name(subject: Subject) -> None:
    assert subject.api(" status") == "-ERR  Command not found!\n"


def test_status_begins_with_the_uptime_and_says_ready(subject: Subject) -> None:
    body = subject.api("status")
    assert re.match(r"UP \d+ years, \d+ days, \d+ hours, \d+ minutes, \d+ seconds, ", body)
    assert " is ready\n" in body


def test_version_and_uptime_are_one_line_each(subject: Subject) -> None:
    assert re.fullmatch(r"FreeSWITCH Version [^\n]+\n", subject.api("version"))
    assert re.fullmatch(r"\d+\n", subject.api("uptime"))
    assert subject.api("hostname") == subject.api("global_getvar hostname")


def test_global_variables_are_those_of_the_configuration(subject: Subject) -> None:
    assert subject.api("global_getvar domain") == subject.domain
    assert subject.api("global_getvar conf_dir") == str(subject.conf_dir)
    assert subject.variables()["domain"] == subject.domain


def test_a_user_without_a_domain_is_looked_up_in_the_default_one(subject: Subject) -> None:
    subject.write_user("2001", '<param name="a" value="b"/>')
    subject.reload()
    assert subject.api("user_data 2001 param a") == "b"


def test_an_unregistered_user_has_no_contact(subject: Subject) -> None:
    assert subject.api(f"sofia_contact 2001@{subject.domain}") == "error/user_not_registered"
    assert subject.api(f"sofia_contact */2001@{subject.domain}") == "error/user_not_registered"


def test_a_call_to_a_user_who_is_not_there_says_why(subject: Subject) -> None:
    subject.write_user(
        "2001", f'<param name="dial-string" value="${{sofia_contact(2001@{subject.domain})}}"/>'
    )
    subject.reload()
    there = subject.api(f"originate user/2001@{subject.domain} &park")
    assert there == "-ERR USER_NOT_REGISTERED\n"
    absent = subject.api(f"originate user/2999@{subject.domain} &park")
    assert absent == "-ERR SUBSCRIBER_ABSENT\n"


def test_the_loaded_users_are_those_that_we_read(subject: Subject) -> None:
    subject.write_user("2001")
    subject.reload()
    root = parse(load_merged(subject.conf_dir, subject.variables()).text)
    ours = locate(root, "directory", "domain", "name", subject.domain)
    theirs = parse(subject.api(f"xml_locate directory domain name {subject.domain}").encode())
    assert ours is not None
    groups = [element.child("groups") for element in (ours, theirs)]
    names = [[group.attributes for group in found.children] for found in groups if found]
    assert names[0] == names[1]


def test_a_background_job_answers_twice(subject: Subject) -> None:
    with PlainEsl.open(subject.host, subject.port, subject.password) as esl:
        esl.command("event json BACKGROUND_JOB")
        reply = esl.command("bgapi user_exists id 2001 nowhere", "Job-UUID: my-own-job")
        assert reply.reply == "+OK Job-UUID: my-own-job"
        assert reply.headers["Job-UUID"] == "my-own-job"
        event = esl.read()
        assert event.headers["Content-Type"] == "text/event-json"
        job = json.loads(event.body)
        assert job["Event-Name"] == "BACKGROUND_JOB"
        assert job["Job-UUID"] == "my-own-job"
        assert job["Job-Command"] == "user_exists"
        assert job["Job-Command-Arg"] == "id 2001 nowhere"
        assert job["_body"] == "false"


def test_commands_in_one_packet_are_answered_in_order(subject: Subject) -> None:
    subject.esl.send(b"api user_exists id 2001 x\n\napi uptime\r\n\r\nnonsense\n\n")
    assert subject.esl.read().body == "false"
    assert subject.esl.read().body.strip().isdigit()
    assert subject.esl.read().reply == "-ERR command not found"


def gateway(name: str, proxy: str) -> str:
    return (
        f'<include>\n<gateway name="{name}">\n<param name="username" value="u"/>\n'
        f'<param name="password" value="p"/>\n<param name="proxy" value="{proxy}"/>\n'
        '<param name="register" value="false"/>\n</gateway>\n</include>\n'
    )


def test_a_gateway_comes_with_a_rescan_and_goes_when_killed(subject: Subject) -> None:
    path = subject.write("sip_profiles/external/contract.xml", gateway("contract-gw", "127.0.0.1"))
    assert subject.reload() == "+OK [Success]\n"
    assert "external::contract-gw" not in subject.api("sofia status")
    subject.api("sofia profile external rescan")
    assert "external::contract-gw\tgateway" in subject.api("sofia status")
    path.unlink()
    subject.api("sofia profile external rescan")
    assert "external::contract-gw" in subject.api("sofia status")
    answer = subject.api("sofia profile external killgw contract-gw")
    assert answer == "+OK gateway marked for deletion.\n"


def test_a_domain_is_an_alias_of_the_internal_profile(subject: Subject) -> None:
    lines = subject.api("sofia status").splitlines()
    assert f"{subject.domain:>25}\t  alias\t  {'internal':>40}\tALIASED" in lines
    answer = subject.api(f"sofia profile {subject.domain} flush_inbound_reg 1@2")
    assert answer == "+OK flushing all registrations matching specified call_id\n"


GATEWAY_EVENTS = "event json CUSTOM sofia::gateway_add sofia::gateway_delete"


def await_gateway_event(subject: Subject) -> tuple[str, str]:
    event = json.loads(subject.esl.read().body)
    return event["Event-Subclass"], event["Gateway"]


def listed(subject: Subject, name: str) -> bool:
    return f"external::{name}\t" in subject.api("sofia status gateway")


def test_a_gateway_that_is_killed_leaves_the_list_a_moment_later(subject: Subject) -> None:
    path = subject.write("sip_profiles/external/contract.xml", gateway("contract-2", "127.0.0.1"))
    subject.esl.command(GATEWAY_EVENTS)
    subject.esl.send(b"api sofia profile external rescan\n\n")
    frames = [subject.esl.read() for _ in range(2)]
    told = {json.loads(item.body)["Gateway"] for item in frames if item.body.startswith("{")}
    assert told == {"contract-2"}
    path.unlink()
    subject.esl.command("noevents")
    assert subject.api("sofia profile external killgw contract-2").startswith("+OK")
    assert subject.api("sofia xmlstatus gateway contract-2") == "Invalid Gateway!\n"
    assert listed(subject, "contract-2")
    looks = (listed(subject, "contract-2") for _ in range(20_000))
    assert not all(looks)


def test_what_is_declared_of_a_gateway_is_listed(subject: Subject) -> None:
    more = '<param name="realm" value="r.example"/>\n<param name="expire-seconds" value="60"/>\n'
    text = gateway("contract-3", "127.0.0.1").replace("</gateway>", f"{more}</gateway>")
    subject.write("sip_profiles/external/contract.xml", text).chmod(0o644)
    subject.api("sofia profile external rescan")
    found = subject.api("sofia xmlstatus gateway contract-3")
    subject.api("sofia profile external killgw contract-3")
    wanted = (
        "<profile>external", "<realm>r.example", "<username>u", "<password>yes", "<exten>u",
        "<from>&lt;sip:u@127.0.0.1&gt;", "<proxy>sip:127.0.0.1", "<context>public", "<expires>60",
        "<pingfreq>0", "<state>NOREG", "<status>UP",
    )  # fmt: skip
    assert [text for text in wanted if f"    {text}</" not in found] == []
