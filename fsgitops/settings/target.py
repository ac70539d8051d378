"""One target, with the environment's overrides in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from fsgitops.errors import UsageError
from fsgitops.settings.shapes import (
    SANDBOX,
    SANDBOX_DOMAIN,
    SETTINGS_FILE,
    STATE_FOLDER,
    AllowedDanger,
    DialSettings,
    EslSettings,
    LimitsSettings,
    Part,
    PublicSettings,
    SecretsSettings,
    Settings,
    TargetSettings,
)

if TYPE_CHECKING:
    from fsgitops.settings.environment import Environment


class Target(Part):
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
    did_forms: tuple[Literal["digits", "national"], ...] | None = None
    inbound_context: str = "public"
    limits: LimitsSettings = LimitsSettings()
    allow: tuple[AllowedDanger, ...] = ("reload", "registration")
    public: PublicSettings = PublicSettings()
    secrets: SecretsSettings = SecretsSettings()
    key_file: str = ""

    @property
    def simulated(self) -> bool:
        """Tell whether this target is the embedded switch and not a FreeSWITCH."""
        return self.name == SANDBOX


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
            dial=DialSettings(gateway=SANDBOX),
            limits=settings.limits,
            allow=settings.allow,
            secrets=settings.secrets,
            key_file=settings.key_file,
        )
    if chosen not in settings.targets:
        known = ", ".join(sorted([*settings.targets, SANDBOX]))
        raise UsageError(f"no target `{chosen}` in {SETTINGS_FILE}; the targets are: {known}")
    declared = settings.targets[chosen]
    allow = settings.allow if declared.allow is None else declared.allow
    limits = declared.limits.over(settings.limits)
    return _override_target(chosen, declared, root, environment).model_copy(
        update={
            "limits": limits,
            "allow": allow,
            "secrets": settings.secrets,
            "key_file": settings.key_file,
        }
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
        did_forms=declared.did_forms,
        inbound_context=declared.inbound_context,
        public=declared.public,
    )
