"""What is known of the region, its stores and products, of its models and its data."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from shelfcast.api.access.guard import Viewer
from shelfcast.api.answers import Paged, answer_page, page_docs
from shelfcast.api.listing import Listing
from shelfcast.api.rows.models import (
    AlertRow,
    BacktestRow,
    ChampionRow,
    FindingRow,
    LeaderboardRow,
    MetricRow,
    ModelRow,
    TableRow,
)
from shelfcast.api.rows.series import ProductRow, RegionRow, StoreRow
from shelfcast.api.service import service_of
from shelfcast.api.view import Condition, Seen, View, views

ROUTER = APIRouter(prefix="/v1")
# A cursor holds no null.
_ALERTS = (
    "select * from (select *, case severity when 'critical' then 0 when 'warning' then 1 else 2 end as place, "
    "ifnull(store_id, '') as store from alerts)"
)
Named = Annotated[str | None, Query(max_length=128)]


@ROUTER.get("/regions", tags=["catalogue"])
def list_regions(request: Request, principal: Viewer) -> list[RegionRow]:
    """The regions that you reach, and what is served of each."""
    service = service_of(request)
    return [
        RegionRow(
            **view.index.origin,
            stores=None if view.stores is None else sorted(view.stores),
            may_decide=service.collects(view.region),
        )
        for view in views(service, principal)
    ]


@ROUTER.get("/stores", tags=["catalogue"], responses=page_docs(StoreRow))
def list_stores(request: Request, view: Seen, paging: Paged) -> Response:
    return answer_page(request, view, stores(view), paging)


@ROUTER.get("/products", tags=["catalogue"], responses=page_docs(ProductRow))
def list_products(
    request: Request, view: Seen, paging: Paged, category_id: Named = None, store_id: Named = None,
    search: Annotated[str | None, Query(max_length=64, description="in its number, brand or kind")] = None,
) -> Response:  # fmt: skip
    """The catalogue; to who reaches single stores, what is forecast in these."""
    return answer_page(request, view, products(view, category_id, search, store_id), paging)


@ROUTER.get("/alerts", tags=["monitoring"], responses=page_docs(AlertRow))
def list_alerts(
    request: Request, view: Seen, paging: Paged, store_id: Named = None,
    severity: Literal["info", "warning", "critical"] | None = None,
) -> Response:  # fmt: skip
    """Alerts of the day, the worst first. Those of the region as a whole are shown to who reaches all of it."""
    return answer_page(request, view, alerts(view, store_id, severity), paging)


@ROUTER.get("/findings", tags=["monitoring"], responses=page_docs(FindingRow))
def list_findings(request: Request, view: Seen, paging: Paged) -> Response:
    """What job insights has found in all stores together."""
    return answer_page(request, view, findings(view), paging)


@ROUTER.get("/leaderboard", tags=["models"], responses=page_docs(LeaderboardRow))
def list_leaderboard(request: Request, view: Seen, paging: Paged, panel: Named = None) -> Response:
    return answer_page(request, view, leaderboard(panel), paging)


@ROUTER.get("/champions", tags=["models"], responses=page_docs(ChampionRow))
def list_champions(request: Request, view: Seen, paging: Paged, panel: Named = None) -> Response:
    """Who was made champion of what, and why, the oldest decision first."""
    return answer_page(request, view, champions(panel), paging)


@ROUTER.get("/backtests", tags=["models"], responses=page_docs(BacktestRow))
def list_backtests(
    request: Request, view: Seen, paging: Paged, store_id: Named = None, model: Named = None
) -> Response:
    """Actual against predicted: champion and challenger of the categories at the backtest's cutoffs."""
    return answer_page(request, view, backtests(view, store_id, model), paging)


@ROUTER.get("/metrics", tags=["models"], responses=page_docs(MetricRow))
def list_metrics(
    request: Request, view: Seen, paging: Paged, panel: Named = None, model: Named = None,
    slice: Literal["all", "step", "store", "category"] = "all",
) -> Response:  # fmt: skip
    """The errors of each model, over all, by step, store or category; to who reaches single stores, by these alone."""
    if slice != "store":
        view.require_region()
    conditions = [
        Condition.equal(name, value) for name, value in (("panel", panel), ("model", model), ("slice", slice))
    ]
    key = ("panel", "model", "cutoff", "slice", "value")
    listing = Listing(MetricRow, "select * from metrics", key, [*conditions, view.own("value")])
    return answer_page(request, view, listing, paging)


