"""The one type that carries a secret without ever printing it."""

from __future__ import annotations

import hmac
import re
from typing import Any, Final, NoReturn

from fsgitops.errors import SecretError

_MASK: Final = "***"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Secret:
    """A text that no formatting, logging or serialising gives away; only `reveal` does."""

    __slots__ = ("_value",)
    _value: str
    __hash__ = None  # type: ignore[assignment]  # a hash would be a fast oracle for short secrets

    def __init__(self, value: str) -> None:
        _keep(self, value)

    def reveal(self) -> str:
        """Return the secret itself. Whoever calls this answers for where it goes."""
        return self._value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self.reveal().encode(), other.reveal().encode()
        return hmac.compare_digest(mine, theirs)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret is not serialised")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not serialised")


_keep: Final[Any] = Secret.__dict__["_value"].__set__


def read_secret(content: bytes, where: str) -> Secret:
    """Return what stands in a file, without the newline at its end. Raises as `check_secret`."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise SecretError(f"{where}: the secret is not UTF-8 text") from None
    return check_secret(text.removesuffix("\n").removesuffix("\r"), where)


def check_secret(value: str, where: str) -> Secret:
    """Return the value as a secret. Raises SecretError, naming `where`, unless it is one line."""
    if not value:
        raise SecretError(f"{where} is empty: put the secret there")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SecretError(f"{where}: the secret is not UTF-8 text") from None
    if _CONTROL.search(value):
        raise SecretError(f"{where}: a secret is one line without control characters")
    return Secret(value)
