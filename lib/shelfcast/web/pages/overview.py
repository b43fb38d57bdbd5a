"""What a planner or store manager looks at in the morning."""

from fastapi.responses import Response

from shelfcast.api.orders import ORDERS
from shelfcast.api.routes.insights import alerts, findings
from shelfcast.api.summary import risks_by_value, summary
from shelfcast.web.guard import ViewerVisit
from shelfcast.web.pages.orders import rows_for, urgent
from shelfcast.web.products import named_products
from shelfcast.web.routing import page_router

ROUTER = page_router()
_FEW = 6


@ROUTER.get("/")
def show_overview(visit: ViewerVisit) -> Response:
    view = visit.view
    told = summary(visit.service, view)
    orders, _ = urgent(visit, {}, True).page(view, _FEW)
    risks, _ = risks_by_value(view, risk="stock_out").page(view, _FEW)
    return visit.show(
        "overview.html",
        told=told,
        risks=risks,
        risk_names=named_products(view, [row.product_id for row in risks]),
        alerts=alerts(view).page(view, _FEW)[0],
        findings=findings(view).page(view, _FEW)[0] if view.stores is None else [],
        **rows_for(visit, ORDERS, orders),
    )
