"""The day at a glance: sums over the stores that one reaches, beside those of the day before."""

from collections.abc import Sequence
from datetime import date

from shelfcast.api.index.packed import as_date, unpack
from shelfcast.api.index.parts import FORECAST_WEEKS
from shelfcast.api.index.reading import Row
from shelfcast.api.listing import Listing
from shelfcast.api.orders import undecided
from shelfcast.api.rows.summary import (
    Ahead,
    AlertCount,
    NewRisk,
    RiskCount,
    Service,
    Stock,
    StoreSummary,
    Suggested,
    Summary,
)
from shelfcast.api.service import Service as Serving
from shelfcast.api.view import Condition, View

_SERVICE = (
    "select ifnull(sum(products), 0) as products, sum(aimed) / sum(protected) as target, "
    "1 - sum(missing) / sum(counted) as served, sum(missing) as missing, sum(empty) as empty from policy_sums"
)
_STOCK = (
    "select sum(value) as value, sum(units) as units, sum(units) / sum(daily) as days, sum(surplus) as surplus "
    "from policy_sums"
)
_RISKS = (
    "select ifnull(sum(products), 0) as products, sum(value) as value, ifnull(sum(new), 0) as new, "
    "ifnull(sum(gone), 0) as gone from risk_sums"
)
_STORES = (
    "select s.*, o.orders, o.cost, r.stock_out, r.overstock, a.alerts from stores s "
    "left join order_sums o using (store_id) "
    "left join (select store_id, sum(products * (risk = 'stock_out')) as stock_out, "
    "sum(products * (risk = 'overstock')) as overstock from risk_sums where products > 0 group by store_id) r "
    "using (store_id) "
    "left join (select store_id, count(*) as alerts from alerts group by store_id) a using (store_id)"
)
_NEW = "not exists (select 1 from alerts_before b where b.alert_id = a.alert_id)"


def summary(service: Serving, view: View) -> Summary:
    """The day of the view's region, as far as its stores are concerned."""
    own, before, origin = view.own("store_id"), day_before(view), view.index.origin
    compared = is_plan_compared(view)
    return Summary(
        region=view.region, forecast_date=origin["forecast_date"], published_at=origin["published_at"],
        last_week=origin["last_week"], planned=view.is_planned, before=before,
        stores=view.select("select count(*) as n from stores", [own])[0]["n"],
        service=Service(**view.select(_SERVICE, [own])[0]),
        stock=Stock(**view.select(_STOCK, [own])[0]),
        suggested=_suggested(view, "order_sums", _decided(service, view)),
        suggested_before=_suggested(view, "order_sums_before", None) if compared else None,
        risks=_risks(view, compared), alerts=_alerts(view, before), ahead=_ahead(view, before),
    )  # fmt: skip


def day_before(view: View) -> date | None:
    """The day that the view's is compared with."""
    rows = view.index.rows("select forecast_date from origin_before")
    return date.fromisoformat(rows[0]["forecast_date"]) if rows else None


def is_plan_compared(view: View) -> bool:
    """Whether plans are published of the view's day and of the one before: without one all risks would be new."""
    return view.is_planned and bool(view.index.rows("select 1 from origin_before where planned"))


def risks_by_value(view: View, store_id: str | None = None, risk: str | None = None) -> Listing[NewRisk]:
    """The risks, those of the largest value first.

    Raises Problem 403 where the store that is asked for is not the user's.
    """
    view.require_store(store_id)
    asked = [Condition.equal("store_id", store_id), Condition.equal("risk", risk)]
    key = ("place", "store_id", "product_id", "risk")
    return Listing(NewRisk, "select * from risks", key, [*asked, view.own("store_id")])


def stores_at_a_glance(view: View, search: str | None = None, store_id: str | None = None) -> Listing[StoreSummary]:
    """The stores, each with what is expected of it and what waits in it.

    Raises Problem 403 where the store that is asked for is not the user's.
    """
    view.require_store(store_id)
    holding = Condition("instr(store_id, ?) > 0", (search,)) if search else None
    conditions = [holding, Condition.equal("store_id", store_id), view.own("store_id")]

    def read(rows: Sequence[Row]) -> list[Row]:
        means = _next_means(view)
        counts = ("alerts", *(("orders", "stock_out", "overstock") if view.is_planned else ()))
        return [
            {**row, **{name: row[name] or 0 for name in counts}, "mean": means.get(row["store_id"])} for row in rows
        ]

    return Listing(StoreSummary, f"select * from ({_STORES})", ("store_id",), conditions, read=read)


def _suggested(view: View, table: str, decided: int | None) -> Suggested:
    query = f"select ifnull(sum(orders), 0) as orders, sum(cost) as cost from {table}"
    (found,) = view.select(query, [view.own("store_id")])
    return Suggested(**found, undecided=None if decided is None else found["orders"] - decided)


def _decided(service: Serving, view: View) -> int:
    """On how many of the orders that are suggested something was decided: of a plan they are the few."""
    conditions = [view.own("store_id"), Condition.equal("status", "suggested"), undecided(service, view, False)]
    return int(view.select("select count(*) as n from orders", conditions)[0]["n"])


def _risks(view: View, is_compared: bool) -> list[RiskCount]:
    found, unknown = [], {} if is_compared else {"new": None, "gone": None}
    for risk in ("stock_out", "overstock"):
        (counted,) = view.select(_RISKS, [view.own("store_id"), Condition.equal("risk", risk)])
        found.append(RiskCount(risk=risk, **{**counted, **unknown}))
    return found


def _alerts(view: View, before: date | None) -> list[AlertCount]:
    new = f"sum({_NEW})" if before else "null"
    query = f"select severity, count(*) as alerts, {new} as new from alerts a"
    rows = view.select(query, [view.own("store_id")], "group by severity")
    order = ("critical", "warning", "info")
    return [AlertCount(**row) for row in sorted(rows, key=lambda row: order.index(row["severity"]))]


def _ahead(view: View, before: date | None) -> list[Ahead]:
    now = _means(view, "forecasts", FORECAST_WEEKS)
    then = _means(view, "forecasts_before", ("week", "mean")) if before else {}
    return [Ahead(week=as_date(week), mean=mean, before=then.get(week)) for week, mean in sorted(now.items())]


def _means(view: View, table: str, columns: Sequence[str]) -> dict[float, float]:
    """Means add up over stores: week -> units."""
    sums: dict[float, float] = {}
    conditions = [Condition.equal("level", "store"), view.own("store_id")]
    for row in view.select(f"select weeks from {table}", conditions):
        for values in unpack(row["weeks"], len(columns)).tolist():
            week, mean = values[0], values[columns.index("mean")]
            sums[week] = sums.get(week, 0.0) + mean
    return sums


def _next_means(view: View) -> dict[str, float]:
    conditions = [Condition.equal("level", "store"), view.own("store_id")]
    rows = view.select("select store_id, weeks from forecasts", conditions)
    at = FORECAST_WEEKS.index("mean")
    return {row["store_id"]: float(unpack(row["weeks"], len(FORECAST_WEEKS))[0, at]) for row in rows}
