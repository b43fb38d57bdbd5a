"""The lake of tests/api, with a day published before, and with scores of the data's and the forecast's quality.
Product p5 of north is sold in store 3 alone; who forecasts was decided on each day of a dozen."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from api import lake
from api.lake import DAY, STORES, publish, put, rows, write_lake
from shelfcast import schemas
from shelfcast.challengers import CHAMPIONS
from shelfcast.inventory import tables as plans
from shelfcast.monitoring.tables import ALERTS, DRIFT
from shelfcast.table import Table

Row = dict[str, Any]
BEFORE = DAY - timedelta(days=1)


def write(root: Path) -> Path:
    """Both regions; of north the day before too."""
    _write_day_before(root)
    write_lake(root)
    for region in STORES:
        versions = {table.name: put(root, table, own) for table, own in _scores(region)}
        publish(root, region, {**_newest(root, region), **versions}, "with scores", minute=30)
    return root


def _newest(root: Path, region: str) -> dict[str, int]:
    return dict(lake.Lake(str(root)).newest_publications()[region].tables)


def _write_day_before(root: Path) -> None:
    """Store 1 has its risk already, and one that is gone since; one order and one alert less; four fifths expected."""
    known, gone = rows(plans.RISKS)[0], {**rows(plans.RISKS)[0], "product_id": "p2"}
    ahead = [{**row, "mean": 0.8 * row["mean"]} for row in rows(schemas.FORECASTS)]
    tables: list[tuple[Table, list[Row]]] = [
        (plans.RISKS, [known, gone]),
        (plans.ORDERS, rows(plans.ORDERS)[1:]),
        (ALERTS, rows(ALERTS)[1:]),
        (schemas.FORECASTS, ahead),
    ]
    versions = {
        table.name: put(root, table, [{**row, "forecast_date": BEFORE} for row in own]) for table, own in tables
    }
    publish(root, "north", versions, "the day before", BEFORE)


def _scores(region: str) -> list[tuple[Table, list[Row]]]:
    row = {"region": region, "forecast_date": DAY}
    accuracy = [{**row, "level": level, "rows": 100, "units": 900.0, "wape": 0.31, "bias": 0.02, "rmse": 4.0,
                 "median_wape": 0.3} for level in ("product", "category", "store")]  # fmt: skip
    calibration = [{**row, "level": "product", "quantile": level, "rows": 100, "observed": level + 0.01,
                    "below": level - 0.01} for level in (0.1, 0.5, 0.9)]  # fmt: skip
    drift = [{**row, "feature": "quantity", "bin": number, "label": f"to {number + 1}", "expected": 0.5, "found": found,
              "psi": 0.02, "least": 0.0} for number, found in enumerate((0.4, 0.6))]  # fmt: skip
    scores = [(schemas.ACCURACY, accuracy), (schemas.CALIBRATION, calibration), (DRIFT, drift)]
    return [*scores, (CHAMPIONS, _champions(region)), *(_of_store_3() if region == "north" else [])]


def _champions(region: str) -> list[Row]:
    days = [DAY - timedelta(days=ago) for ago in range(12)]
    return [{**row, "as_of": day} for row in rows(CHAMPIONS, region) for day in days]


def _of_store_3() -> list[tuple[Table, list[Row]]]:
    forecasts, products = rows(schemas.FORECASTS), rows(schemas.PRODUCTS)
    sold = [row for row in forecasts if (row["level"], row["store_id"], row["item_id"]) == ("product", "3", "p1")]
    return [
        (schemas.FORECASTS, [*forecasts, *({**row, "item_id": "p5"} for row in sold)]),
        (schemas.PRODUCTS, [*products, {**products[0], "product_id": "p5", "brand": "Brand of p5"}]),
    ]
