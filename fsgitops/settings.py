"""`fsgitops.yaml` and the environment: which project, which targets, which defaults.

The environment wins over the file. `FSGITOPS_*` wins over the names that older back ends used
(`FS_HOST`, `FS_ESL_PORT`, `FS_ESL_PASSWORD`, `DEFAULT_CALLER_ID`, `DEFAULT_CALLER_NAME`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from fsgitops.errors import DesiredInvalidError, UsageError
from fsgitops.findings import Finding, Position, error
from fsgitops.secret import PlaintextSource, Source, SourceError, read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SETTINGS_FILE = "fsgitops.yaml"
SANDBOX = "sandbox"
SANDBOX_DOMAIN = "sandbox.example"
STATE_FOLDER = ".fsgitops"
DOMAIN_PATTERN = (
    r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$"
)

HOST_PATTERN = r"^[A-Za-z0-9\[]([A-Za-z0-9.:\[\]-]{0,251}[A-Za-z0-9\]])?$"


HOST_PORT_PATTERN = r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"
_OVERRIDES = {
    "project", "desired", "templates", "default_region", "default_caller_id",
    "default_caller_name", "key_file",
}  # fmt: skip
_ENVIRONMENT_NAMES = ("FSGITOPS_", "FS_", "DEFAULT_CALLER_")
_PathText = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _read_source(value: object) -> Source | None:
    source = None if value is None else read_source(value)
    if isinstance(source, PlaintextSource) and not source.marked:
        raise SourceError("holds a password in plain text")
    return source


_SecretSource = Annotated[Source | None, PlainValidator(_read_source)]


class EslSettings(_Part):
    """Where a target's event socket listens. Times are in seconds."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8021
    password: _SecretSource = None
    connect_timeout: Annotated[float, Field(gt=0, le=300)] = 5.0
    reply_timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    reload_timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0


class DialSettings(_Part):
    """How `fsgitops dial` places a call. `timeout` is how many seconds a phone may ring."""

    gateway: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")] = "telnyx"
    timeout: Annotated[int, Field(ge=5, le=120)] = 30


class ApiSettings(_Part):
    """Which web pages may use the HTTP API, and how much it takes from one caller."""

    cors: tuple[Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\[\]:-]+$")], ...] = ()
    reads_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    operations_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 60


class LimitsSettings(_Part):
    """The largest share of the managed resources that one plan may touch, in percent."""

    deletes_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    updates_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    minimum: Annotated[int, Field(ge=0)] | None = None

    def over(self, other: LimitsSettings) -> LimitsSettings:
        """Return these limits, completed with `other` where they say nothing."""
        return other.model_copy(update=self.model_dump(exclude_none=True))


class IgnoredDrift(_Part):
    """Drift that is expected: globs of a resource and of one of its attributes."""

    resource: str
    attribute: str = "*"


class DriftSettings(_Part):
    """What `fsgitops drift` says nothing about."""

    ignore: tuple[IgnoredDrift, ...] = ()


AllowedDanger = Literal["reload", "registration", "gateway-restart", "calls"]


class PublicSettings(_Part):
    """How phones reach a target: what `fsgitops credentials` tells people.

    `host` is the domain where it is not given. `provisioning_url` is where the configuration that
    `--format linphone` makes will be served; `{extension}` in it stands for the agent's.
    """

    host: Annotated[str, Field(pattern=HOST_PATTERN)] | None = None
    sip_port: Annotated[int, Field(ge=1, le=65535)] = 5060
    sip_transport: Literal["udp", "tcp", "tls"] = "udp"
    wss_port: Annotated[int, Field(ge=1, le=65535)] = 7443
    stun: Annotated[str, Field(pattern=r"^stuns?:[A-Za-z0-9.\[\]:-]+$")] | None = None
    provisioning_url: Annotated[str, Field(pattern=r"^https://[!-~]+$")] | None = None


