"""What the process environment says, and one target with its overrides in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from fsgitops.errors import UsageError
from fsgitops.settings.shapes import (
    SANDBOX,
    SANDBOX_DOMAIN,
    SETTINGS_FILE,
    STATE_FOLDER,
    AllowedDanger,
    DialSettings,
    DomainText,
    EslSettings,
    Layout,
    LimitsSettings,
    PublicSettings,
    RegionText,
    SecretsSettings,
    Settings,
    TargetSettings,
)
from fsgitops.settings.wording import tell_expected

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.places import Places


class Environment(BaseModel):
    """What the environment says. Every name is optional, and `FSGITOPS_` stands before each."""

    model_config = ConfigDict(
        alias_generator=lambda name: f"FSGITOPS_{name.upper()}",
        populate_by_name=True,
        defer_build=True,
    )

    target: str | None = None
    project: str | None = None
    desired: str | None = None
    templates: str | None = None
    conf_dir: str | None = None
    domain: DomainText | None = None
    esl_host: str | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_ESL_HOST", "FS_HOST")
    )
    esl_port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_ESL_PORT", "FS_ESL_PORT")
    )
    esl_password: SecretStr | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_ESL_PASSWORD", "FS_ESL_PASSWORD")
    )
    default_region: RegionText | None = None
    default_caller_id: str | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_DEFAULT_CALLER_ID", "DEFAULT_CALLER_ID")
    )
    default_caller_name: str | None = Field(
        None, validation_alias=AliasChoices("FSGITOPS_DEFAULT_CALLER_NAME", "DEFAULT_CALLER_NAME")
    )
    key_file: str | None = None
    cache: Literal["on", "off"] | None = None


_BEGINNINGS: Final = ("FSGITOPS_", "FS_", "DEFAULT_CALLER_")
"""What every name that an Environment is read from begins with."""


def read_environment() -> Environment:
    """Return what the process environment says. Raises UsageError for a malformed value."""
    said = {name.upper(): text for name, text in os.environ.items() if text}
    if not any(name.startswith(_BEGINNINGS) for name in said):
        return Environment.model_construct()  # to build its validator takes 20 ms of a start
    try:
        return Environment.model_validate(said)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise UsageError(
            f"environment variable {first['loc'][0]}: expected {tell_expected(first)}; correct it "
            "or unset it"
        ) from None


@dataclass(frozen=True, slots=True)
class Target:
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
    esl_password: SecretStr | None
    dial: DialSettings
    did_forms: tuple[Literal["digits", "national"], ...] | None
    did_prefixes: tuple[str, ...]
    places: Places
    layout: Layout
    limits: LimitsSettings
    allow: tuple[AllowedDanger, ...]
    public: PublicSettings
    secrets: SecretsSettings
    key_file: str

    @property
    def simulated(self) -> bool:
        """Tell whether this target is the embedded switch and not a FreeSWITCH."""
        return self.name == SANDBOX

    @property
    def inbound_context(self) -> str:
        """Return the context that calls from outside begin in."""
        return self.places.inbound_context


def select_target(
    settings: Settings, name: str | None, root: Path, environment: Environment
) -> Target:
    """Return the target called `name`, or the environment's, or the sandbox.

    The environment never redirects the sandbox: its switch is in this process. Raises UsageError
    for a name that is not declared.
    """
    chosen = name or environment.target or SANDBOX
    declared = settings.targets.get(chosen)
    if chosen == SANDBOX:
        conf, environment = f"{STATE_FOLDER}/{SANDBOX}/conf", Environment.model_construct()
        dial = DialSettings.model_construct(gateway=SANDBOX)
        declared = TargetSettings.model_construct(conf_dir=conf, domain=SANDBOX_DOMAIN, dial=dial)
    if declared is None:
        known = ", ".join(sorted([*settings.targets, SANDBOX]))
        raise UsageError(f"no target `{chosen}` in {SETTINGS_FILE}; the targets are: {known}")
    conf_dir = root / (environment.conf_dir or declared.conf_dir)
    address = {"host": environment.esl_host, "port": environment.esl_port}
    esl = declared.esl.model_copy(update={k: v for k, v in address.items() if v is not None})
    return Target(
        name=chosen,
        conf_dir=conf_dir,
        state_dir=root / declared.state_dir if declared.state_dir else conf_dir / STATE_FOLDER,
        domain=environment.domain or declared.domain,
        profile=declared.profile,
        esl=esl,
        esl_password=environment.esl_password,
        dial=declared.dial,
        did_forms=declared.did_forms,
        did_prefixes=declared.did_prefixes,
        places=declared.find_places(),
        layout=declared.layout or settings.layout,
        limits=declared.limits.over(settings.limits),
        allow=settings.allow if declared.allow is None else declared.allow,
        public=declared.public,
        secrets=settings.secrets,
        key_file=settings.key_file,
    )
