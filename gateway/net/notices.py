"""Log lines that a peer can cause: written at once, but never as a flood.

Per key (an event and its link, say) five lines may come at once and then one every ten seconds; what was held back is summed up in the
next line, or after ten seconds. So a hundred thousand bad hellos cost a few kilobytes of log, and none goes uncounted. Of a fault of ours
the traceback is logged once for each place and kind of exception, and after that a line like any other.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

BURST = 5
INTERVAL = 10.0
KEYS = 1000


class _Bucket:
    __slots__ = ("held", "last", "timer", "tokens")

    def __init__(self, now: float) -> None:
        self.tokens = float(BURST)
        self.last = now
        self.held: tuple[int, str, LogLevel] | None = None
        self.timer: Any = None


class Notices:
    """Writes log lines, rate-limited by key. At most 1000 keys are remembered, the oldest is forgotten first."""

    def __init__(self, clock: IReactorTime, log: Logger) -> None:
        self._clock = clock
        self._log = log
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._traced: set[str] = set()

    def failed(self, key: str, text: str, failure: Failure | None = None) -> None:
        """Log an exception, with its traceback the first time. Call this where it was caught, or give it as ``failure``."""
        error = sys.exception() if failure is None else failure.value
        kind = f"{key} {type(error).__name__}"
        if kind in self._traced or len(self._traced) >= KEYS:
            self.say(kind, f"{text}: {type(error).__name__}: {error}", "error")
        else:
            self._traced.add(kind)
            self._log.failure("{text}", failure, text=text)

    def say(self, key: str, text: str, level: str = "warn") -> None:
        """Log ``text``, or count it towards the sum of its ``key``. ``level``: debug, info, warn, error or critical."""
        bucket = self._buckets.get(key)
        now = self._clock.seconds()
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(now)
            if len(self._buckets) > KEYS:
                self._forget(*self._buckets.popitem(last=False))
        else:
            self._buckets.move_to_end(key)
        bucket.tokens = min(float(BURST), bucket.tokens + (now - bucket.last) / INTERVAL)
        bucket.last = now
        named = LogLevel.lookupByName(level)
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            self._log.emit(named, "{text}", text=text)
            return
        count = bucket.held[0] + 1 if bucket.held else 1
        bucket.held = (count, text, named)
        if bucket.timer is None:
            bucket.timer = self._clock.callLater(INTERVAL, self._flush, bucket)

    def stop(self) -> None:
        """Log what is still held back, and leave no timer behind."""
        while self._buckets:
            self._forget(*self._buckets.popitem(last=False))

    def _forget(self, key: str, bucket: _Bucket) -> None:
        if bucket.timer is not None:
            bucket.timer.cancel()
            self._flush(bucket)

    def _flush(self, bucket: _Bucket) -> None:
        bucket.timer = None
        if bucket.held is not None:
            count, text, level = bucket.held
            bucket.held = None
            more = f" (and {count - 1} more like it)" if count > 1 else ""
            self._log.emit(level, "{text}", text=text + more)
