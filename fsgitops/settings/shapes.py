"""What `fsgitops.yaml` may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from fsgitops.phone import Lengths
from fsgitops.places import Places
from fsgitops.secret.source import SOURCE_SCHEMA, PlaintextSource, Source, SourceError, read_source

SETTINGS_FILE = "fsgitops.yaml"
SANDBOX = "sandbox"
SANDBOX_DOMAIN = "sandbox.example"
STATE_FOLDER = ".fsgitops"
IN_WORDS: dict[str, str] = {}
"""What each pattern below means, for people: no message shows them a regular expression."""


def _text(pattern: str, words: str) -> Any:
    """Return the constraint of a text, and remember what it means."""
    IN_WORDS[pattern] = words
    return Field(pattern=pattern)


DomainText = Annotated[
    str,
    _text(
        r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
        r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
        "a host name or an IPv4 address, such as pbx.example.com",
    ),
]
RegionText = Annotated[str, _text(r"^[A-Z]{2}$", "a country's two capital letters, such as US")]
PathText = Annotated[
    str, _text(r"^[^\x00-\x1f\x7f]+$", "a path: not empty, without control characters")
]
_Word = Annotated[str, _text(r"^[a-z][a-z0-9_]{0,39}$", "a word of small letters, digits and _")]
_Address = Annotated[
    str,
    _text(
        r"^[A-Za-z0-9\[]([A-Za-z0-9.:\[\]-]{0,251}[A-Za-z0-9\]])?$",
        "a host name or an address, without a port",
    ),
]
_Listener = Annotated[
    str,
    _text(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$", "HOST:PORT, such as 127.0.0.1:8090"),
]
_Gateway = Annotated[
    str,
    _text(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$", "a gateway's name: letters, digits, . _ and -"),
]
_Origin = Annotated[
    str,
    _text(r"^https?://[A-Za-z0-9.\[\]:-]+$", "an origin, such as https://console.example.com"),
]
_Stun = Annotated[
    str,
    _text(r"^stuns?:[A-Za-z0-9.\[\]:-]+$", "a STUN server, such as stun:stun.example.com:3478"),
]
_SecureUrl = Annotated[str, _text(r"^https://[!-~]+$", "a URL that begins with https://")]
_TargetName = Annotated[
    str, _text(r"^[A-Za-z0-9][A-Za-z0-9_-]*$", "a target's name: letters, digits, _ and -")
]
_Port = Annotated[int, Field(ge=1, le=65535)]
_Percent = Annotated[float, Field(ge=0, le=100)]
_Digits = Annotated[int, Field(ge=2, le=11)]


class Part(BaseModel):
    """A part of the settings: frozen, and a key that it does not know is an error.

    What validates it is built when it is first asked to: defaults are made without, and a part
    within another is validated by that one's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _read_source(value: object) -> Source | None:
    source = None if value is None else read_source(value)
    if isinstance(source, PlaintextSource) and not source.marked:
        raise SourceError("holds a password in plain text")
    return source


_SecretSource = Annotated[
    Source | None, PlainValidator(_read_source), WithJsonSchema(SOURCE_SCHEMA)
]


class EslSettings(Part):
    """Where a target's event socket listens. Times are in seconds."""

    host: str = "127.0.0.1"
    port: _Port = 8021
    password: _SecretSource = None
    connect_timeout: Annotated[float, Field(gt=0, le=300)] = 5.0
    reply_timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    reload_timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0


class DialSettings(Part):
    """How `fsgitops dial` places a call. `timeout` is how many seconds a phone may ring.

    `gateway` is the one that calls outside go by; without it nobody outside can be called.
    """

    gateway: _Gateway | None = None
    timeout: Annotated[int, Field(ge=5, le=120)] = 30


class ApiSettings(Part):
    """Which web pages may use the HTTP API, and how much it takes from one caller."""

    cors: tuple[_Origin, ...] = ()
    reads_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    operations_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 60


class LimitsSettings(Part):
    """The largest share of the managed resources that one plan may touch, in percent."""

    deletes_percent: _Percent | None = None
    updates_percent: _Percent | None = None
    minimum: Annotated[int, Field(ge=0)] | None = None

    def over(self, other: LimitsSettings) -> LimitsSettings:
        """Return these limits, completed with `other` where they say nothing."""
        return other.model_copy(update=self.said())

    def said(self) -> dict[str, Any]:
        """Return the limits that are set, by name."""
        return {name: value for name, value in self if value is not None}


class IgnoredDrift(Part):
    """Drift that is expected: globs of a resource and of one of its attributes."""

    resource: str
    attribute: str = "*"


