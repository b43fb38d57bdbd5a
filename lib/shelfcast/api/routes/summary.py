"""The day at a glance."""

from functools import partial

from fastapi import APIRouter, Request, Response

from shelfcast.api.answers import answer_one
from shelfcast.api.orders import state_of
from shelfcast.api.rows.summary import Summary
from shelfcast.api.service import service_of
from shelfcast.api.summary import summary
from shelfcast.api.view import Seen

ROUTER = APIRouter(prefix="/v1", tags=["plan"])


@ROUTER.get("/summary", responses={200: {"model": Summary}})
def get_summary(request: Request, view: Seen) -> Response:
    """Service, stock, orders, risks and alerts of your stores, beside those of the day before."""
    service = service_of(request)
    return answer_one(request, view, partial(summary, service, view), state_of(service, view))
