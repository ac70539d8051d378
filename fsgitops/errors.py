"""One root error. Each class knows the exit code that a command ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.findings import Finding


class FsgitopsError(Exception):
    """Anything that a command ends on. Its text is for the user and holds no secret."""

    exit_code: ClassVar[int] = 1


class UsageError(FsgitopsError):
    """The command line is wrong: malformed words, unknown options, or what does not go together."""

    exit_code = 64


class NotPossibleError(FsgitopsError):
    """What was asked makes sense, but not now: the agent is disabled, the phone is gone."""


class NotThereError(NotPossibleError):
    """There is no such agent, call, phone, revision or token."""


class DesiredInvalidError(FsgitopsError):
    """The desired state or the settings hold errors; `findings` has all of them."""

    exit_code = 3

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = list(findings)
        super().__init__("\n".join(str(item) for item in self.findings))


class PlanRefusedError(FsgitopsError):
    """The plan is stale, unsafe, or a foreign file is in its way. Nothing was touched."""

    exit_code = 4


class RolledBackError(FsgitopsError):
    """The apply failed and everything was put back, on disk and in the switch."""

    exit_code = 5


class RollbackFailedError(FsgitopsError):
    """The apply failed and putting things back failed too; the text says what state remains."""

    exit_code = 6


class SecretError(FsgitopsError):
    """A key or a secret is missing, malformed or too widely readable."""


class SecretUnavailableError(SecretError):
    """A secret is not at hand here: a plan goes on without it, an apply does not."""


class SwitchError(FsgitopsError):
    """The switch did not do, or did not answer, what it was asked."""


class ReloadRefusedError(SwitchError):
    """The switch could not load the configuration, and keeps the one that it has in memory.

    `line` is that of the merged configuration which it named, counting from 1.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class SwitchUnreachableError(SwitchError):
    """No connection, or it broke: the switch is not there (any more)."""


class SwitchTimeoutError(SwitchError):
    """The switch did not answer within the time limit."""


class SwitchAuthError(SwitchError):
    """The switch refused the ESL password, or its ACL refused the address."""


class SwitchProtocolError(SwitchError):
    """What came over the ESL connection is not ESL."""


def error_to_json(problem: FsgitopsError) -> dict[str, Any]:
    """Return what a command ended on, with every finding (docs/json.md)."""
    from fsgitops.findings import findings_to_json

    findings = problem.findings if isinstance(problem, DesiredInvalidError) else []
    return {
        "format": "fsgitops-error",
        "version": 1,
        "error": type(problem).__name__.removesuffix("Error"),
        "exit_code": problem.exit_code,
        "message": str(problem),
        "findings": findings_to_json(findings),
    }
