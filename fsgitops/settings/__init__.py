"""`fsgitops.yaml` and the environment: which project, which targets, which defaults.

The environment wins over the file. `FSGITOPS_*` wins over the names that older back ends used
(`FS_HOST`, `FS_ESL_PORT`, `FS_ESL_PASSWORD`, `DEFAULT_CALLER_ID`, `DEFAULT_CALLER_NAME`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from fsgitops.errors import DesiredInvalidError
from fsgitops.findings import Finding, Position, error
from fsgitops.settings.shapes import SANDBOX, Settings
from fsgitops.settings.wording import find_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from fsgitops.settings.target import Environment

_OVERRIDES = {
    "project", "desired", "templates", "default_region", "default_caller_id",
    "default_caller_name", "key_file",
}  # fmt: skip


def build_settings(
    data: Mapping[str, Any],
    position: Callable[..., Position],
    environment: Environment,
    sections: Collection[str],
) -> Settings:
    """Return the settings that a parsed `fsgitops.yaml` holds, under the environment's overrides.

    `position(path, key=...)` gives the place of a value, or of a key, in the file; `sections` are
    those that `defaults` may have. Raises DesiredInvalidError with every finding.
    """
    details: list[Any] = _unknown_sections(data.get("defaults"), sections)
    settings = Settings.model_construct()
    try:
        settings = Settings.model_validate(data)
    except ValidationError as problem:
        details += problem.errors(include_url=False)
    if details:
        raise DesiredInvalidError(find_faults(details, position, sections))
    if SANDBOX in settings.targets:
        place = position(("targets", SANDBOX), key=True)
        message = f"target `{SANDBOX}` is built in and cannot be declared"
        hint = "Give your own target another name"
        raise DesiredInvalidError([error("settings", place, message, hint)])
    if problems := list(_check_places(settings, position)):
        raise DesiredInvalidError(problems)
    said = ((name, value) for name, value in environment if name in _OVERRIDES)
    return settings.model_copy(update={name: value for name, value in said if value is not None})


def _check_places(settings: Settings, position: Callable[..., Position]) -> Iterator[Finding]:
    """Yield where two settings of a target name one place, which cannot be both."""
    for name, target in settings.targets.items():
        found = target.find_places()
        wrong: list[tuple[tuple[str, ...], str]] = []
        if found.inbound_context.lower() == found.context.lower():
            told = f"found {found.inbound_context!r}, expected a context that no agent dials in"
            wrong.append((("inbound_context",), told))
        seen: dict[str, str] = {}
        for field in ("directory", "groups", "dialplan", "inbound", "contexts"):
            folder = getattr(found, field)
            first = seen.setdefault(folder, field)
            if first != field:
                told = f"found {folder!r}, expected another folder than that of `{first}`"
                wrong.append((("places", field), told))
        for path, told in wrong:
            place = position(("targets", name, *path))
            yield error("settings", place, f"`{'.'.join(('targets', name, *path))}`: {told}")


def _unknown_sections(defaults: Any, sections: Collection[str]) -> list[Any]:
    names = defaults if isinstance(defaults, dict) else ()
    unknown = (name for name in names if name not in sections)
    return [{"type": "extra_forbidden", "loc": ("defaults", name), "input": 0} for name in unknown]
