"""Alerts of the day."""

from collections.abc import Iterable
from typing import Literal

from fastapi.responses import Response

from shelfcast.api.routes.insights import alerts
from shelfcast.api.rows.models import AlertRow
from shelfcast.web.guard import ViewerVisit
from shelfcast.web.pages.orders import Named
from shelfcast.web.routing import page_router

ROUTER = page_router()
_ORDER = ("critical", "warning", "info")


@ROUTER.get("/alerts")
def show_alerts(
    visit: ViewerVisit, store_id: Named = None, severity: Literal["critical", "warning", "info", ""] = ""
) -> Response:
    rows, following = alerts(visit.view, store_id or None, severity or None).page(visit.view)
    asked = {"severity": severity, "store_id": store_id or None}
    return visit.show("alerts.html", rows=worst_first(rows), asked=asked, more=bool(following))


def worst_first(rows: Iterable[AlertRow]) -> list[AlertRow]:
    return sorted(rows, key=lambda row: (_ORDER.index(row.severity), row.store_id or "", row.alert_id))
