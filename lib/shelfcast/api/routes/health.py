"""Whether it lives, whether it is of use, and what Prometheus reads.

The first two are answered whatever is computed meanwhile: who asks takes a server that is silent for dead, and starts
it anew.
"""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from shelfcast.api.access.guard import Viewer, open_to_all
from shelfcast.api.problems import Problem
from shelfcast.api.service import service_of
from shelfcast.api.waiting import waits

ROUTER = APIRouter(tags=["health"])
_OFTEN = [Depends(open_to_all("probes"))]


class Health(BaseModel):
    status: str


@ROUTER.get("/health", dependencies=_OFTEN)
async def health() -> Health:
    """The process answers."""
    return Health(status="alive")


@ROUTER.get("/ready", dependencies=_OFTEN, responses={503: {"description": "nothing is served yet"}})
@waits
def ready(request: Request) -> Health:
    """Something is published and can be read, and so can the users."""
    service = service_of(request)
    if not service.indexes.regions:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, service.refresh.problem or "nothing is published yet")
    with service.database.read() as connection:
        connection.exec_driver_sql("select 1")
    return Health(status="ready")


@ROUTER.get("/metrics", response_class=Response)
def metrics(principal: Viewer) -> Response:
    """For Prometheus, which sends a token."""
    del principal
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
