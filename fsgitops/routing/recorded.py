"""A file as a recording has it: what it says with every secret masked, and a digest of those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.plan import is_secret
from fsgitops.routing.fragment import FragmentError, flatten_fragment
from fsgitops.routing.veil import MASK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsgitops.model.compiled import CompiledFile
    from fsgitops.model.live import LiveFile

UNREADABLE = "(the whole file)"


def mask_attributes(content: bytes) -> dict[str, str]:
    """Return what a file says, as `flatten_fragment` names it, with MASK for every secret."""
    return {
        name: MASK if is_secret(name, value) else value for name, value in _flatten(content).items()
    }


def digest_secrets(content: bytes, digest: Callable[[bytes], str]) -> str:
    """Return one keyed digest of all secrets in a file, "" where there is no key."""
    secrets = [f"{k}={v}" for k, v in sorted(_flatten(content).items()) if is_secret(k, v)]
    return digest("\n".join(secrets).encode())


def holds_recorded(file: CompiledFile, found: LiveFile, digest: Callable[[bytes], str]) -> bool:
    """Tell whether a recorded file said what the compiled one does, as far as can be known."""
    return mask_attributes(file.content) == found.attributes and _same_secrets(file, found, digest)


def flatten_recorded(
    file: CompiledFile, found: LiveFile, digest: Callable[[bytes], str]
) -> Mapping[str, str]:
    """Return a recorded file's attributes, to be compared with the compiled file's.

    Secrets that are known to be the same, or of which nothing is known, are the compiled file's.
    """
    recorded = dict(found.attributes or {})
    if _same_secrets(file, found, digest):
        compiled = flatten_fragment(file.content)
        recorded |= {k: compiled[k] for k, v in recorded.items() if v == MASK and k in compiled}
    return recorded


def _same_secrets(file: CompiledFile, found: LiveFile, digest: Callable[[bytes], str]) -> bool:
    if file.unknown or not found.secrets:
        return True
    return digest_secrets(file.content, digest) == found.secrets


def _flatten(content: bytes) -> dict[str, str]:
    try:
        return flatten_fragment(content)
    except FragmentError as problem:
        return {UNREADABLE: f"not readable as FreeSWITCH would: {problem}"}
