"""`fsgitops credentials`: what a phone needs to register as an agent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from fsgitops.errors import DesiredInvalidError, NotThereError, SecretError, UsageError
from fsgitops.findings import has_errors
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.agent.secrets import PASSWORD, PIN, agent_wishes
from fsgitops.live.audit import record_reveal
from fsgitops.live.roster import check_extension
from fsgitops.model.resource import Resource
from fsgitops.secret.source import HashSource
from fsgitops.workspace.declare import declare_desired
from fsgitops.workspace.secrets import open_book

if TYPE_CHECKING:
    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Secrets
    from fsgitops.settings.shapes import PublicSettings
    from fsgitops.workspace.open import Workspace

HIDDEN = "(hidden)"

LINPHONE = """\
<?xml version="1.0" encoding="UTF-8"?>
<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
  <section name="sip">
    <entry name="default_proxy" overwrite="true">0</entry>
  </section>
  <section name="net">
    <entry name="stun_server" overwrite="true">{stun}</entry>
  </section>
  <section name="auth_info_0" overwrite="true">
    <entry name="username" overwrite="true">{username}</entry>
    <entry name="passwd" overwrite="true">{password}</entry>
    <entry name="realm" overwrite="true">{domain}</entry>
    <entry name="domain" overwrite="true">{domain}</entry>
  </section>
  <section name="proxy_0" overwrite="true">
    <entry name="reg_identity" overwrite="true">sip:{username}@{domain}</entry>
    <entry name="reg_proxy" overwrite="true">{proxy}</entry>
    <entry name="reg_sendregister" overwrite="true">1</entry>
  </section>
</config>
"""

SCRIPT = """\
// Agent {extension}: for JsSIP 3, and for SIP.js from 0.20 on.
import JsSIP from "jssip";
import {{ UserAgent }} from "sip.js";

export const peerConnection = {peer};

export const jssip = {{
  sockets: [new JsSIP.WebSocketInterface({url})],
  uri: {uri},
  password: {password},
  register: true,
}};
// new JsSIP.UA(jssip); and for each call: ua.call(number, {{ pcConfig: peerConnection }})

