"""A small conf directory for the sandbox, in the layout of the stock FreeSWITCH one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_DOMAIN = "sandbox.example"
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")

_FILES = {
    "freeswitch.xml": """\
<?xml version="1.0"?>
<document type="freeswitch/xml">
  <X-PRE-PROCESS cmd="include" data="vars.xml"/>
  <section name="configuration" description="Modules and their settings">
    <X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/>
  </section>
  <section name="dialplan" description="What happens to a call">
    <X-PRE-PROCESS cmd="include" data="dialplan/*.xml"/>
  </section>
  <section name="directory" description="Who may register">
    <X-PRE-PROCESS cmd="include" data="directory/*.xml"/>
  </section>
</document>
""",
    "vars.xml": """\
<include>
  <X-PRE-PROCESS cmd="set" data="domain={domain}"/>
  <X-PRE-PROCESS cmd="set" data="domain_name=$${{domain}}"/>
  <X-PRE-PROCESS cmd="set" data="hold_music=silence"/>
  <X-PRE-PROCESS cmd="set" data="default_areacode=555"/>
</include>
""",
    "directory/default.xml": """\
<include>
  <domain name="$${{domain}}">
    <params>
      <param name="dial-string" value="${{sofia_contact(*/${{dialed_user}}@${{dialed_domain}})}}"/>
    </params>
    <variables>
      <variable name="default_areacode" value="$${{default_areacode}}"/>
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
""",
    "dialplan/default.xml": """\
<include>
  <context name="default">
    <extension name="unloop">
      <condition field="${{sip_looped_call}}" expression="^true$">
        <action application="hangup" data="EXCHANGE_ROUTING_ERROR"/>
      </condition>
    </extension>
    <X-PRE-PROCESS cmd="include" data="default/*.xml"/>
  </context>
</include>
""",
    "dialplan/public.xml": """\
<include>
  <context name="public">
    <extension name="outside_call" continue="true">
      <condition>
        <action application="set" data="outside_call=true"/>
      </condition>
    </extension>
    <X-PRE-PROCESS cmd="include" data="public/*.xml"/>
  </context>
</include>
""",
    "autoload_configs/sofia.conf.xml": """\
<include>
  <configuration name="sofia.conf" description="SIP">
    <profiles>
      <X-PRE-PROCESS cmd="include" data="../sip_profiles/*.xml"/>
    </profiles>
  </configuration>
</include>
""",
    "autoload_configs/modules.conf.xml": """\
<include>
  <configuration name="modules.conf" description="Modules">
    <modules>
      <load module="mod_commands"/>
      <load module="mod_dialplan_xml"/>
      <load module="mod_dptools"/>
      <load module="mod_event_socket"/>
      <load module="mod_sofia"/>
      <load module="mod_voicemail"/>
    </modules>
  </configuration>
</include>
""",
    "sip_profiles/internal.xml": """\
<include>
  <profile name="internal">
    <domains>
      <domain name="all" alias="true" parse="false"/>
    </domains>
    <settings>
      <param name="context" value="public"/>
      <param name="sip-ip" value="127.0.0.1"/>
      <param name="sip-port" value="5060"/>
      <param name="auth-calls" value="true"/>
    </settings>
  </profile>
</include>
""",
    "sip_profiles/external.xml": """\
<include>
  <profile name="external">
    <gateways>
      <X-PRE-PROCESS cmd="include" data="external/*.xml"/>
    </gateways>
    <settings>
      <param name="context" value="public"/>
      <param name="sip-ip" value="127.0.0.1"/>
      <param name="sip-port" value="5080"/>
    </settings>
  </profile>
</include>
""",
}
_FOLDERS = ("directory/default", "dialplan/default", "dialplan/public", "sip_profiles/external")


def write_skeleton(conf_dir: Path, domain: str = DEFAULT_DOMAIN) -> None:
    """Write the conf directory, with no user and no route in it yet.

    Raises:
        UsageError: `domain` is not a host name or address, or a file is already there.
    """
    if not _DOMAIN.fullmatch(domain):
        raise UsageError(f"`{domain}` is no domain: expected a host name or an IP address")
    there = [path for path in _FILES if (conf_dir / path).exists()]
    if there:
        raise UsageError(f"{conf_dir / there[0]} is already there; choose an empty directory")
    for folder in _FOLDERS:
        (conf_dir / folder).mkdir(parents=True, exist_ok=True)
    for path, text in _FILES.items():
        target = conf_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.format(domain=domain), encoding="utf-8")