class DriftSettings(Part):
    """Expected drift, which `fsgitops drift` only counts."""

    ignore: tuple[IgnoredDrift, ...] = ()


AllowedDanger = Literal["reload", "registration", "gateway-restart", "calls"]


class PublicSettings(Part):
    """How phones reach a target: what `fsgitops credentials` tells people.

    `host` is the domain where it is not given. `provisioning_url` is where the configuration that
    `--format linphone` makes will be served; `{extension}` in it stands for the agent's.
    """

    host: _Address | None = None
    sip_port: _Port = 5060
    sip_transport: Literal["udp", "tcp", "tls"] = "udp"
    wss_port: _Port = 7443
    stun: _Stun | None = None
    provisioning_url: _SecureUrl | None = None


_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"


def _folder(section: str) -> Any:
    """Return the constraint of a folder of a section: itself, or one at most three below."""
    told = f"{section} or a folder of it, such as {section}/office"
    return _text(rf"^{section}(/{_NAME}){{0,3}}$", told)


def _refuse_ours(name: str) -> str:
    if name == "global" or name.startswith("fsgitops"):
        raise PydanticCustomError("ours", "a context of your own, and not `global`")
    return name


Context = Annotated[
    str,
    _text(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$", "a context's name: letters, digits, . _ and -"),
    AfterValidator(_refuse_ours),
]


def _refuse_inside(name: str) -> str:
    if name == "features":
        raise PydanticCustomError("inside", "a context that no agent dials in")
    return name


InboundContext = Annotated[Context, AfterValidator(_refuse_inside)]
"""Where calls from outside begin.

Never a context that agents dial in: whoever calls from outside could dial out through it.
"""


class PlacesSettings(Part):
    """The folders that fsgitops writes to, below `conf_dir`, and the agents' context."""

    directory: Annotated[str, _folder("directory")] = "directory/default"
    groups: Annotated[str, _folder("directory")] = "directory/fsgitops"
    dialplan: Annotated[str, _folder("dialplan")] = "dialplan/default"
    context: Context = "default"
    inbound: Annotated[str, _folder("dialplan")] | None = None
    contexts: Annotated[str, _folder("dialplan")] = "dialplan"
    prefix: Annotated[
        str,
        _text(
            r"^([A-Za-z0-9_][A-Za-z0-9_-]{0,19})?$",
            "at most 20 letters, digits, _ and -, such as 00_",
        ),
    ] = ""


Layout = Literal["files", "sharded"]
"""`files`: a file for each resource; `sharded`: files of hundreds, for large sites."""


Prefix = Annotated[str, _text(r"^[0-9]{1,6}$", 'digits in quotes, at most 6: "00"')]


class TargetSettings(Part):
    """One FreeSWITCH: its conf directory, its domain and its event socket."""

    conf_dir: PathText
    domain: DomainText
    esl: EslSettings = EslSettings.model_construct()
    profile: Annotated[
        str, _text(r"^[A-Za-z0-9_-]+$", "a profile's name: letters, digits, _ and -")
    ] = "internal"
    state_dir: PathText | None = None
    dial: DialSettings = DialSettings.model_construct()
    did_forms: tuple[Literal["digits", "national"], ...] | None = None
    did_prefixes: Annotated[tuple[Prefix, ...], Field(max_length=8)] = ()
    inbound_context: InboundContext = "public"
    places: PlacesSettings = PlacesSettings.model_construct()
    tenant: Annotated[
        str, _text(r"^([a-z][a-z0-9]{0,19})?$", "a word of at most 20 small letters and digits")
    ] = ""
    layout: Layout | None = None
    limits: LimitsSettings = LimitsSettings.model_construct()
    allow: tuple[AllowedDanger, ...] | None = None
    public: PublicSettings = PublicSettings.model_construct()

    def find_places(self) -> Places:
        """Return the folders and contexts, what is not said filled in."""
        said = {"inbound": f"dialplan/{self.inbound_context}"}
        said |= {name: value for name, value in self.places if value is not None}
        return Places(**said, inbound_context=self.inbound_context, tenant=self.tenant)


class SecretsSettings(Part):
    """Where secrets come from beside the project key. Commands are run only where allowed."""

    allow_commands: bool = False
    age_recipients: tuple[str, ...] = ()
    age_identity: str = f"{STATE_FOLDER}/age-identity"


class RotationSettings(Part):
    """Which agents' secrets are derived from the next key already, and that key's fingerprint."""

    next_key: Annotated[
        str, _text(r"^([0-9a-f]{16})?$", "a key's fingerprint, as `fsgitops key status` shows it")
    ] = ""
    everyone: bool = False
    groups: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()


class VariablesSettings(Part):
    """Names of variables that are the project's own: agents may declare them."""

    allow: tuple[str, ...] = ()


def _check_order(digits: tuple[int, ...]) -> tuple[int, ...]:
    if digits[0] > digits[1]:
        raise PydanticCustomError("digits", "the fewest digits and then the most, such as [3, 7]")
    return digits


class ExtensionSettings(Part):
    """What the project's extensions look like: the fewest and the most digits that one has."""

    digits: Annotated[
        tuple[_Digits, ...], Field(min_length=2, max_length=2), AfterValidator(_check_order)
    ] = (4, 6)

    @property
    def lengths(self) -> Lengths:
        """Return the two numbers of digits."""
        return Lengths(*self.digits)


class PolicySettings(Part):
    """The project's own rules: a folder of YAML files, and installed entry points by name."""

    folder: str = "policy"
    entry_points: tuple[str, ...] = ()


class KindSettings(Part):
    """A kind of the project's own: what is declared, and which file is made of it."""

    word: _Word
    section: _Word
    schema_file: Annotated[PathText, Field(alias="schema")]
    files: Annotated[dict[str, str], Field(min_length=1, max_length=8)]
    reach: str = ""
    dialled: str = ""


class UrlReference(Part):
    """A URL that is a secret, and stands in an environment variable."""

    env: Annotated[str, _text(r"^[A-Za-z_][A-Za-z0-9_]*$", "the name of an environment variable")]


class NotifySettings(Part):
    """Which webhook `apply --notify` tells, in which shape; `timeout` in seconds for all of it."""

    url: UrlReference
    format: Literal["slack", "json"] = "slack"
    timeout: Annotated[float, Field(gt=0, le=60)] = 10.0


class HistorySettings(Part):
    """How many revisions of a target are kept, and for how many days; the last one always is."""

    keep: Annotated[int, Field(ge=1, le=100_000)] = 50
    days: Annotated[int, Field(ge=1, le=36_500)] = 365


class CdrSettings(Part):
    """Settings of the CDR sidecar (docs/cdr.md). Times in seconds, sizes in bytes."""

    lake: str | None = None
    spool: str | None = None
    json_dir: str | None = None
    http: _Listener | None = None
    http_credential: _SecretSource = None
    remove_json: bool = False
    variables: tuple[str, ...] = ()
    switch: Annotated[str, Field(min_length=1)] | None = None
    commit_seconds: Annotated[float, Field(gt=0, le=10)] = 0.05
    flush_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 50_000
    flush_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024 * 1024
    flush_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    max_spool_bytes: Annotated[int, Field(ge=1024 * 1024)] = 4 * 1024 * 1024 * 1024
    settle_seconds: Annotated[float, Field(ge=1, le=86_400)] = 30.0
    ledger_days: Annotated[int, Field(ge=1, le=3650)] = 14


class Settings(Part):
    """All of `fsgitops.yaml`."""

    project: Annotated[
        str, _text(r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$", "a name of letters, digits, blanks, . _ and -")
    ] = "fsgitops"
    desired: PathText = "desired"
    templates: PathText = "templates"
    default_region: RegionText | None = None
    default_caller_id: str | None = None
    default_caller_name: str | None = None
    key_file: PathText = ".fsgitops/key"
    secrets: SecretsSettings = SecretsSettings.model_construct()
    key_rotation: RotationSettings | None = None
    audit_log: str | None = None
    defaults: dict[str, dict[str, Any]] = {}
    """Fields that declared resources leave out, by section; named as in the desired files."""
    history: HistorySettings = HistorySettings.model_construct()
    rules: dict[str, Literal["error", "warning", "off"]] = {}
    extensions: ExtensionSettings = ExtensionSettings.model_construct()
    variables: VariablesSettings = VariablesSettings.model_construct()
    policy: PolicySettings = PolicySettings.model_construct()
    kinds: Annotated[tuple[KindSettings, ...], Field(max_length=32)] = ()
    notify: NotifySettings | None = None
    api: ApiSettings = ApiSettings.model_construct()
    layout: Layout = "files"
    limits: LimitsSettings = LimitsSettings.model_construct()
    allow: tuple[AllowedDanger, ...] = ("reload", "registration")
    drift: DriftSettings = DriftSettings.model_construct()
    cdr: CdrSettings = CdrSettings.model_construct()
    targets: dict[_TargetName, TargetSettings] = {}
