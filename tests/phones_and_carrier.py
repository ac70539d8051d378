"""A project on a real FreeSWITCH, and the phones of its agents and a carrier, which sipp plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project import Project

if TYPE_CHECKING:
    from collections.abc import Callable

GATEWAY = """\
<include>
  <gateway name="test_carrier">
    <param name="proxy" value="127.0.0.1:{port}"/>
    <param name="username" value="none"/>
    <param name="password" value="none"/>
    <param name="register" value="false"/>
    <param name="caller-id-in-from" value="true"/>
  </gateway>
</include>
"""
ATTEMPTS = 400


def until(met: Callable[[], Any]) -> Any:
    """Ask again and again, a bounded number of times: each asking takes its time."""
    for _ in range(ATTEMPTS):
        found = met()
        if found:
            return found
    raise AssertionError("it never came to that")


def agent(real: Project, extension: str) -> dict[str, Any]:
    found: dict[str, Any] = real.run("status", extension, "--json").json()["agents"][0]
    return found


def calls(real: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = real.run("calls", "--json").json()["calls"]
    return found


def up(real: Project, legs: int = 2) -> dict[str, Any] | None:
    found = calls(real)
    if len(found) == 1 and len(found[0]["legs"]) == legs and found[0]["state"] == "ACTIVE":
        return found[0]
    return None


def change_gateway(real: Project, name: str) -> None:
    text = (real.root / "fsgitops.yaml").read_text()
    real.write("fsgitops.yaml", text.replace("gateway: test_carrier", f"gateway: {name}"))
