"""What is added up when an index is built is what a look at all of its rows finds, of whatever stores one reaches."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from api.conftest import configs_of
from api.lake import DAY, publish, put
from shelfcast.api.access.principal import Grant, Principal, Role
from shelfcast.api.decisions import add_decision
from shelfcast.api.index.build import build
from shelfcast.api.index.reading import Index
from shelfcast.api.reader import Lake
from shelfcast.api.server import open_service
from shelfcast.api.service import Service
from shelfcast.api.summary import risks_by_value, stores_at_a_glance, summary
from shelfcast.api.view import View
from shelfcast.inventory import tables as plans
from shelfcast.schemas import STORES
from shelfcast.table import Table
from shelfcast.web.pages.orders import urgent

Row = dict[str, Any]
STORE_IDS, PRODUCTS = [f"s{number:02}" for number in range(30)], [f"p{number:02}" for number in range(40)]
NORTH = Principal(1, "ada", Role.VIEWER, frozenset({Grant("north")}), "token")
REACHES = {"all": None, "one": {"s03"}, "some": {"s00", "s03", "s17"}, "one of which nothing is known": {"s99"}}
# Half of what is known of a series is not, and in one store nothing; of some that is not planned is all.
UNCOUNTED, UNPLANNED = "s05", "s29"


def _rows(rng: np.random.Generator, share: float, **columns: Any) -> list[Row]:
    """A share of all series, each with what the columns say of it."""
    return [
        {"region": "north", "store_id": store, "product_id": product}
        | {name: make() for name, make in columns.items()}
        for store in STORE_IDS if store != UNPLANNED for product in PRODUCTS if rng.random() < share
    ]  # fmt: skip


def _dated(table: Table, rows: list[Row], day: date) -> list[Row]:
    return [{**row, "forecast_date": day} for row in rows] if table.is_by_date else rows


def _plan(rng: np.random.Generator) -> list[tuple[Table, list[Row]]]:
    def some(most: float, known: float = 0.5) -> Any:
        return lambda: float(rng.uniform(0, most)) if rng.random() < known else None

    policies = _rows(
        rng, 1.0, target=some(1, 0.9), lead_days=some(9, 1), review_days=lambda: 7, unit_cost=some(5), price=some(9),
        daily_mean=some(3, 0.9), on_hand=lambda: float(rng.integers(0, 3)) if rng.random() < 0.7 else None,
        shortfall=some(2), surplus=some(4),
    )  # fmt: skip
    for row in policies:
        if row["store_id"] == UNCOUNTED:
            row.update(dict.fromkeys(("on_hand", "shortfall", "surplus")))
    suggested = _rows(rng, 0.4, status=lambda: str(rng.choice(["suggested", "rejected"])), cost=some(90),
                      stock_out=some(1), need_by=lambda: DAY, quantity=some(9, 1))  # fmt: skip
    risks = _rows(rng, 0.5, risk=lambda: str(rng.choice(["stock_out", "overstock"])), value=some(50))
    return [
        (plans.POLICIES, policies),
        (plans.ORDERS, [{**row, "order_id": f"{row['store_id']}-{row['product_id']}"} for row in suggested]),
        (plans.RISKS, [{**row, "units": 1.0, "probability": 0.5, "days_of_supply": 1.0} for row in risks]),
        (STORES, [{"region": "north", "store_id": store} for store in STORE_IDS]),
    ]


@pytest.fixture(scope="module", params=[True, False], ids=["compared", "with no day before"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Index]]:
    """The index of a plan, and of one of the day before; on each tenth order something was decided."""
    root, rng = tmp_path_factory.mktemp("sums") / "lake", np.random.default_rng(27)
    for day in [DAY - timedelta(days=1), DAY][0 if request.param else 1 :]:
        versions = {table.name: put(root, table, _dated(table, rows, day)) for table, rows in _plan(rng)}
        publish(root, "north", versions, f"of {day}", day)
    lake = Lake(str(root))
    index = Index(build(lake, lake.newest_publications()["north"], root.parent / "indexes"))
    service = open_service(configs_of(root, root.parent / "served"))
    with service.database.begin() as connection:
        for row in index.rows("select * from orders")[::10]:
            told = {**row, "from_store": None, "need_by": str(DAY)}
            add_decision(connection, "north", told, "approved", 1.0, "ada", None, DAY)
    yield service, index
    service.database.close()


@pytest.fixture(params=REACHES.values(), ids=REACHES)
def view(request: pytest.FixtureRequest, served: tuple[Service, Index]) -> View:
    return View(served[1], NORTH, None if request.param is None else frozenset(request.param))


def scan(view: View, query: str, *conditions: str, rest: str = "") -> list[Row]:
    """What a look at all rows of the view's stores finds."""
    own = [] if view.stores is None else ["store_id in ({})".format(", ".join(f"'{store}'" for store in view.stores))]
    return view.index.rows(f"{query} where {' and '.join(['true', *own, *conditions])} {rest}")


