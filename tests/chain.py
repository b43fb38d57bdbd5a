"""A small chain in the shape of Complete Journey's files, with something wrong of every kind, for runs of the whole
flow."""

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

FIRST_DAY = date(2017, 1, 1)
WEEKS = 34
STORES = (1, 2, 3, 4)
DEPARTMENTS = {"GROCERY": 8, "PRODUCE": 4, "FUEL": 1}
# Shorter than the real one in every direction: a horizon of 3, cutoffs after 24, 27 and 30 of 33 whole weeks.
SETTINGS = (
    "backtest.horizon=3",
    "backtest.stride=3",
    "backtest.season=4",
    "backtest.reference.stores=3",
    "backtest.reference.min_units=20",
    "backtest.min_selling_weeks=6",
    "backtest.category_models=[zero, naive, moving_average, tsb, arima, linear, hist_gradient_boosting, mllib_ridge]",
    "backtest.product_models=[zero, naive, moving_average, linear]",
    "backtest.slow_series=2",
    "training.max_examples={category: 2000, product: 2000}",
    "forecast.calibration_share=1",
    "forecast.share_weeks=8",
    "cleaning.outliers.learn_until=2017-05-01",
    "runtime.buckets=2",
)
# Networks that train in seconds.
NETWORKS = (
    "networks.panels=[reference, category, product]",
    "networks.epochs=2",
    "networks.units=8",
    "networks.held_back_weeks=3",
    "networks.windows=300",
)


def products() -> pd.DataFrame:
    names = [department for department, count in DEPARTMENTS.items() for _ in range(count)]
    return pd.DataFrame(
        {
            "product_id": np.arange(100, 100 + len(names)),
            "manufacturer_id": np.arange(len(names)) % 3,
            "department": names,
            "brand": "National",
            "product_category": names,
            "product_type": names,
            "package_size": ["12 OZ", "1 LB", None, "750 ML"][: len(names) % 4]
            + ["12 OZ"] * (len(names) - len(names) % 4),
        }
    )


def transactions(seed: int = 7) -> pd.DataFrame:
    """Poisson sales: product 100 sells daily, the later ones ever less, the last but two once or never."""
    draw = np.random.default_rng(seed)
    catalogue, rows = products(), []
    for day in range(7 * WEEKS):
        for store in STORES:
            for n, (product, department) in enumerate(
                zip(catalogue["product_id"], catalogue["department"], strict=True)
            ):
                for _ in range(
                    draw.poisson(1.5 * store / len(STORES) / (1 + n) ** 1.2 + (0.05 if department == "FUEL" else 0))
                ):
                    rows.append((store, product, day, 10_000 if department == "FUEL" else draw.integers(1, 4)))
    frame = pd.DataFrame(rows, columns=["store_id", "product_id", "day", "quantity"])
    return _as_received(frame, len(frame))


def dirt() -> pd.DataFrame:
    """A listing without units, a product that no catalogue has, a price below zero, a quantity beyond belief, an old
    date."""
    frame = pd.DataFrame(
        {
            "store_id": [1, 1, 2, 2, 3],
            "product_id": [112, 999, 100, 101, 102],
            "day": [20, 30, 40, 50, -400],
            "quantity": [0, 2, 1, 500_000, 1],
        }
    )
    made = _as_received(frame, len(frame)).assign(basket_id=lambda rows: rows["basket_id"] + 1_000_000)
    return made.assign(sales_value=[0.0, 5.0, -3.0, 5.0, 5.0])


def promotions() -> pd.DataFrame:
    weeks = np.arange(1, WEEKS + 4)
    return pd.DataFrame(
        {
            "product_id": 100,
            "store_id": 1,
            "display_location": "9",
            "mailer_location": "0",
            "week": weeks[weeks % 3 == 0],
        }
    )


def write_chain(folder: Path, until: date | None = None) -> Path:
    """The three files in `folder`; `until`: as they were on that day."""
    folder.mkdir(parents=True)
    sold = pd.concat([transactions(), dirt()], ignore_index=True)
    if until:
        sold = sold[sold["transaction_timestamp"].dt.date <= until]
    for name, frame in (("transactions", sold), ("products", products()), ("promotions", promotions())):
        frame.to_parquet(folder / f"{name}.parquet", index=False, coerce_timestamps="us")
    return folder


def _as_received(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    noon = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 12)
    stamps = pd.to_datetime([noon + timedelta(days=int(day)) for day in frame["day"]]).tz_localize("UTC")
    price = 2.0 + frame["product_id"] % 5
    units = np.where(frame["quantity"] > 1000, frame["quantity"] / 1000, frame["quantity"])
    return pd.DataFrame(
        {
            "household_id": np.arange(rows) % 50,
            "store_id": frame["store_id"],
            "basket_id": np.arange(rows),
            "product_id": frame["product_id"],
            "quantity": frame["quantity"],
            "sales_value": price * units,
            "retail_disc": 0.0,
            "coupon_disc": 0.0,
            "coupon_match_disc": 0.0,
            "week": frame["day"] // 7 + 1,
            "transaction_timestamp": stamps,
        }
    ).astype({"store_id": "int64", "quantity": "int64", "week": "int64"})
