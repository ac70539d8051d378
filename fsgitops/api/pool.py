"""Connections to the switch: one thread each, opened when needed and again when broken.

An ESL session belongs to its thread (esl/session.py), so work goes to the threads and answers come
back as futures. Every wait has an end: a switch that is away costs a caller an error, never a hang.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from fsgitops.errors import (
    FsgitopsError,
    SwitchProtocolError,
    SwitchTimeoutError,
    SwitchUnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.switch.client import Switch

_T = TypeVar("_T")

CONNECTIONS = 4
WAITING = 64
PATIENT = 8
"""How many requests may wait for people at a time, each on a connection of its own."""

ANSWER_SECONDS = 20.0
RETRY_SECONDS = 1.0
FRESH_SECONDS = 1.0

_BROKEN = (SwitchUnreachableError, SwitchTimeoutError, SwitchProtocolError)
_Job = tuple["Future[Any]", "Callable[[Switch], Any]", float]


class SwitchPool:
    """A few connections that share a queue of work. Start it, run jobs, stop it."""

    def __init__(
        self,
        connect: Callable[[], Switch],
        *,
        size: int = CONNECTIONS,
        waiting: int = WAITING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self.clock = clock
        self._jobs: queue.Queue[_Job | None] = queue.Queue(waiting)
        self._threads = [
            threading.Thread(target=self._work, name=f"switch-{number}", daemon=True)
            for number in range(size)
        ]
        self._patient = threading.BoundedSemaphore(PATIENT)
        self._failed: tuple[float, FsgitopsError] | None = None

    def start(self) -> None:
        """Start the threads; they connect when there is work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads once they have done what they are at; waiting work is refused."""
        with contextlib.suppress(queue.Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None and job[0].set_running_or_notify_cancel():
                    job[0].set_exception(SwitchUnreachableError("the API is stopping"))
        for _ in self._threads:
            with contextlib.suppress(queue.Full):
                self._jobs.put_nowait(None)
        for thread in self._threads:
            thread.join(2.0)

    async def run(self, job: Callable[[Switch], _T], *, timeout: float = ANSWER_SECONDS) -> _T:
        """Return what `job` makes of a switch. Raises what it raises, and SwitchUnreachableError.

        `timeout` is in seconds, the wait for a free connection included. Work that began goes on
        after that, but nobody waits for it.
        """
        future: Future[_T] = Future()
        try:
            self._jobs.put_nowait((future, job, self.clock() + timeout))
        except queue.Full:
            raise SwitchUnreachableError("too many requests wait for the switch") from None
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        except TimeoutError:
            raise SwitchTimeoutError(f"no answer from the switch in {timeout:g} s") from None

    async def run_patiently(self, job: Callable[[Switch], _T]) -> _T:
        """Return what `job` makes of a switch, as `run`, however long it takes.

        For what waits until somebody picks up a phone: it has a connection of its own, so that
        nobody else waits for it. Raises SwitchUnreachableError when there are too many of these.
        """
        if not self._patient.acquire(blocking=False):
            raise SwitchUnreachableError(f"{PATIENT} calls are being waited for; try again later")
        future: Future[_T] = Future()
        threading.Thread(target=self._do_apart, args=(future, job), daemon=True).start()
        return await asyncio.wrap_future(future)

    def _do_apart(self, future: Future[_T], job: Callable[[Switch], _T]) -> None:
        switch: Switch | None = None
        future.set_running_or_notify_cancel()
        try:
            switch = self._connect()
            result = job(switch)
        except BaseException as problem:  # the future carries it to the caller
            future.set_exception(problem)
        else:
            future.set_result(result)
        finally:
            _drop(switch)
            self._patient.release()

    def _work(self) -> None:
        switch: Switch | None = None
        used = 0.0
        while (item := self._jobs.get()) is not None:
            future, job, deadline = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                switch = self._ready(switch, used)
                self._refuse_late(deadline)
                result = job(switch)
            except BaseException as problem:  # the future carries it to the caller
                future.set_exception(problem)
                if isinstance(problem, _BROKEN) or (switch and switch.session.closed):
                    _drop(switch)
                    switch = None
            else:
                future.set_result(result)
            used = self.clock()
        _drop(switch)

    def _ready(self, switch: Switch | None, used: float) -> Switch:
        """Return a connection that works: one that rested is asked first, as it may be dead."""
        if switch is not None and not switch.session.closed:
            if self.clock() - used < FRESH_SECONDS:
                return switch
            try:
                switch.uptime()
            except FsgitopsError:
                _drop(switch)
            else:
                return switch
        return self._open()

    def _refuse_late(self, deadline: float) -> None:
        # Whoever asked was told that it failed: a phone must not ring after that.
        if self.clock() >= deadline:
            raise SwitchTimeoutError("the switch came back too late")

    def _open(self) -> Switch:
        failed = self._failed
        if failed is not None and self.clock() - failed[0] < RETRY_SECONDS:
            raise SwitchUnreachableError(str(failed[1]))
        try:
            switch = self._connect()
        except FsgitopsError as problem:
            self._failed = (self.clock(), problem)
            raise
        self._failed = None
        return switch


def _drop(switch: Switch | None) -> None:
    if switch is not None:
        with contextlib.suppress(Exception):
            switch.close()
