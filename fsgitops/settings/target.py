"""One target, with the environment's overrides in it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from fsgitops.errors import UsageError
from fsgitops.settings.environment import Environment
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
    declared = settings.targets.get(chosen)
    if chosen == SANDBOX:
        conf, environment = f"{STATE_FOLDER}/{SANDBOX}/conf", Environment.model_construct()
        dial = DialSettings(gateway=SANDBOX)
        declared = TargetSettings(conf_dir=conf, domain=SANDBOX_DOMAIN, dial=dial)
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
        inbound_context=declared.inbound_context,
        limits=declared.limits.over(settings.limits),
        allow=settings.allow if declared.allow is None else declared.allow,
        public=declared.public,
        secrets=settings.secrets,
        key_file=settings.key_file,
    )
