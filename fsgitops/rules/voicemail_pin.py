"""A voicemail PIN can be dialled, and is not the first one that anybody would try."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent
from fsgitops.rules.secret_fields import plaintext_pins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired

_PIN = re.compile(r"[0-9]{4,10}")
HINT = "Choose another one, or leave `pin` out: one is derived from the project key."


def judge_pin(pin: str, extension: str) -> str | None:
    """Return why this can be nobody's PIN, or None. The PIN is not in the text."""
    if not _PIN.fullmatch(pin):
        return "the voicemail PIN is not 4 to 10 digits"
    if pin == extension:
        return "the voicemail PIN is the extension: anybody could listen to this mailbox"
    return None


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every PIN in the YAML that is not 4 to 10 digits, or is the extension."""
    for item, pin in plaintext_pins(desired):
        why = judge_pin(pin, item.extension)
        if why:
            yield Breach(agent(item.extension), ("voicemail", "pin"), why, HINT)
