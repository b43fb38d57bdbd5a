"""How often one client may ask."""

from http import HTTPStatus

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter

from shelfcast.api.metrics import REFUSALS
from shelfcast.api.problems import Problem
from shelfcast.settings.serving import Limits


class Limiter:
    """Counts the requests of each client over a minute, in this process."""

    def __init__(self, limits: Limits) -> None:
        storage = MemoryStorage()
        # Sign-ins are few and each counts; of requests there are too many to remember each.
        counter, moving = SlidingWindowCounterRateLimiter(storage), MovingWindowRateLimiter(storage)
        self._kinds: dict[str, tuple[RateLimiter, RateLimitItemPerMinute]] = {
            "requests": (counter, RateLimitItemPerMinute(limits.requests, namespace="requests")),
            "anonymous": (counter, RateLimitItemPerMinute(limits.anonymous, namespace="anonymous")),
            # Health is asked for by the machinery around it.
            "probes": (counter, RateLimitItemPerMinute(limits.requests, namespace="probes")),
            "sign_ins": (moving, RateLimitItemPerMinute(limits.sign_ins, namespace="sign_ins")),
        }

    def count(self, kind: str, client: str) -> None:
        """Count a request. Raises Problem 429, with the seconds to wait for, where it is one too many."""
        strategy, item = self._kinds[kind]
        if not strategy.hit(item, client):
            REFUSALS.labels("rate").inc()
            detail = f"more than {item.amount} {kind.replace('_', '-')} a minute; wanted fewer"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, {"retry-after": "10"})
