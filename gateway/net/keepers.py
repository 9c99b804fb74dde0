"""Keeping one peer connected, for ever: tries, back-off with jitter, and one log line for each change of state.

| state | means | leaves by |
|---|---|---|
| stopped | nothing is wanted | `start` |
| trying | an attempt is under way | it succeeds (connected) or fails (waiting); `lost` is called before it fires (waiting) |
| connected | the peer is there | `lost` (waiting) |
| waiting | until the next attempt | the delay passes, or `wake` (trying) |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from .endings import in_words

REMINDER = 3600.0
STEADY = 10.0


class Backoff:
    """Delays before attempts: each 1.6 times the last, from ``first`` to ``longest`` seconds.

    ``jitter()``, from 0 to 1, makes each up to 25 % shorter or longer, so that many do not come at once.
    """

    def __init__(self, first: float = 0.5, longest: float = 30.0, jitter: Callable[[], float] = lambda: 0.5) -> None:
        self._first = first
        self._longest = longest
        self._jitter = jitter
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def delay(self) -> float:
        now = self._next
        self._next = min(self._longest, now * 1.6)
        return now * (0.75 + 0.5 * self._jitter())


class Keeper:
    """Keeps one peer connected.

    ``what`` names the peer in the log (``[gauge] /dev/ttyUSB0``). ``attempt()`` returns a Deferred that fires when connected, or fails with
    a reason that a person can read; a text that it fires with (``9600 8N1``) is added to the log line. ``on_waiting(begins)``, if given, is
    called when a wait begins and when it ends: whoever sees that the peer is back meanwhile calls `wake`.
    """

    def __init__(
        self,
        what: str,
        attempt: Callable[[], Deferred[Any]],
        clock: Any,
        log: Any,
        backoff: Backoff | None = None,
        on_waiting: Callable[[bool], None] | None = None,
    ) -> None:
        self._what = what
        self._attempt = attempt
        self._clock = clock
        self._log = log
        self._backoff = backoff or Backoff()
        self._on_waiting = on_waiting
        self.state = "stopped"
        self._trial: Deferred[Any] | None = None
        self._number = 0
        self._timer: Any = None
        self._logged = ""
        self._logged_at = 0.0
        self._away_since: float | None = None
        self._connected_at = 0.0

    def start(self) -> None:
        """Keep the peer connected from now on; the first attempt is made at once."""
        if self.state == "stopped":
            self._backoff.reset()
            self._try()

    def stop(self) -> None:
        """Keep it no more: no attempt goes on, and no timer is left. The caller closes a peer that is connected."""
        state, self.state = self.state, "stopped"
        if state == "waiting":
            self._end_wait()
        elif state == "trying" and (trial := self._forget_trial()) is not None:
            trial.cancel()
        self._away_since, self._logged = None, ""

    def lost(self, reason: str) -> None:
        """The peer that was connected has gone, perhaps before the attempt has fired."""
        if self.state == "trying":
            trial = self._forget_trial()
            self._wait(reason)
            if trial is not None:
                trial.cancel()
        elif self.state == "connected":
            self._wait(reason)

    def wake(self) -> None:
        """Try now: there is a sign that an attempt would succeed."""
        if self.state == "waiting":
            self._end_wait()
            self._try()

    def _try(self) -> None:
        self.state = "trying"
        number = self._number
        self._trial = trial = maybeDeferred(self._attempt)
        if self._number != number:  # over before it has returned
            self._trial = None
        trial.addCallbacks(self._succeeded, self._failed, callbackArgs=(number,), errbackArgs=(number,))

    def _forget_trial(self) -> Deferred[Any] | None:
        """End the present trial: its outcome counts no more."""
        trial, self._trial = self._trial, None
        self._number += 1
        return trial

    def _succeeded(self, about: Any, number: int) -> None:
        if number != self._number:
            return
        self._forget_trial()
        self.state = "connected"
        self._connected_at = now = self._clock.seconds()
        state = "connected" if self._away_since is None else f"back after {how_long(now - self._away_since)}"
        self._log.info("{what}: {state}{about}", what=self._what, state=state, about=f", {about}" if isinstance(about, str) else "")
        self._away_since, self._logged = None, ""

    def _failed(self, reason: Failure, number: int) -> None:
        if number != self._number:
            return
        self._forget_trial()
        self._wait(in_words(reason))

    def _wait(self, reason: str) -> None:
        now = self._clock.seconds()
        if self.state == "connected" and now - self._connected_at >= STEADY:
            # Whoever leaves at once after each connection is not tried twice a second for ever.
            self._backoff.reset()
        if self._away_since is None:
            self._away_since = now
        if not self._logged:
            self._log_absence(now, "{what}: {reason}; it is tried again until it is there", reason)
        elif now - self._logged_at >= REMINDER:
            self._log_absence(now, "{what}: absent for {away}, last error: {reason}", reason)
        elif reason != self._logged and now - self._logged_at >= STEADY:
            self._log_absence(now, "{what}: still absent, now because: {reason}", reason)
        self.state = "waiting"
        self._timer = self._clock.callLater(self._backoff.delay(), self.wake)
        if self._on_waiting is not None:
            self._on_waiting(True)

    def _log_absence(self, now: float, text: str, reason: str) -> None:
        self._logged, self._logged_at = reason, now
        away = how_long(0.0 if self._away_since is None else now - self._away_since)
        self._log.warn(text, what=self._what, reason=reason, away=away)

    def _end_wait(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        if self._on_waiting is not None:
            self._on_waiting(False)


def how_long(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h``, ``2 d``."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
