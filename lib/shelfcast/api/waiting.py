"""Requests that wait for something else than Python, and those that compute.

Python computes in one thread at a time. Of several that answer requests each takes its lock from another every few
milliseconds, and at each row that SQLite gives: at a hundred requests a second they come to answer none in time. So
requests compute one after another (`limits.threads`), and what spends its time elsewhere, as the hash of a password or
a large file does, has threads of its own (`limits.waiting`) and stands in nobody's way.
"""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import FastAPI, Request

from shelfcast.settings.serving import Limits

T = TypeVar("T")


def divide_threads(app: FastAPI, limits: Limits) -> None:
    """To be called in the event loop that serves the app."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = limits.threads
    app.state.waiting = CapacityLimiter(limits.waiting)


async def wait_for(request: Request, function: Callable[[], T]) -> T:
    """What the function returns, in a thread of those that wait."""
    limiter: CapacityLimiter = request.app.state.waiting
    return await anyio.to_thread.run_sync(function, limiter=limiter)


def waits(answer: Callable[..., T]) -> Callable[..., Awaitable[T]]:
    """A route's function, which has an argument `request`, as one that waits."""

    @wraps(answer)
    async def answered(request: Request, **told: Any) -> T:
        return await wait_for(request, partial(answer, request=request, **told))

    return answered