@ROUTER.get("/models", tags=["lineage"], responses=page_docs(ModelRow))
def list_models(request: Request, view: Seen, paging: Paged, panel: Named = None, model: Named = None) -> Response:
    """The model versions of the backtest: what each was made with, by which code, from which versions of the tables."""
    conditions = [Condition.equal("panel", panel), Condition.equal("model", model)]
    listing = Listing(ModelRow, "select * from models", ("panel", "model", "cutoff"), conditions)
    return answer_page(request, view, listing, paging)


@ROUTER.get("/lineage", tags=["lineage"], responses=page_docs(TableRow))
def list_lineage(request: Request, view: Seen, paging: Paged) -> Response:
    """Which run wrote each published table, by which code, and from which versions of which others."""
    return answer_page(request, view, Listing(TableRow, "select * from lineage", ("table_name",)), paging)


def stores(view: View) -> Listing[StoreRow]:
    return Listing(StoreRow, "select * from stores", ("store_id",), [view.own("store_id")])


def products(
    view: View, category_id: str | None = None, search: str | None = None, store_id: str | None = None
) -> Listing[ProductRow]:
    """Raises Problem 403 where the store that is asked for is not the user's."""
    view.require_store(store_id)
    sold = _forecast_in(Condition.equal("store_id", store_id) or view.own("store_id"))
    conditions = [Condition.equal("category_id", category_id), _containing(search), sold]
    return Listing(ProductRow, "select * from products", ("product_id",), conditions)


def alerts(view: View, store_id: str | None = None, severity: str | None = None) -> Listing[AlertRow]:
    """The worst first. Raises Problem 403 where the store that is asked for is not the user's."""
    view.require_store(store_id)
    asked = [Condition.equal("store_id", store_id), Condition.equal("severity", severity)]
    return Listing(AlertRow, _ALERTS, ("place", "store", "alert_id"), [*asked, view.own("store_id")])


def findings(view: View) -> Listing[FindingRow]:
    """Raises Problem 403 where the user does not reach all of the region."""
    view.require_region()
    return Listing(FindingRow, "select * from findings", ("topic", "rank"))


def leaderboard(panel: str | None = None) -> Listing[LeaderboardRow]:
    return Listing(LeaderboardRow, "select * from leaderboard", ("panel", "model"), [Condition.equal("panel", panel)])


def champions(panel: str | None = None) -> Listing[ChampionRow]:
    key = ("panel", "purpose", "as_of", "decided_at")
    return Listing(ChampionRow, "select * from champions", key, [Condition.equal("panel", panel)])


def backtests(view: View, store_id: str | None = None, model: str | None = None) -> Listing[BacktestRow]:
    """Raises Problem 403 where the store that is asked for is not the user's."""
    view.require_store(store_id)
    conditions = [Condition.equal("store_id", store_id), Condition.equal("model", model), view.own("store_id")]
    key = ("model", "store_id", "category_id", "cutoff", "step")
    query = "select * from (select *, item_id as category_id from backtests)"
    return Listing(BacktestRow, query, key, conditions)


def _forecast_in(stores: Condition | None) -> Condition | None:
    """That a product is forecast in one of the stores. Asked of each product in turn: a page needs few, and the series
    of a region are many."""
    if stores is None:
        return None
    own = f"select 1 from forecasts where level = 'product' and item_id = products.product_id and {stores.text}"
    return Condition(f"exists ({own})", stores.values)


def _containing(text: str | None) -> Condition | None:
    """That one of the names holds the text, whatever the case; what stands for any text in SQL stands for itself."""
    if not text:
        return None
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    columns = ("product_id", "brand", "department", "subcategory", "product_type")
    told = " or ".join(f"{column} like ? escape '\\'" for column in columns)
    return Condition(f"({told})", (f"%{escaped}%",) * len(columns))
