"""What the process environment says; it wins over the file."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fsgitops.errors import UsageError
from fsgitops.settings.shapes import DomainText, RegionText
from fsgitops.settings.wording import tell_expected

_ENVIRONMENT_NAMES = ("FSGITOPS_", "FS_", "DEFAULT_CALLER_")


class Environment(BaseSettings):
    """What the environment says. Every name is optional."""

    model_config = SettingsConfigDict(env_prefix="FSGITOPS_", extra="ignore", env_ignore_empty=True)

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


def read_environment() -> Environment:
    """Return what the process environment says. Raises UsageError for a malformed value."""
    try:
        return Environment()
    except ValidationError as problem:
        first = problem.errors()[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        name = name if name.startswith(_ENVIRONMENT_NAMES) else f"FSGITOPS_{name}"
        raise UsageError(
            f"environment variable {name}: expected {tell_expected(first)}; correct it or unset it"
        ) from None