class TargetSettings(_Part):
    """One FreeSWITCH: its conf directory, its domain and its event socket."""

    conf_dir: _PathText
    domain: Annotated[str, Field(pattern=DOMAIN_PATTERN)]
    esl: EslSettings = EslSettings()
    profile: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] = "internal"
    state_dir: _PathText | None = None
    dial: DialSettings = DialSettings()
    limits: LimitsSettings = LimitsSettings()
    allow: tuple[AllowedDanger, ...] | None = None
    public: PublicSettings = PublicSettings()


class SecretsSettings(_Part):
    """Where secrets come from beside the project key. Commands are run only where allowed."""

    allow_commands: bool = False
    age_recipients: tuple[str, ...] = ()
    age_identity: str = f"{STATE_FOLDER}/age-identity"


class RotationSettings(_Part):
    """Which agents' secrets are derived from the next key already."""

    everyone: bool = False
    groups: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()


class DefaultsSettings(_Part):
    """Fields that declared resources leave out; the same names as in the desired files."""

    agents: dict[str, Any] = {}
    did_routes: dict[str, Any] = {}


class PolicySettings(_Part):
    """The project's own rules: a folder of YAML files, and installed entry points by name."""

    folder: str = "policy"
    entry_points: tuple[str, ...] = ()


class UrlReference(_Part):
    """A URL that is a secret, and stands in an environment variable."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class NotifySettings(_Part):
    """Which webhook `apply --notify` tells, in which shape; `timeout` in seconds for all of it."""

    url: UrlReference
    format: Literal["slack", "json"] = "slack"
    timeout: Annotated[float, Field(gt=0, le=60)] = 10.0


class HistorySettings(_Part):
    """How many revisions of a target are kept, and for how many days; the last one always is."""

    keep: Annotated[int, Field(ge=1, le=100_000)] = 50
    days: Annotated[int, Field(ge=1, le=36_500)] = 365


class CdrSettings(_Part):
    """What the CDR sidecar is told (docs/cdr.md). Times in seconds, sizes in bytes."""

    lake: str | None = None
    spool: str | None = None
    json_dir: str | None = None
    http: Annotated[str, Field(pattern=HOST_PORT_PATTERN)] | None = None
    http_credential: _SecretSource = None
    remove_json: bool = False
    variables: tuple[str, ...] = ()
    commit_seconds: Annotated[float, Field(gt=0, le=10)] = 0.05
    flush_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 50_000
    flush_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024 * 1024
    flush_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    max_spool_bytes: Annotated[int, Field(ge=1024 * 1024)] = 4 * 1024 * 1024 * 1024
    settle_seconds: Annotated[float, Field(ge=1, le=86_400)] = 30.0
    ledger_days: Annotated[int, Field(ge=1, le=3650)] = 14


class Settings(_Part):
    """All of `fsgitops.yaml`."""

    project: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")] = "fsgitops"
    desired: _PathText = "desired"
    templates: _PathText = "templates"
    default_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    default_caller_id: str | None = None
    default_caller_name: str | None = None
    key_file: _PathText = ".fsgitops/key"
    secrets: SecretsSettings = SecretsSettings()
    key_rotation: RotationSettings | None = None
    audit_log: str | None = None
    defaults: DefaultsSettings = DefaultsSettings()
    history: HistorySettings = HistorySettings()
    rules: dict[str, Literal["error", "warning", "off"]] = {}
    policy: PolicySettings = PolicySettings()
    notify: NotifySettings | None = None
    api: ApiSettings = ApiSettings()
    limits: LimitsSettings = LimitsSettings()
    allow: tuple[AllowedDanger, ...] = ("reload", "registration")
    drift: DriftSettings = DriftSettings()
    cdr: CdrSettings = CdrSettings()
    targets: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")], TargetSettings
    ] = {}


class Environment(BaseSettings):
    """What the environment says. Every name is optional."""

    model_config = SettingsConfigDict(env_prefix="FSGITOPS_", extra="ignore", env_ignore_empty=True)

    target: str | None = None
    project: str | None = None
    desired: str | None = None
    templates: str | None = None
    conf_dir: str | None = None
    domain: Annotated[str, Field(pattern=DOMAIN_PATTERN)] | None = None
    esl_host: str | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_ESL_HOST", "FS_HOST")
    )
    esl_port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_ESL_PORT", "FS_ESL_PORT")
    )
    esl_password: SecretStr | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_ESL_PASSWORD", "FS_ESL_PASSWORD")
    )
    default_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    default_caller_id: str | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_DEFAULT_CALLER_ID", "DEFAULT_CALLER_ID")
    )
    default_caller_name: str | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_DEFAULT_CALLER_NAME", "DEFAULT_CALLER_NAME")
    )
    key_file: str | None = None


class Target(_Part):
    """A target with the environment's overrides in it; paths are absolute.

    `esl_password` is set when the environment named the password itself; otherwise `esl.password`
    tells where it stands.
    """

    name: str
    conf_dir: Path
    state_dir: Path
    domain: str
    profile: str
    esl: EslSettings
    esl_password: SecretStr | None = None
    dial: DialSettings = DialSettings()
    limits: LimitsSettings = LimitsSettings()
    allow: tuple[AllowedDanger, ...] = ("reload", "registration")
    public: PublicSettings = PublicSettings()
    secrets: SecretsSettings = SecretsSettings()

    @property
    def simulated(self) -> bool:
        """Tell whether this target is the embedded switch and not a FreeSWITCH."""
        return self.name == SANDBOX


def read_environment() -> Environment:
    """Return what the process environment says. Raises UsageError for a malformed value."""
    try:
        return Environment()
    except ValidationError as problem:
        first = problem.errors()[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        name = name if name.startswith(_ENVIRONMENT_NAMES) else f"FSGITOPS_{name}"
        raise UsageError(
            f"environment variable {name}: expected {_expected(first)}; correct it or unset it"
        ) from None


def build_settings(
    data: Mapping[str, Any], position: Callable[..., Position], environment: Environment
) -> Settings:
    """Return the settings that a parsed `fsgitops.yaml` holds, under the environment's overrides.

    `position(path, key=...)` gives the place of a value, or of a key, in the file. Raises
    DesiredInvalidError with every finding.
    """
    try:
        settings = Settings.model_validate(data)
    except ValidationError as problem:
        details = problem.errors(include_url=False)
        raise DesiredInvalidError(_merge(_finding(item, position) for item in details)) from None
    if SANDBOX in settings.targets:
        place = position(("targets", SANDBOX), key=True)
        message = f"target `{SANDBOX}` is built in and cannot be declared"
        hint = "give your own target another name"
        raise DesiredInvalidError([error("settings", place, message, hint)])
    overrides = environment.model_dump(include=_OVERRIDES, exclude_none=True)
    return settings.model_copy(update=overrides)


def select_target(
    settings: Settings, name: str | None, root: Path, environment: Environment
) -> Target:
    """Return the target called `name`, or the environment's, or the sandbox.

    The environment never redirects the sandbox: its switch is in this process. Raises UsageError
    for a name that is not declared.
    """
    chosen = name or environment.target or SANDBOX
    if chosen == SANDBOX:
        home = root / STATE_FOLDER / SANDBOX
        return Target(
            name=SANDBOX,
            conf_dir=home / "conf",
            state_dir=home / "conf" / STATE_FOLDER,
            domain=SANDBOX_DOMAIN,
            profile="internal",
            esl=EslSettings(),
            limits=settings.limits,
            allow=settings.allow,
            secrets=settings.secrets,
        )
    if chosen not in settings.targets:
        known = ", ".join(sorted([*settings.targets, SANDBOX]))
        raise UsageError(f"no target `{chosen}` in {SETTINGS_FILE}; the targets are: {known}")
    declared = settings.targets[chosen]
    allow = settings.allow if declared.allow is None else declared.allow
    limits = declared.limits.over(settings.limits)
    return _override_target(chosen, declared, root, environment).model_copy(
        update={"limits": limits, "allow": allow, "secrets": settings.secrets}
    )


def _override_target(
    name: str, declared: TargetSettings, root: Path, environment: Environment
) -> Target:
    conf_dir = root / (environment.conf_dir or declared.conf_dir)
    state_dir = root / declared.state_dir if declared.state_dir else conf_dir / STATE_FOLDER
    address = {"host": environment.esl_host, "port": environment.esl_port}
    esl = declared.esl.model_copy(update={k: v for k, v in address.items() if v is not None})
    return Target(
        name=name,
        conf_dir=conf_dir,
        state_dir=state_dir,
        domain=environment.domain or declared.domain,
        profile=declared.profile,
        esl=esl,
        esl_password=environment.esl_password,
        dial=declared.dial,
        public=declared.public,
    )


def _finding(item: Any, position: Callable[..., Position]) -> Finding:
    path = tuple(part for part in item["loc"] if part != "[key]")
    name = ".".join(str(part) for part in path)
    if path[:2] == ("notify", "url") and item["type"] != "missing":
        hint = "write {env: NAME}; a webhook's URL is a secret, so it stands in the environment"
        return error("plaintext-secret", position(path[:2]), "`notify.url` names no variable", hint)
    if path[-1:] == ("password",) and isinstance(item["input"], str):
        place = position(path)
        message = f"`{name}` holds a password in plain text"
        hint = "write {env: NAME} or {file: PATH}; change the password, since git has seen it"
        return error("plaintext-secret", place, message, hint)
    if path[-1:] == ("password",) and item["type"] == "value_error":
        return error("settings", position(path), f"`{name}`: {item['ctx']['error']}")
    if item["type"] == "extra_forbidden":
        return _unknown_key(path, position)
    told = item["type"] != "missing" and not {"esl", "password"}.intersection(path[-2:])
    found = f"found {item['input']!r}, " if told else ""
    place = position(path[:-1] if item["type"] == "missing" else path)
    return error("settings", place, f"`{name}`: {found}expected {_expected(item)}")


def _unknown_key(path: tuple[Any, ...], position: Callable[..., Position]) -> Finding:
    from difflib import get_close_matches

    owners: dict[str, type[BaseModel]] = {
        "esl": EslSettings, "cdr": CdrSettings, "defaults": DefaultsSettings,
        "targets": TargetSettings,
        "policy": PolicySettings, "notify": NotifySettings,
        "dial": DialSettings, "api": ApiSettings,
        "limits": LimitsSettings, "drift": DriftSettings, "ignore": IgnoredDrift,
        "history": HistorySettings,
        "public": PublicSettings, "secrets": SecretsSettings, "key_rotation": RotationSettings,
    }  # fmt: skip
    owner = next((owners[part] for part in reversed(path[:-1]) if part in owners), Settings)
    close = get_close_matches(str(path[-1]), owner.model_fields, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(owner.model_fields)}"
    return error("unknown-key", position(path, key=True), f"unknown key `{path[-1]}`", hint)


def _expected(item: Any) -> str:
    context = item.get("ctx") or {}
    texts = {
        "missing": "this field, which is required",
        "string_pattern_mismatch": f"text that matches {context.get('pattern')}",
        "int_parsing": "a whole number",
        "float_parsing": "a number of seconds",
        "model_type": "a mapping",
        "dict_type": "a mapping",
        "string_type": "text",
        "greater_than_equal": f"at least {context.get('ge')}",
        "greater_than": f"more than {context.get('gt')}",
        "less_than_equal": f"at most {context.get('le')}",
        "literal_error": f"one of {context.get('expected')}",
    }
    return texts.get(item["type"]) or str(item["msg"])


def _merge(findings: Any) -> list[Finding]:
    """Drop the second voice of a union: both branches complain about one value."""
    seen: dict[tuple[Position, str], Finding] = {}
    for item in findings:
        seen.setdefault((item.position, item.rule), item)
    return list(seen.values())
