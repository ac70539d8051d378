"""A voicemail PIN can be dialled, and is not the first one that anybody would try."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired

_PIN = re.compile(r"[0-9]{4,10}")
_HINT = "Choose another one, or leave `pin` out: one is derived from the project key."


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every PIN that is not 4 to 10 digits, or is the extension. No PIN is shown."""
    for item in desired.agents:
        pin = item.voicemail.pin
        if pin is None:
            continue
        path = ("voicemail", "pin")
        if not _PIN.fullmatch(pin):
            message = "the voicemail PIN is not 4 to 10 digits"
            yield Breach(agent(item.extension), path, message, _HINT)
        elif pin == item.extension:
            message = "the voicemail PIN is the extension: anybody could listen to this mailbox"
            yield Breach(agent(item.extension), path, message, _HINT)
