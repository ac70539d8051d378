"""A voicemail PIN is not one of those that are tried next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired

_UP = "01234567890123456789"
_DOWN = _UP[::-1]


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every PIN that is one digit repeated, or digits in a row. No PIN is shown."""
    for item in desired.agents:
        pin = item.voicemail.pin
        if pin and pin.isascii() and (len(set(pin)) == 1 or pin in _UP or pin in _DOWN):
            yield Breach(
                agent(item.extension),
                ("voicemail", "pin"),
                "the voicemail PIN is easy to guess: one digit repeated, or digits in a row",
                "Choose another one, or leave `pin` out: one is derived from the project key.",
            )
