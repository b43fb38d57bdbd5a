"""Products: a search among them, and the page of one in a store."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from shelfcast.api.orders import ORDERS, TRANSFERS, orders, transfers
from shelfcast.api.problems import Problem
from shelfcast.api.routes.forecasts import Asked, forecasts, history
from shelfcast.api.routes.insights import products
from shelfcast.api.routes.plan import policies, risks
from shelfcast.api.rows.plan import PolicyRow
from shelfcast.api.rows.series import ForecastRow
from shelfcast.web.charts.outlook import Outlook, outlook_chart, summed
from shelfcast.web.charts.stock import stock_chart
from shelfcast.web.guard import ViewerVisit
from shelfcast.web.pages.orders import Cursor, rows_for
from shelfcast.web.products import name_of, named_products
from shelfcast.web.routing import page_router
from shelfcast.web.visit import Visit

ROUTER = page_router()
Named = Annotated[str, Query(max_length=128)]
_OF_A_PAGE = 50


@ROUTER.get("/products")
def show_products(
    visit: ViewerVisit,
    search: Annotated[str, Query(max_length=64)] = "",
    store_id: Annotated[str | None, Query(max_length=128)] = None,
    cursor: Cursor = None,
) -> Response:
    store = store_id or None
    rows, following = products(visit.view, None, search.strip() or None, store).page(visit.view, _OF_A_PAGE, cursor)
    named = [(row, name_of(row.model_dump())) for row in rows]
    query = {"search": search or None, "store_id": store}
    return visit.show("products.html", named=named, following=following, search=search, store_id=store, query=query)


@ROUTER.get("/product")
def show_product(visit: ViewerVisit, product_id: Named, store_id: Named = "") -> Response:
    """The product in one store; where none is named, the stores that sell it."""
    name = named_products(visit.view, [product_id])[product_id]
    asked = Asked(store_id=store_id or None, product_id=product_id)
    found, following = forecasts(visit.view, "product", asked).page(visit.view)
    if not found:
        where = f" in store {store_id}" if store_id else ""
        raise Problem(HTTPStatus.NOT_FOUND, f"product {product_id}{where}: no forecast of it")
    if not store_id:
        return visit.show("product_stores.html", product_id=product_id, name=name, rows=found, more=bool(following))
    return visit.show("product.html", product_id=product_id, name=name, **_in_store(visit, found[0]))


def _in_store(visit: Visit, forecast: ForecastRow) -> dict[str, Any]:
    view = visit.view
    store_id, product_id = str(forecast.store_id), str(forecast.product_id)
    pair, asked = (store_id, product_id), Asked(store_id=store_id, product_id=product_id)
    named = {"store_id": store_id, "product_id": product_id}
    found_orders, _ = orders(visit.service, view, named).page(view)
    moves, _ = transfers(visit.service, view, {"product_id": product_id}).page(view)
    policy: PolicyRow | None = next(iter(policies(view, *pair).page(view)[0]), None)
    outlook = Outlook(summed(history(view, "product", asked).page(view)[0]), forecast.weeks)
    return {
        "store_id": store_id,
        "forecast": forecast,
        "chart": outlook_chart(f"Product {product_id} in store {store_id}", outlook, visit.say),
        "policy": policy,
        "stock_chart": stock_chart(view, policy, forecast.weeks, found_orders, visit.say),
        "risks": risks(view, *pair).page(view)[0],
        "moves": rows_for(visit, TRANSFERS, [row for row in moves if store_id in (row.from_store, row.to_store)]),
        **rows_for(visit, ORDERS, found_orders),
    }
