"""Stores: the list of them, and the page of one."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from shelfcast.api.orders import ORDERS
from shelfcast.api.problems import Problem
from shelfcast.api.routes.forecasts import Asked, forecasts, history
from shelfcast.api.routes.insights import alerts
from shelfcast.api.rows.series import ForecastRow
from shelfcast.api.summary import risks_by_value, stores_at_a_glance
from shelfcast.web.charts.description import Chart
from shelfcast.web.charts.outlook import Outlook, outlook_chart, summed
from shelfcast.web.guard import ViewerVisit
from shelfcast.web.pages.orders import Cursor, rows_for, urgent
from shelfcast.web.products import named_products
from shelfcast.web.routing import page_router
from shelfcast.web.visit import Visit

ROUTER = page_router()
StoreId = Annotated[str, Query(max_length=128)]
_OF_A_PAGE, _FEW = 100, 12


@ROUTER.get("/stores")
def show_stores(
    visit: ViewerVisit, search: Annotated[str, Query(max_length=64)] = "", cursor: Cursor = None
) -> Response:
    rows, following = stores_at_a_glance(visit.view, search.strip() or None).page(visit.view, _OF_A_PAGE, cursor)
    return visit.show("stores.html", rows=rows, following=following, search=search)


@ROUTER.get("/store")
def show_store(visit: ViewerVisit, store_id: StoreId) -> Response:
    view = visit.view
    store = next(iter(stores_at_a_glance(view, store_id=store_id).page(view)[0]), None)
    if store is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"store {store_id}: not there; wanted one of region {view.region}")
    asked = Asked(store_id=store_id)
    orders, _ = urgent(visit, {"store_id": store_id}, True).page(view, _FEW)
    risks, _ = risks_by_value(view, store_id).page(view, _FEW)
    return visit.show(
        "store.html",
        store=store,
        chart=_outlook(visit, store_id),
        categories=forecasts(view, "category", asked).all(view),
        risks=risks,
        risk_names=named_products(view, [row.product_id for row in risks]),
        alerts=alerts(view, store_id).page(view, _FEW)[0],
        **rows_for(visit, ORDERS, orders),
    )


def _outlook(visit: Visit, store_id: str) -> Chart | None:
    """All that the store sold by week, and its forecast."""
    view, asked = visit.view, Asked(store_id=store_id)
    found: list[ForecastRow] = forecasts(view, "store", asked).page(view)[0]
    if not found:
        return None
    outlook = Outlook(summed(history(view, "category", asked).all(view)), found[0].weeks)
    return outlook_chart(f"Store {store_id}", outlook, visit.say)
