"""Conf directories as people and their tools write them: small, whole, and made up here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN: Final = "pbx.example.com"

SOFIA: Final = """\
<configuration name="sofia.conf">
  <profiles>
    <profile name="internal">
      <settings>
        <param name="context" value="public"/>
        <param name="auth-calls" value="true"/>
      </settings>
    </profile>
    <profile name="external">
      <gateways>
        <gateway name="carrier"><param name="proxy" value="sip.example.net"/></gateway>
      </gateways>
      <settings>
        <param name="context" value="public"/>
      </settings>
    </profile>
  </profiles>
</configuration>
"""

ROOT: Final = """\
<?xml version="1.0"?>
<document type="freeswitch/xml">
  <X-PRE-PROCESS cmd="include" data="vars.xml"/>
  <section name="configuration">
    <X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/>
  </section>
  <section name="dialplan">
    <X-PRE-PROCESS cmd="include" data="dialplan/*.xml"/>
  </section>
  <section name="directory">
    <X-PRE-PROCESS cmd="include" data="directory/*.xml"/>
  </section>
</document>
"""

VARS: Final = f"""\
<include>
  <X-PRE-PROCESS cmd="set" data="domain={DOMAIN}"/>
  <X-PRE-PROCESS cmd="set" data="default_password=Hand+made1"/>
  <X-PRE-PROCESS cmd="set" data="outbound_caller_name=Example"/>
  <X-PRE-PROCESS cmd="set" data="outbound_caller_id=+19495430000"/>
  <X-PRE-PROCESS cmd="set" data="hold_music=local_stream://moh"/>
</include>
"""

DIRECTORY: Final = """\
<include>
  <domain name="$${domain}">
    <params>
      <param name="dial-string" value="${sofia_contact(*/${dialed_user}@${dialed_domain})}"/>
    </params>
    <variables>
      <variable name="record_stereo" value="true"/>
    </variables>
    <groups>
      <group name="default">
        <users>
          <X-PRE-PROCESS cmd="include" data="default/*.xml"/>
        </users>
      </group>
    </groups>
  </domain>
</include>
"""

DEFAULT: Final = """\
<include>
  <context name="default">
    <extension name="Local_Extension">
      <condition field="destination_number" expression="^(1[0-9]{3})$">
        <action application="set" data="call_timeout=25"/>
        <action application="set" data="continue_on_fail=true"/>
        <action application="bridge" data="user/$1@${domain_name}"/>
        <action application="answer"/>
        <action application="voicemail" data="default ${domain_name} $1"/>
      </condition>
    </extension>
    <X-PRE-PROCESS cmd="include" data="default/*.xml"/>
  </context>
</include>
"""

PUBLIC: Final = """\
<include>
  <context name="public">
    <X-PRE-PROCESS cmd="include" data="public/*.xml"/>
  </context>
</include>
"""


def user(
    extension: str, params: dict[str, str], variables: dict[str, str], attributes: str = ""
) -> str:
    lines = [f'  <user id="{extension}"{attributes}>', "    <params>"]
    lines += [f'      <param name="{name}" value="{value}"/>' for name, value in params.items()]
    lines += ["    </params>", "    <variables>"]
    lines += [f'      <variable name="{n}" value="{v}"/>' for n, v in variables.items()]
    return "\n".join([*lines, "    </variables>", "  </user>", ""])


def included(text: str) -> str:
    return f"<include>\n{text}</include>\n"


def whole(extension: str, name: str, **more: str) -> dict[str, str]:
    """What the stock configuration gives a user."""
    return {
        "toll_allow": "domestic,international,local",
        "accountcode": extension,
        "user_context": "default",
        "effective_caller_id_name": name,
        "effective_caller_id_number": extension,
        "outbound_caller_id_name": "$${outbound_caller_name}",
        "outbound_caller_id_number": "$${outbound_caller_id}",
        **more,
    }


STOCK: Final = {
    "freeswitch.xml": ROOT,
    "vars.xml": VARS,
    "autoload_configs/sofia.conf.xml": SOFIA,
    "directory/default.xml": DIRECTORY,
    "dialplan/default.xml": DEFAULT,
    "dialplan/public.xml": PUBLIC,
}
"""A switch in the layout of the stock configuration, with nobody on it."""


def ansible() -> dict[str, str]:
    """A file for each user, as a role's loop writes them; names that register, and a mailbox."""
    alice = {"password": "Alice/pw=1", "vm-password": "739182", "vm-mailto": "alice@example.com"}
    quiet = {"password": "Bob/pw=22", "vm-enabled": "false"}
    desk = {"password": "Desk/pw=3", "vm-enabled": "false", "max-registrations-per-extension": "2"}
    return {
        **STOCK,
        "directory/default/1001.xml": included(
            "  <!-- Alice sits at the window -->\n"
            + user("1001", alice, whole("1001", "Alice", callgroup="sales, support"))
        ),
        "directory/default/1002.xml": included(
            user("1002", quiet, whole("1002", "Bob", hold_music="$${hold_music}", department="it"))
        ),
        "directory/default/reception.xml": included(
            user("reception", desk, whole("1003", "Reception"), ' number-alias="1003"')
        ),
    }


def fusionpbx() -> dict[str, str]:
    """What FusionPBX says of a user: variables of its own, and caller IDs for outside."""
    variables = {
        "domain_uuid": "2f4a3d3c-1111-4222-8333-444455556666",
        "user_context": "pbx.example.com",
        "accountcode": "pbx.example.com",
        "toll_allow": "local",
        "effective_caller_id_name": "Alice",
        "effective_caller_id_number": "101",
        "outbound_caller_id_name": "Example Ltd",
        "outbound_caller_id_number": "19495431333",
        "call_timeout": "30",
    }
    params = {
        "password": "fp.Alice!77",
        "vm-enabled": "true",
        "vm-password": "482913",
        "vm-email-all-messages": "true",
        "vm-attach-file": "true",
        "vm-keep-local-after-email": "true",
        "vm-mailto": "alice@example.com",
    }
    bob = {**params, "password": "fp.Bob!88", "vm-mailto": "bob@example.com"}
    theirs = {**variables, "effective_caller_id_name": "Bob", "effective_caller_id_number": "102"}
    context = DEFAULT.replace('name="default"', f'name="{DOMAIN}"').replace(
        "(1[0-9]{3})", "(10[12])"
    )
    return {
        **STOCK,
        "dialplan/default.xml": context,
        "directory/default/101.xml": included(user("101", params, variables)),
        "directory/default/102.xml": included(user("102", bob, theirs)),
    }


def one_file() -> dict[str, str]:
    """A container's configuration: everything in one file, with users of one group in it."""
    users = "".join(
        user(str(number), {"password": f"Docker-{number}-pw"}, {"user_context": "default"})
        for number in (1001, 1002)
    )
    directory = DIRECTORY.replace(
        '          <X-PRE-PROCESS cmd="include" data="default/*.xml"/>\n', users
    )
    text = ROOT
    for name, inner in (
        ("vars.xml", VARS),
        ("autoload_configs/*.xml", SOFIA),
        ("dialplan/*.xml", DEFAULT + PUBLIC),
        ("directory/*.xml", directory),
    ):
        inner = "\n".join(line for line in inner.split("\n") if "include>" not in line)
        text = text.replace(f'    <X-PRE-PROCESS cmd="include" data="{name}"/>\n', inner)
        text = text.replace(f'  <X-PRE-PROCESS cmd="include" data="{name}"/>\n', inner)
    return {"freeswitch.xml": text}


def write_tree(conf: Path, tree: dict[str, str]) -> None:
    for path, text in tree.items():
        place = conf / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