PROTECTED = "daily_mean * (lead_days + review_days)"
SAME = "(b.store_id, b.product_id, b.risk) = ({0}.store_id, {0}.product_id, {0}.risk)"
LACKED = f"not exists (select 1 from {{1}} b where {SAME})"


def test_service_and_stock_are_those_of_all_policies(served: tuple[Service, Index], view: View) -> None:
    found = summary(served[0], view)
    (service,) = scan(
        view,
        f"select count(*) as products, sum(target * {PROTECTED}) / sum({PROTECTED}) as target, "
        f"1 - sum(shortfall) / sum(case when shortfall is not null then {PROTECTED} end) as served, "
        "sum(shortfall) as missing, sum(case when on_hand is not null then on_hand <= 0 end) as empty from policies",
    )
    (stock,) = scan(
        view,
        "select sum(on_hand * coalesce(unit_cost, price)) as value, sum(on_hand) as units, "
        "sum(on_hand) / sum(case when on_hand is not null then daily_mean end) as days, "
        "sum(surplus * coalesce(unit_cost, price)) as surplus from policies",
    )
    assert found.service.model_dump() == pytest.approx(service)
    assert found.stock.model_dump() == pytest.approx(stock)


def test_orders_and_those_to_decide_on_are_those_of_all_orders(served: tuple[Service, Index], view: View) -> None:
    found, counted = summary(served[0], view), "select count(*) as orders, sum(cost) as cost from {}"
    with served[0].database.read() as connection:
        decided = connection.exec_driver_sql("select order_id from decisions").scalars().all()
    (of_today,) = scan(view, counted.format("orders"), "status = 'suggested'")
    (is_open,) = scan(view, counted.format("orders"), "status = 'suggested'", f"order_id not in {(*decided,)}")
    (before,) = scan(view, counted.format("orders_before"), "status = 'suggested'")
    assert found.suggested.model_dump() == pytest.approx({**of_today, "undecided": is_open["orders"]})
    if found.before is None:
        assert found.suggested_before is None
    else:
        assert found.suggested_before.model_dump() == pytest.approx({**before, "undecided": None})


def test_risks_with_those_that_came_and_went_are_those_of_all_risks(served: tuple[Service, Index], view: View) -> None:
    found, is_compared = summary(served[0], view), bool(view.index.rows("select 1 from origin_before"))
    for counted in found.risks:
        kind = f"risk = '{counted.risk}'"
        (now,) = scan(view, "select count(*) as products, sum(value) as value from risks", kind)
        (new,) = scan(view, "select count(*) as n from risks", kind, LACKED.format("risks", "risks_before"))
        (gone,) = scan(view, "select count(*) as n from risks_before", kind, LACKED.format("risks_before", "risks"))
        changes = {"new": new["n"], "gone": gone["n"]} if is_compared else {"new": None, "gone": None}
        assert counted.model_dump() == pytest.approx({"risk": counted.risk, **now, **changes})


