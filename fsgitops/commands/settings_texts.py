"""What each setting of `fsgitops.yaml` means, with examples, for editors and `explain`."""

from __future__ import annotations

from typing import Any

SETTINGS_TEXTS: dict[str, tuple[str, list[Any]]] = {
    "project": ("The project's name, shown in plans.", ["example"]),
    "desired": ("The folder (or file) with what is declared.", ["desired"]),
    "templates": ("The folder with the project's own templates.", ["templates"]),
    "default_region": ("The country whose national numbers are read: two letters.", ["US"]),
    "default_caller_id": ("The number shown where an agent declares none.", ["+19495431333"]),
    "default_caller_name": ("The name shown where an agent declares none.", ["Example"]),
    "key_file": ("Where the project key stands, unless FSGITOPS_KEY holds it.", [".fsgitops/key"]),
    "rules": ("How much a rule weighs here, by its name.", [{"many-agents": "off"}]),
    "policy.folder": ("The folder with the project's own rules.", ["policy"]),
    "policy.entry_points": ("Installed rules that may run, by entry point.", [["house-rules"]]),
    "notify.url": ("Where the webhook's URL stands.", [{"env": "FSGITOPS_WEBHOOK"}]),
    "notify.format": ("The shape of the message.", ["slack"]),
    "notify.timeout": ("How long a notification may take, in seconds.", [10]),
    "targets": ("The switches, by a name of your choice.", []),
    "targets.conf_dir": ("FreeSWITCH's conf directory.", ["/etc/freeswitch"]),
    "targets.domain": ("The SIP domain of the agents.", ["pbx.example.com"]),
    "targets.profile": ("The Sofia profile that the agents register with.", ["internal"]),
    "targets.state_dir": ("Where the manifest is kept. Default: below conf_dir.", []),
    "targets.esl.host": ("Where the event socket listens.", ["127.0.0.1"]),
    "targets.esl.port": ("The port of the event socket.", [8021]),
    "targets.esl.password": (
        "Where the event socket's password stands, never the password itself.",
        [{"env": "FSGITOPS_ESL_PASSWORD"}, {"file": "/run/secrets/esl"}],
    ),
    "targets.esl.connect_timeout": ("How long to wait for a connection, in seconds.", [5]),
    "targets.esl.reply_timeout": ("How long to wait for a reply, in seconds.", [10]),
    "targets.esl.reload_timeout": ("How long a reload may take, in seconds.", [120]),
}
