"""What a phone needs, in every format, and the log of who was shown it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from lxml import etree

if TYPE_CHECKING:
    from project import Project

PUBLIC = """\
project: test
default_region: US
targets:
  prod:
    conf_dir: conf
    domain: pbx.example.com
    public:
      host: sip.example.com
      sip_port: 5062
      sip_transport: tls
      wss_port: 8443
      stun: stun:stun.example.com:3478
      provisioning_url: https://sip.example.com/phones/{extension}.xml
"""


@pytest.fixture
def public(project: Project) -> Project:
    project.write("fsgitops.yaml", PUBLIC)
    return project


def test_each_target_tells_how_phones_reach_it(public: Project) -> None:
    data = public.run("credentials", "1020", "--target", "prod", "--json").json()
    assert data == {
        "format": "fsgitops-credentials", "version": 1,
        "username": "1020", "password": "(hidden)", "domain": "pbx.example.com",
        "voicemail_pin": "(hidden)",
        "sip_server": "sip.example.com", "sip_port": 5062, "sip_transport": "tls",
        "websocket_url": "wss://sip.example.com:8443", "stun_server": "stun:stun.example.com:3478",
        "jssip": data["jssip"], "sipjs": data["sipjs"],
    }  # fmt: skip


def test_without_a_public_host_the_domain_is_it(project: Project) -> None:
    data = project.run("credentials", "1021", "--json").json()
    assert (data["websocket_url"], data["sip_port"], data["stun_server"]) == (
        "wss://sandbox.example:7443",
        5060,
        None,
    )


def test_the_json_configures_jssip_and_sipjs(public: Project) -> None:
    ran = public.run("credentials", "1020", "--target", "prod", "--reveal", "--format", "json")
    data = ran.json()
    peer = {"rtcpMuxPolicy": "require", "iceServers": [{"urls": "stun:stun.example.com:3478"}]}
    assert data["jssip"] == {
        "sockets": ["wss://sip.example.com:8443"],
        "uri": "sip:1020@pbx.example.com",
        "password": data["password"],
        "register": True,
        "pcConfig": peer,
    }
    options = data["sipjs"]
    assert options["authorizationPassword"] == data["password"] != "(hidden)"
    assert options["sessionDescriptionHandlerFactoryOptions"] == {
        "peerConnectionConfiguration": peer
    }


def test_the_module_is_javascript_that_says_the_same(
    public: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    secret = "a\"b\\c</script>'`${1}\u2028ü"
    monkeypatch.setenv("ONE", secret)
    public.write(
        "desired/agents.yaml", "agents: [{extension: 1020, name: A, password: {env: ONE}}]\n"
    )
    text = public.run("credentials", "1020", "--target", "prod", "--reveal", "--format", "js").out
    assert "</script>" not in text
    body = "\n".join(line for line in text.splitlines() if not line.startswith("import "))
    body = body.replace("export const", "const")
    script = (
        "const JsSIP = {WebSocketInterface: class {constructor(u) {this.url = u}}};"
        "const UserAgent = {makeURI: u => u};"
        f"{body}\nconsole.log(JSON.stringify([jssip, sipjs]))"
    )
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    jssip, sipjs = json.loads(done.stdout)
    assert jssip["password"] == sipjs["authorizationPassword"] == secret
    assert jssip["sockets"] == [{"url": "wss://sip.example.com:8443"}]
    assert sipjs["uri"] == jssip["uri"] == "sip:1020@pbx.example.com"


def test_the_configuration_of_linphone_is_xml_with_everything_in_it(
    public: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONE", "<&>\"'")
    public.write(
        "desired/agents.yaml", "agents: [{extension: 1020, name: A, password: {env: ONE}}]\n"
    )
    ran = public.run("credentials", "1020", "--target", "prod", "--reveal", "--format", "linphone")
    top = etree.fromstring(ran.out.encode())
    found = {
        (entry.getparent().get("name"), entry.get("name")): entry.text
        for entry in top.iter("{*}entry")
    }
    assert found["auth_info_0", "passwd"] == "<&>\"'"
    assert found["proxy_0", "reg_identity"] == "sip:1020@pbx.example.com"
    assert found["proxy_0", "reg_proxy"] == "<sip:sip.example.com:5062;transport=tls>"
    assert found["net", "stun_server"] == "stun.example.com:3478"


def test_the_qr_code_holds_the_address_and_no_secret(public: Project) -> None:
    ran = public.run("credentials", "1020", "--target", "prod", "--qr")
    assert ran.code == 0
    assert "https://sip.example.com/phones/1020.xml" in ran.out
    assert "\u2584" in ran.out or "\u2580" in ran.out


def test_a_qr_code_without_an_address_says_what_to_set(project: Project) -> None:
    ran = project.run("credentials", "1020", "--qr")
    assert (ran.code, "provisioning_url" in ran.err) == (64, True)


def test_a_qr_code_never_stands_in_data(public: Project) -> None:
    for words in (("--json",), ("--format", "js")):
        ran = public.run("credentials", "1020", "--target", "prod", "--qr", *words)
        assert (ran.code, "\u2584" in ran.out or "\u2580" in ran.out) == (64, False)


def test_each_reveal_is_a_line_in_the_audit_log(public: Project) -> None:
    (public.root / "conf").mkdir()
    for _ in range(2):
        public.run("credentials", "1020", "--target", "prod", "--reveal")
    public.run("credentials", "1020", "--target", "prod")
    log = public.root / "conf/.fsgitops/audit.jsonl"
    first, second = map(json.loads, log.read_text().splitlines())
    assert (first["action"], first["agent"], first["target"]) == ("reveal", "1020", "prod")
    assert (first["uid"], first["fields"]) == (os.getuid(), ["password", "voicemail_pin"])
    assert first["time"] <= second["time"]
    assert stat.S_IMODE(log.stat().st_mode) == 0o640


def test_the_audit_log_stands_where_the_settings_say(public: Project) -> None:
    public.write("fsgitops.yaml", PUBLIC + "audit_log: logs/reveals.jsonl\n")
    public.run("credentials", "1020", "--reveal")
    assert json.loads((public.root / "logs/reveals.jsonl").read_text())["target"] == "sandbox"


def test_nothing_is_revealed_when_the_log_cannot_be_written(public: Project) -> None:
    public.write("fsgitops.yaml", PUBLIC + "audit_log: fsgitops.yaml/log\n")
    ran = public.run("credentials", "1020", "--reveal")
    assert (ran.code, ran.out, "audit_log" in ran.err) == (1, "", True)


def test_a_link_in_place_of_the_log_is_not_followed(public: Project) -> None:
    (public.root / "elsewhere").write_text("precious")
    (public.root / "log").symlink_to(public.root / "elsewhere")
    public.write("fsgitops.yaml", PUBLIC + "audit_log: log\n")
    assert public.run("credentials", "1020", "--reveal").code == 1
    assert (public.root / "elsewhere").read_text() == "precious"


def test_hidden_credentials_need_no_key(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FSGITOPS_KEY")
    assert project.run("credentials", "1020").code == 0
    ran = project.run("credentials", "1020", "--reveal")
    assert (ran.code, "FSGITOPS_KEY" in ran.err) == (1, True)


def test_a_reveal_that_would_fail_is_not_offered_as_if_it_worked(
    public: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert public.run("credentials", "1020").err.endswith("Secrets are shown with --reveal.\n")
    monkeypatch.delenv("FSGITOPS_KEY")
    told = public.run("credentials", "1020").err
    assert "Secrets are shown with --reveal, which needs the project key: none here." in told
