"""One POST of JSON to a webhook: bounded in time, never redirected, its URL never shown."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class WebhookError(FsgitopsError):
    """The webhook did not take the message. The text does not hold its URL, which is a secret."""


class _Refusal(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: another address was not what the operator trusted."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def post_json(url: str, payload: Mapping[str, Any], timeout: float) -> None:
    """Post the payload and return once it was taken.

    Args:
        url: An https URL, or http on the loopback address.
        payload: JSON values.
        timeout: Seconds for all of it: name look-up, connection, request and answer.

    Raises:
        WebhookError: the URL is not one, or nothing or something else than success was answered.
    """
    _check_url(url)
    body = json.dumps(payload).encode()
    failures: list[str] = []
    # Time limits of sockets start anew with every byte, so a slow answer could last for ever.
    worker = threading.Thread(target=_post, args=(url, body, timeout, failures), daemon=True)
    worker.start()
    worker.join(timeout)
    if worker.is_alive():
        raise WebhookError(f"no answer within {timeout:g} seconds")
    if failures:
        raise WebhookError(failures[0])


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise WebhookError("the webhook's URL is not a URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise WebhookError("the webhook's URL must start with https:// (it is a secret)")


def _post(url: str, body: bytes, timeout: float, failures: list[str]) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "fsgitops"}
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 (checked)
    opener = urllib.request.build_opener(_Refusal)
    try:
        with opener.open(request, timeout=timeout):
            return
    except urllib.error.HTTPError as problem:
        problem.close()
        failures.append(f"the webhook answered with status {problem.code}")
    except urllib.error.URLError as problem:
        reason = problem.reason
        failures.append(f"the webhook was not reached: {_reason(reason)}")
    except (OSError, http.client.HTTPException, ValueError) as problem:
        failures.append(f"the webhook did not answer as one: {_reason(problem)}")


def _reason(problem: object) -> str:
    # Only words that the system has for it: an exception's own text may hold the URL.
    text = problem.strerror if isinstance(problem, OSError) else None
    return text or type(problem).__name__
