"""The immediate road: hang-up events over ESL, with a new connection whenever one breaks."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from fsgitops.cdr.ingest import Road, Submission
from fsgitops.cdr.log import say
from fsgitops.cdr.record import MAX_EVENT, RecordError
from fsgitops.errors import SwitchError, SwitchProtocolError
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.cdr.ingest import Ingest
    from fsgitops.cdr.quarantine import Quarantine
    from fsgitops.cdr.record import RecordBuilder, Row
    from fsgitops.esl.session import EslSession, EventQueue

EVENTS = ("CHANNEL_HANGUP_COMPLETE", "HEARTBEAT")
_TAKE = 1000
_FIRST_WAIT, _MAX_WAIT = 0.1, 15.0
_REFUSE_AFTER = 30.0


class Listener(Road):
    """Holds the event connection. gevent works inside its thread only; nothing is patched."""

    def __init__(
        self,
        connect: Callable[[], EslSession],
        ingest: Ingest,
        builder: RecordBuilder,
        quarantine: Quarantine,
        *,
        heard_us: int = 0,
    ) -> None:
        super().__init__("listener", ingest, builder, quarantine)
        self._connect = connect
        self._heard_us = heard_us
        self.first_wait = _FIRST_WAIT

    def _run(self) -> None:
        wait = self.first_wait
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._listen()
            except SwitchError as problem:
                self.metrics.fail("esl", str(problem))
                say(
                    logging.WARNING,
                    "no events: connecting again",
                    why=str(problem),
                    wait_seconds=wait,
                )
            finally:
                heard = self.metrics.hearing
                self.metrics.hear(connected=False)
            self.turned()
            if time.monotonic() - began > _MAX_WAIT or heard:
                wait = self.first_wait
            self._stop.wait(wait)
            wait = min(wait * 2, _MAX_WAIT)

    def _listen(self) -> None:
        with self._connect() as session:
            events = session.subscribe_json(EVENTS, max_queued=2 * _TAKE)
            now = time.time_ns() // 1000
            deaf = round((now - self._heard_us) / 1e6, 3) if self._heard_us else None
            say(logging.INFO, "listening for events", peer=session.place, deaf_seconds=deaf)
            self.metrics.recover("esl")
            self.metrics.hear(connected=True)
            try:
                self.take_events(events)
            finally:
                self._heard_us = time.time_ns() // 1000

    def take_events(self, events: EventQueue) -> None:
        """Hand events on until stopped. Raises SwitchProtocolError where none comes in time."""
        quiet_since = time.monotonic()
        while not self._stop.is_set():
            bodies = events.take(_TAKE, timeout=0.2)
            self.turned()
            if bodies:
                quiet_since = time.monotonic()
                self._hand_on(self._build(bodies))
            elif time.monotonic() - quiet_since > self.options.silence_seconds:
                raise SwitchProtocolError(
                    f"no event, not even a heartbeat, for {self.options.silence_seconds:g} s"
                )

    def _build(self, bodies: list[bytes]) -> list[Row]:
        received = time.time_ns() // 1000
        rows: list[Row] = []
        build: Callable[..., Row] = self._builder.build
        for body in bodies:
            try:
                event = decode_event(body)
                # Every event says it, heartbeats too; a JSON file of old does not.
                self._builder.switch = self._builder.switch or event.get("FreeSWITCH-Switchname")
                if event.get("Event-Name") == "CHANNEL_HANGUP_COMPLETE":
                    rows.append(build(event, "esl", received))
            except (SwitchProtocolError, RecordError) as problem:
                self._set_aside(body, problem)
        return rows

    def _set_aside(self, body: bytes, problem: Exception) -> None:
        self.metrics.quarantined.labels("esl").inc()
        kept = self._quarantine.set_aside("event.json", body, self.metrics)
        if kept is None:
            say(logging.ERROR, "not a record, and the quarantine takes nothing", why=str(problem))
            return
        say(logging.WARNING, "not a record: put in quarantine", kept=str(kept), why=str(problem))

    def _hand_on(self, rows: list[Row]) -> None:
        if not rows:
            return
        self.metrics.received.labels("esl").inc(len(rows))
        submission = Submission(rows)
        began = time.monotonic()
        while not self._ingest.submit(submission, timeout=0.5):
            self.beat()
            if self._stop.is_set():
                self.metrics.refused.labels("esl").inc(len(rows))
                return
            if time.monotonic() - began > _REFUSE_AFTER:
                # The switch drops events for a listener that stands still, and would do so in
                # silence: hanging up makes it plain, and the JSON directory has them all.
                self.metrics.refused.labels("esl").inc(len(rows))
                raise SwitchError(
                    f"the spool took nothing for {_REFUSE_AFTER:g} s: hung up; "
                    f"{count_noun(len(rows), 'record')} left to the JSON directory"
                )


def decode_event(body: bytes) -> dict[str, Any]:
    """Return an event. Raises RecordError for one that is too large, or torn."""
    from fsgitops.esl.session import decode_json_object

    if len(body) > MAX_EVENT:
        raise RecordError(f"larger than {MAX_EVENT} bytes: no event of a call is")
    return decode_json_object(body)