export const sipjs = {{
  uri: UserAgent.makeURI({uri}),
  transportOptions: {{ server: {url} }},
  authorizationUsername: {username},
  authorizationPassword: {password},
  sessionDescriptionHandlerFactoryOptions: {{ peerConnectionConfiguration: peerConnection }},
}};
// new UserAgent(sipjs)
"""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one agent's phone needs. `revealed` is None unless somebody asked for the secrets."""

    extension: str
    username: str
    domain: str
    public: PublicSettings
    has_mailbox: bool
    revealed: Secrets | None = None

    @property
    def password(self) -> str:
        """The SIP password, or `(hidden)`."""
        found = self.revealed[PASSWORD] if self.revealed else None
        return found.reveal() if found else HIDDEN

    @property
    def voicemail_pin(self) -> str | None:
        """The voicemail PIN, or `(hidden)`; None without a mailbox."""
        if not self.has_mailbox:
            return None
        found = self.revealed[PIN] if self.revealed else None
        return found.reveal() if found else HIDDEN

    @property
    def host(self) -> str:
        """The host that phones reach."""
        return self.public.host or self.domain

    @property
    def uri(self) -> str:
        """The agent's SIP address."""
        return f"sip:{self.username}@{self.domain}"

    @property
    def websocket_url(self) -> str:
        """Where phones in browsers connect."""
        return f"wss://{self.host}:{self.public.wss_port}"

    @property
    def peer_connection(self) -> dict[str, Any]:
        """The WebRTC options: FreeSWITCH sends RTP and RTCP through one port."""
        servers = [{"urls": self.public.stun}] if self.public.stun else []
        return {"rtcpMuxPolicy": "require", "iceServers": servers}

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md); secrets as `(hidden)` unless revealed."""
        peer = self.peer_connection
        return {
            "username": self.username,
            "password": self.password,
            "domain": self.domain,
            "voicemail_pin": self.voicemail_pin,
            "sip_server": self.host,
            "sip_port": self.public.sip_port,
            "sip_transport": self.public.sip_transport,
            "websocket_url": self.websocket_url,
            "stun_server": self.public.stun,
            "jssip": {
                "sockets": [self.websocket_url],
                "uri": self.uri,
                "password": self.password,
                "register": True,
                "pcConfig": peer,
            },
            "sipjs": {
                "uri": self.uri,
                "transportOptions": {"server": self.websocket_url},
                "authorizationUsername": self.username,
                "authorizationPassword": self.password,
                "sessionDescriptionHandlerFactoryOptions": {"peerConnectionConfiguration": peer},
            },
        }

    def to_script(self) -> str:
        """Return a JavaScript module with the configurations of JsSIP and SIP.js."""
        return SCRIPT.format(
            extension=self.extension,
            username=_literal(self.username),
            password=_literal(self.password),
            uri=_literal(self.uri),
            url=_literal(self.websocket_url),
            peer=_literal(self.peer_connection),
        )

    def to_linphone(self) -> str:
        """Return the configuration that Linphone fetches from the address in a QR code."""
        public = self.public
        proxy = f"<sip:{self.host}:{public.sip_port};transport={public.sip_transport}>"
        return LINPHONE.format(
            username=self.username,
            password=escape(self.password),
            domain=escape(self.domain),
            proxy=escape(proxy),
            stun=escape((public.stun or "").partition(":")[2]),
        )

    def provisioning_url(self) -> str:
        """Return what the QR code holds. Raises UsageError where no address is set."""
        if self.public.provisioning_url is None:
            raise UsageError(
                "Linphone reads from a QR code the https address of a configuration: serve what "
                "`--format linphone` makes, and set `public: {provisioning_url: https://…}` for "
                "the target; {extension} in it stands for the agent's"
            )
        return self.public.provisioning_url.replace("{extension}", self.extension)


def run_credentials(workspace: Workspace, extension: str, *, reveal: bool = False) -> Credentials:
    """Return the credentials of a declared agent; with `reveal` the secrets, once that is logged.

    Raises UsageError for what is no extension, NotThereError for an agent that is not declared,
    SecretError when a secret is not at hand or the audit log cannot be written.
    """
    check_extension(extension)
    desired = declare_desired(workspace).demand()
    agent = next((item for item in desired.of(Agent) if item.extension == extension), None)
    if agent is None:
        raise NotThereError(f"no agent {extension} is declared")
    secrets = None
    if reveal:
        secrets = _find_secrets(workspace, agent, desired)
        fields = ["password", *(["voicemail_pin"] if agent.voicemail.enabled else [])]
        record_reveal(workspace, extension, fields)
    target = workspace.target
    return Credentials(
        extension, agent.sip_user, target.domain, target.public, agent.voicemail.enabled, secrets
    )


def _find_secrets(workspace: Workspace, agent: Agent, desired: Desired) -> Secrets:
    if isinstance(agent.password, HashSource):
        raise SecretError(
            f"agent {agent.extension}: only the a1-hash of its SIP password is known, so nobody "
            "can show it; remove `password` to give the agent a new one"
        )
    book = open_book(workspace, desired)
    found = book.reveal(Resource("agent", agent.extension), agent_wishes(agent))
    if has_errors(book.findings):
        raise DesiredInvalidError(book.findings)
    missing = list(book.unavailable)
    if None in found.values():
        if not missing:
            missing = ["no project key: set FSGITOPS_KEY, or make one with `fsgitops key new`"]
        raise SecretError("\n".join(missing))
    return {**found, PIN: None} if isinstance(agent.voicemail.pin, HashSource) else found


def _literal(value: Any) -> str:
    """Return a JavaScript literal that is safe inside a script element too."""
    return json.dumps(value).replace("<", "\\u003c")
