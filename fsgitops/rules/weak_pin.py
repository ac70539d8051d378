"""A voicemail PIN is long, and not one of those that are tried next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent
from fsgitops.rules.secret_fields import plaintext_pins
from fsgitops.rules.voicemail_pin import HINT
from fsgitops.secret import PIN_LENGTH, is_weak_pin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def judge_strength(pin: str, extension: str) -> str | None:
    """Return why this PIN is soon guessed, or None. The PIN is not in the text."""
    if not (pin.isascii() and pin.isdigit()) or pin == extension:
        return None  # That is more than weak, and `voicemail-pin` says so.
    if len(pin) < PIN_LENGTH:
        return f"the voicemail PIN is shorter than {PIN_LENGTH} digits"
    if is_weak_pin(pin, extension):
        return (
            "the voicemail PIN is easy to guess: it holds the extension, repeats digits, or "
            "counts up or down"
        )
    return None


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every PIN in the YAML that is easy to guess."""
    for item, pin in plaintext_pins(desired):
        why = judge_strength(pin, item.extension)
        if why:
            yield Breach(agent(item.extension), ("voicemail", "pin"), why, HINT)
