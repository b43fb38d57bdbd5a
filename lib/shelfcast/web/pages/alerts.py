"""Alerts of the day."""

from typing import Literal

from fastapi.responses import Response

from shelfcast.api.routes.insights import alerts
from shelfcast.web.guard import ViewerVisit
from shelfcast.web.pages.orders import Cursor, Named
from shelfcast.web.routing import page_router

ROUTER = page_router()
OF_A_PAGE = 100


@ROUTER.get("/alerts")
def show_alerts(
    visit: ViewerVisit,
    store_id: Named = None,
    severity: Literal["critical", "warning", "info", ""] = "",
    cursor: Cursor = None,
) -> Response:
    listing = alerts(visit.view, store_id or None, severity or None)
    rows, following = listing.page(visit.view, OF_A_PAGE, cursor)
    asked = {"severity": severity, "store_id": store_id or None}
    return visit.show("alerts.html", rows=rows, asked=asked, following=following)