def test_each_risk_is_new_that_was_none_and_the_largest_comes_first(view: View) -> None:
    found = risks_by_value(view).all(view)
    new = scan(view, "select store_id, product_id from risks", LACKED.format("risks", "risks_before"))
    pairs = {(row["store_id"], row["product_id"]) for row in new}
    is_compared = bool(view.index.rows("select 1 from origin_before"))
    assert [risk.is_new for risk in found] == [
        (risk.store_id, risk.product_id) in pairs if is_compared else None for risk in found
    ]
    values = [int(100 * (risk.value or 0)) for risk in found]
    assert values == sorted(values, reverse=True)
    assert len(found) == len(scan(view, "select 1 from risks"))


def test_a_store_s_row_is_that_of_its_own_rows(view: View) -> None:
    for row in stores_at_a_glance(view).all(view):
        own = f"store_id = '{row.store_id}'"
        (suggested,) = scan(view, "select count(*) as n, sum(cost) as cost from orders", own, "status = 'suggested'")
        kinds = scan(view, "select risk, count(*) as n from risks", own, rest="group by risk")
        counts = {kind["risk"]: kind["n"] for kind in kinds}
        assert (row.orders, row.cost) == (suggested["n"], pytest.approx(suggested["cost"]))
        assert (row.stock_out, row.overstock) == (counts.get("stock_out", 0), counts.get("overstock", 0))


def test_of_a_day_without_a_plan_no_count_is_known_though_one_of_the_day_before_is(tmp_path: Path) -> None:
    for day, tables in ((DAY - timedelta(days=1), (plans.POLICIES, plans.RISKS, STORES)), (DAY, (STORES,))):
        plan = [(table, rows) for table, rows in _plan(np.random.default_rng(27)) if table in tables]
        versions = {table.name: put(tmp_path, table, _dated(table, rows, day)) for table, rows in plan}
        publish(tmp_path, "north", versions, f"of {day}", day)
    lake = Lake(str(tmp_path))
    index = Index(build(lake, lake.newest_publications()["north"], tmp_path / "indexes"))
    found = stores_at_a_glance(View(index, NORTH, None)).all(View(index, NORTH, None))
    assert len(found) == len(STORE_IDS)
    assert {(row.orders, row.stock_out, row.overstock) for row in found} == {(None, None, None)}


@pytest.fixture
def answered_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How SQLite answers each query that is asked from here on."""
    found: list[str] = []
    ask = Index.rows

    def rows(self: Index, query: str, values: Any = ()) -> list[Row]:
        found.extend(row["detail"] for row in ask(self, f"explain query plan {query}", values))
        return ask(self, query, values)

    monkeypatch.setattr(Index, "rows", rows)
    monkeypatch.setattr(View, "is_planned", True)
    return found


@pytest.mark.parametrize(
    "look",
    [
        pytest.param(lambda service, view: summary(service, view), id="the day at a glance"),
        pytest.param(lambda _, view: stores_at_a_glance(view).page(view), id="the stores"),
        pytest.param(lambda _, view: risks_by_value(view, risk="stock_out").page(view, 6), id="the largest risks"),
        pytest.param(
            lambda service, view: urgent(SimpleNamespace(service=service, view=view), {}, True).page(view, 6),
            id="the most urgent orders",
        ),
    ],
)
def test_the_first_pages_look_through_no_table_of_all_products_and_sort_none(
    served: tuple[Service, Index], answered_by: list[str], look: Callable[[Service, View], object]
) -> None:
    look(served[0], View(served[1], NORTH, None))
    assert answered_by
    assert [
        step for step in answered_by if re.match("SCAN (policies|orders|risks)|USE TEMP B-TREE FOR ORDER", step)
    ] == []
