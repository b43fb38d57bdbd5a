"""How often one client may ask."""

import time
from collections import Counter
from http import HTTPStatus
from threading import Lock

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from shelfcast.api.metrics import REFUSALS
from shelfcast.api.problems import Problem
from shelfcast.settings.serving import Limits

_MINUTE = 60.0


class Limiter:
    """Counts the requests of each client over a minute, in this process."""

    def __init__(self, limits: Limits) -> None:
        self._counted = {
            "requests": SlidingCounter(limits.requests),
            "anonymous": SlidingCounter(limits.anonymous),
            # Health is asked for by the machinery around it.
            "probes": SlidingCounter(limits.requests),
        }
        # Sign-ins are few and each counts.
        self._sign_ins = MovingWindowRateLimiter(MemoryStorage())
        self._of_sign_ins = RateLimitItemPerMinute(limits.sign_ins, namespace="sign_ins")

    def count(self, kind: str, client: str) -> None:
        """Count a request. Raises Problem 429, with the seconds to wait for, where it is one too many."""
        if kind == "sign_ins":
            is_counted, most = self._sign_ins.hit(self._of_sign_ins, client), self._of_sign_ins.amount
        else:
            is_counted, most = self._counted[kind].hit(client), self._counted[kind].most
        if not is_counted:
            REFUSALS.labels("rate").inc()
            detail = f"more than {most} {kind.replace('_', '-')} a minute; wanted fewer"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, {"retry-after": "10"})


class SlidingCounter:
    """The sliding window counter: the hits of this minute, and of those of the last the share that lies within one
    minute from now if they came evenly. What is older goes with its minute.

    The strategy of that name in `limits` starts a thread at each hit to forget what is old, which takes a third of the
    time of an answer.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = Lock()
        self._minute, self._current, self._last = 0, Counter[str](), Counter[str]()

    def hit(self, client: str) -> bool:
        """Whether the client may; if so it is counted."""
        minute, seconds = divmod(time.monotonic(), _MINUTE)
        with self._lock:
            self._turn(int(minute))
            within = self._current[client] + int(self._last[client] * (1 - seconds / _MINUTE))
            if within >= self.most:
                return False
            self._current[client] += 1
            return True

    @property
    def clients(self) -> set[str]:
        """Of whom a hit is remembered."""
        return {*self._current, *self._last}

    def _turn(self, minute: int) -> None:
        if minute > self._minute:
            self._last = self._current if minute == self._minute + 1 else Counter[str]()
            self._current, self._minute = Counter[str](), minute
