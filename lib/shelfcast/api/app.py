"""The application: its routes behind its guards."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from shelfcast import __version__
from shelfcast.api.middleware import Bounded, Numbered, Under
from shelfcast.api.problems import MEDIA_TYPE, ProblemBody, install_problems
from shelfcast.api.routes import (
    account,
    forecasts,
    health,
    insights,
    orders,
    plan,
    predict,
    quality,
    settings,
    summary,
    uploads,
    users,
)
from shelfcast.api.service import Service
from shelfcast.api.waiting import divide_threads
from shelfcast.errors import ConfigError
from shelfcast.settings.bounded import MOST_BYTES

ROUTERS = (
    *(forecasts.ROUTER, plan.ROUTER, predict.ROUTER, orders.ROUTER, insights.ROUTER, quality.ROUTER),
    *(summary.ROUTER, settings.ROUTER, uploads.ROUTER, account.ROUTER, users.ROUTER, health.ROUTER),
)
_PROBLEM = {"model": ProblemBody, "content": {MEDIA_TYPE: {}}, "description": "refused, and why"}
UPLOADS = "/v1/uploads"
# By the API and by its page: the packs of all products of a region, as many as their file may hold.
LARGER = {"/settings": MOST_BYTES}


def make_app(service: Service, install: Callable[[FastAPI], None] | None = None) -> FastAPI:
    """The application that answers from the service; it keeps the indexes fresh while it runs. install: adds to it what
    else is served.

    Raises ConfigError where the path that it is put under is that of a page: behind a proxy that keeps the path to
    itself nobody could tell them apart.
    """

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        divide_threads(app, service.settings.limits)
        service.outbox.open()
        service.refresh.start()
        yield
        service.refresh.stop()
        service.database.close()

    app = FastAPI(
        title="shelfcast",
        version=__version__,
        summary="Demand forecasts for every store and product, and the orders that follow.",
        lifespan=running,
        # The pages that FastAPI has for the document are loaded from elsewhere.
        docs_url=None,
        redoc_url=None,
        # They lead to an address of which the client says what host it is of.
        redirect_slashes=False,
        responses={"default": _PROBLEM},
    )
    app.state.service = service
    install_problems(app)
    for router in ROUTERS:
        app.include_router(router)
    if install is not None:
        install(app)
    _require_own_path(app, service.settings.prefix)
    app.add_middleware(Bounded, limits=service.settings.limits, uploads=UPLOADS, larger=LARGER)
    app.add_middleware(Numbered)
    app.add_middleware(Under, prefix=service.settings.prefix)
    return app


def _require_own_path(app: FastAPI, prefix: str) -> None:
    paths = [str(route.path) for route in iter_route_contexts(app.routes)]
    taken = next((path for path in paths if prefix and f"{path}/".startswith(f"{prefix}/")), None)
    if taken:
        raise ConfigError(f"serving.public_url: found path {prefix}, which {taken} has here; wanted another")
