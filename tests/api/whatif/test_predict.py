import gc
import weakref
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from api.conftest import CONFIG, add, running, service_of, token_of
from api.lake import AHEAD, LAST_WEEK, PRODUCTS, STORES, WEEKS, publish, put, rows, write_lake
from shelfcast import config, schemas, stored
from shelfcast.api.index.reading import Index
from shelfcast.api.whatif.scorer import scorer_of
from shelfcast.api.whatif.series import panel_of, published, supposing
from shelfcast.challengers import CHAMPIONS
from shelfcast.features import make_examples
from shelfcast.inventory.tables import POLICIES
from shelfcast.models import encoder, sklearn_models
from shelfcast.panel import Axis, densify
from shelfcast.scoring import Scorer

Row = dict[str, Any]
PAIR = {"store_id": "1", "product_id": "p1"}
Ask = Callable[..., dict[str, Any]]
READ = (schemas.FORECASTS, schemas.PANEL_DEMAND, schemas.STORES, schemas.SERIES)


@pytest.fixture(scope="module")
def ask(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    with running(lake, tmp_path_factory.mktemp("served")) as client:
        yield asking(client)


def asking(client: TestClient) -> Ask:
    headers = token_of(client, add(client, "viewer of north", "viewer", "north"))

    def ask(status: int = 200, **supposed: Any) -> dict[str, Any]:
        answer = client.post("/v1/predict", json={**PAIR, **supposed}, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def means(outlook: Row) -> list[float]:
    return [week["mean"] for week in outlook["weeks"]]


def test_where_nothing_is_supposed_nothing_changes(ask: Ask) -> None:
    found = ask()
    assert found["model"] == "moving_average"
    assert found["supposed"] == found["current"]
    assert [week["week"] for week in found["current"]["weeks"]] == [str(day) for day in AHEAD]


def test_twice_the_sales_make_the_champion_expect_twice_as_much(ask: Ask) -> None:
    recent = [row for row in rows(schemas.DEMAND["weekly"]) if (row["store_id"], row["item_id"]) == ("1", "p1")]
    twice = [{"week": str(row["week"]), "quantity": 2 * row["quantity"]} for row in recent[-20:]]
    found = ask(history=twice)
    assert means(found["supposed"]) == pytest.approx([2 * mean for mean in means(found["current"])])
    week, other = found["current"]["weeks"][0], found["supposed"]["weeks"][0]
    assert [other[name] for name in ("p10", "p90")] == pytest.approx([2 * week[name] for name in ("p10", "p90")])


def test_a_dearer_product_sells_less_by_the_elasticity_of_its_category(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake")
    sold = []
    for row in rows(schemas.DEMAND["weekly"]):
        price = 2.0 * (1 + 0.3 * np.sin(WEEKS.index(row["week"])))
        sold.append({**row, "unit_price": price, "quantity": 1000 * int(row["store_id"]) * price**-2.0})
    weekly = put(root, schemas.DEMAND["weekly"], sold)
    others = {
        table.name: 0 for table in (schemas.FORECASTS, schemas.PANEL_DEMAND, schemas.STORES, CHAMPIONS, schemas.SERIES)
    }
    publish(root, "north", {**others, schemas.DEMAND["weekly"].name: weekly}, "with prices", minute=5)
    with running(root, tmp_path / "served") as client:
        ask = asking(client)
        current = ask(price=1.9)["price"]["current"]
        found = ask(price=1.5 * current)
        assert found["price"]["elasticity"] == pytest.approx(-2.0, abs=0.02)
        factor = 1.5 ** found["price"]["elasticity"]
        assert means(found["supposed"]) == pytest.approx([factor * mean for mean in means(found["current"])])


def test_more_stock_makes_a_smaller_order_and_a_longer_way_a_larger_one(ask: Ask) -> None:
    def line(**supposed: Any) -> Row:
        return ask(**supposed)["supposed"]["order"]

    usual, full, far, sure = line(), line(on_hand=500), line(lead_days=14), line(service_level=0.999)
    assert usual == ask()["current"]["order"]
    assert usual["order"] > 0
    assert usual["order"] % 6 == 0
    assert (full["order"], full["stock_out"]) == (0, 0)
    assert far["reorder_point"] > usual["reorder_point"]
    assert far["stock_out"] > usual["stock_out"]
    assert sure["safety_stock"] > usual["safety_stock"]


REFUSED = [
    pytest.param({"product_id": "none"}, 404, "product none in store 1: no forecast of it", id="product"),
    pytest.param({"store_id": "9", "region": "north"}, 404, "product p1 in store 9", id="store"),
    pytest.param({"region": "south"}, 403, "region south: not yours", id="another's region"),
    pytest.param({"price": 100}, 422, "body.price: found 100", id="a price that nobody knows"),
    pytest.param({"price": -1}, 422, "body.price: found -1", id="a price that is none"),
    pytest.param(
        {"promoted": [str(LAST_WEEK)]}, 422, "body.promoted: found week 2017-07-31", id="a promotion of the past"
    ),
    pytest.param({"promoted": ["2017-08-08"]}, 422, "body.promoted.0: found '2017-08-08'", id="no Monday"),
    pytest.param(
        {"history": [{"week": str(AHEAD[0]), "quantity": 1}]},
        422,
        "body.history: found week 2017-08-07",
        id="a sale ahead",
    ),
    pytest.param({"history": [{"week": "0001-01-01", "quantity": 1}]}, 422, "body.history: found week", id="long ago"),
    pytest.param({"service_level": 1}, 422, "body.service_level: found 1", id="certainty"),
    pytest.param({"weather": "rain"}, 422, "body.weather: not known here; wanted it", id="what nobody knows of"),
]


@pytest.mark.parametrize(("supposed", "status", "detail"), REFUSED)
def test_what_cannot_be_supposed_is_named(ask: Ask, supposed: Row, status: int, detail: str) -> None:
    assert ask(status, **supposed)["detail"].startswith(detail)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trained(tmp_path_factory.mktemp("trained") / "lake")


def write_trained(root: Path) -> Path:
    """A lake whose champion is an average of a ridge regression, fitted on its panel, and of TSB. In weeks of a
    promotion thrice as much was sold."""
    write_lake(root)
    panel = densify(panel_rows(), axis())
    examples = make_examples(panel, range(20, len(WEEKS)), 4, country="US")
    fitted = sklearn_models.fit("ridge", examples, encoder.fit_encoder(examples), 1)
    for region in STORES:
        uri = f"{root}/models/_artefacts/{region}/forecast-run/product-ridge-{LAST_WEEK}.skops"
        stored.save(fitted, uri)
        champions = [
            {**row, "model": "ensemble_mean" if row["panel"] == "product" else row["model"]}
            for row in rows(CHAMPIONS, region)
        ]
        weights = {"ridge": 0.75, "tsb": 0.25}
        row = {"region": region, "panel": "product", "model": "ensemble_mean", "cutoff": LAST_WEEK, "whole": True}
        members = [{**row, "member": member, "weight": weight} for member, weight in weights.items()]
        versions = {
            schemas.PANEL_DEMAND.name: put(root, schemas.PANEL_DEMAND, promoted_rows(region)),
            CHAMPIONS.name: put(root, CHAMPIONS, champions),
            schemas.ENSEMBLES.name: put(root, schemas.ENSEMBLES, members),
        }
        first = ("north", "south").index(region)
        named = (schemas.FORECASTS, schemas.STORES, schemas.DEMAND["weekly"], schemas.SERIES)
        publish(root, region, {**{table.name: first for table in named}, **versions}, "trained", minute=9)
    return root


def promoted_rows(region: str) -> list[Row]:
    def told(row: Row) -> Row:
        is_promoted = row["week"] in WEEKS and WEEKS.index(row["week"]) % 5 == 0
        return {**row, "quantity": 3 * row["quantity"], "promoted": 1.0} if is_promoted else row

    return [told(row) for row in rows(schemas.PANEL_DEMAND, region)]


def panel_rows(region: str = "north") -> pd.DataFrame:
    return pd.DataFrame(promoted_rows(region)).assign(size_rank=pd.NA)


def axis() -> Axis:
    return Axis(tuple(WEEKS), config.load(CONFIG).backtest.season, 4, from_first_sale=True)


def index_of(client: TestClient, region: str = "north") -> Index:
    index = service_of(client).indexes.find(region)
    assert index is not None
    return index


def test_the_champion_says_here_what_it_says_in_the_job(trained: Path, tmp_path: Path) -> None:
    uri = f"{trained}/models/_artefacts/north/forecast-run/product-ridge-{LAST_WEEK}.skops"
    known = len(WEEKS)
    batch = Scorer(axis(), (known,), ("tsb",), {}, {("ridge", known): uri}, 1, "US")
    scored = batch.score_bucket(panel_rows()).set_index(["store_id", "item_id", "model", "step"])["y_hat"].sort_index()
    with running(trained, tmp_path) as client:
        index = index_of(client)
        scorer = scorer_of(index, "US")
        assert scorer.name == "ensemble_mean"
        for store in STORES["north"]:
            for product in PRODUCTS:
                series = published(index, store, product)
                (found,) = scorer.predict([panel_of(index, series, axis().season)], 4)
                parts = [scored.loc[store, product, name].to_numpy() for name in ("ridge", "tsb")]
                np.testing.assert_allclose(found, 0.75 * parts[0] + 0.25 * parts[1], rtol=1e-6)


def test_what_is_asked_together_is_said_as_apart(trained: Path, tmp_path: Path) -> None:
    with running(trained, tmp_path) as client:
        index = index_of(client)
        scorer, series = scorer_of(index, "US"), published(index, "2", "p1")
        panel = panel_of(index, series, axis().season)
        other = supposing(panel, {series.first_week - timedelta(weeks=1): 90.0}, {AHEAD[0]: 1.0})
        together = scorer.predict([other, panel], 4)
        apart = [scorer.predict([each], 4)[0] for each in (other, panel)]
    np.testing.assert_allclose(together, apart)
    assert (together[0] > together[1]).all()


def test_what_goes_on_in_a_store_is_read_here_as_in_the_job(tmp_path: Path) -> None:
    def told(store: str) -> list[tuple[str, list[float | None]]]:
        fair = [int(store) * float(at % 2) for at in range(len(WEEKS) + 4)]
        return [("planned_fair", fair), ("recent_warmth", [None, *fair[1 : len(WEEKS)]])]

    # Nothing sells in the first week: the second has the first row of each series.
    held = [
        {**row, "conditions": told(row["store_id"]) if row["week"] == WEEKS[1] else None}
        for row in rows(schemas.PANEL_DEMAND)
    ]
    root = write_lake(tmp_path / "lake")
    version = put(root, schemas.PANEL_DEMAND, held)
    publish(root, "north", {**{table.name: 0 for table in READ}, schemas.PANEL_DEMAND.name: version}, minute=7)
    with running(root, tmp_path / "served") as client:
        index = index_of(client)
        panel = panel_of(index, published(index, "2", "p1"), 13)
    made = densify(pd.DataFrame(held), axis())
    (place,) = np.flatnonzero((made.ids["store_id"] == "2") & (made.ids["item_id"] == "p1"))
    np.testing.assert_array_equal(panel.covariates["fair"][0], made.covariates["fair"][place])
    np.testing.assert_array_equal(panel.past["warmth"][0], made.past["warmth"][place])
    assert {"fair", "promoted"} == {*supposing(panel, {}, {AHEAD[0]: 1.0}).covariates}


def test_a_promotion_is_what_the_champion_is_told_of(trained: Path, tmp_path: Path) -> None:
    with running(trained, tmp_path) as client:
        ask = asking(client)
        assert ask(promoted=[str(AHEAD[1])])["supposed"]["weeks"] == ask()["current"]["weeks"]
        without = ask(promoted=[])
        assert without["model"] == "ensemble_mean"
        planned, other = means(without["current"])[1], means(without["supposed"])[1]
        assert other < 0.9 * planned, "the week in which the promotion is planned"


def test_a_champion_whose_file_is_gone_is_not_asked(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake")
    champions = [{**row, "model": "linear"} for row in rows(CHAMPIONS)]
    versions = {table.name: 0 for table in READ}
    publish(root, "north", {**versions, CHAMPIONS.name: put(root, CHAMPIONS, champions)}, "without", minute=8)
    with running(root, tmp_path / "served") as client:
        detail = "champion linear: the file of linear is gone; wanted the forecast made anew"
        assert asking(client)(409)["detail"] == detail


def test_on_a_day_on_which_the_vendor_takes_no_orders_none_is_made(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake")
    policies = [{**row, "may_order": row["product_id"] == "p2"} for row in rows(POLICIES)]
    versions = {table.name: 0 for table in (*READ, CHAMPIONS)}
    publish(root, "north", {**versions, POLICIES.name: put(root, POLICIES, policies)}, "on Tuesday", minute=8)
    with running(root, tmp_path / "served") as client:
        ask = asking(client)
        today, other = (ask(product_id=product, on_hand=0.0, on_order=0.0) for product in ("p1", "p2"))
    assert (today["current"]["order"]["order"], today["supposed"]["order"]["order"]) == (0.0, 0.0)
    assert (today["supposed"]["order"]["order_up_to"] > 0, other["supposed"]["order"]["order"] > 0) == (True, True)


def test_an_index_whose_champion_was_asked_is_let_go_with_it(lake: Path, tmp_path: Path) -> None:
    with running(lake, tmp_path) as client:
        index = Index(index_of(client).path)
        assert scorer_of(index, "US") is scorer_of(index, "US")
        kept = weakref.ref(index)
        del index
        gc.collect()
        assert kept() is None


def test_weeks_that_nothing_is_known_of_stay_unknown(lake: Path, tmp_path: Path) -> None:
    with running(lake, tmp_path) as client:
        panel = panel_of(index_of(client), published(index_of(client), "2", "p1"), 13)
    assert panel.periods[0] == np.datetime64(WEEKS[0])
    assert panel.periods[-1] == np.datetime64(AHEAD[0] - timedelta(weeks=1))
    # Before its first sale a series is not known; then a week without a sale is one.
    assert np.isnan(panel.y[0, 0])
    assert panel.y[0, 4] == 0.0
    elsewhere = [
        row["quantity"] for row in rows(schemas.PANEL_DEMAND) if row["item_id"] == "p1" and row["store_id"] != "2"
    ]
    assert panel.y[1].sum() == sum(elsewhere)
