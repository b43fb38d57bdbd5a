"""Files in the shapes of Walmart's and of Favorita's: totals of departments instead of transactions."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

WALMART = "Store,Dept,Date,Weekly_Sales,IsHoliday"
FEATURES = (
    "Store,Date,Temperature,Fuel_Price,MarkDown1,MarkDown2,MarkDown3,MarkDown4,MarkDown5,CPI,Unemployment,IsHoliday"
)
STORES, FAMILIES, WEEKS = (1, 2, 25), ("BREAD/BAKERY", "LIQUOR,WINE,BEER", "BOOKS", "PRODUCE"), 30
FIRST_DAY = date(2013, 1, 1)
# Date, type, locale, its name, description, transferred.
HOLIDAYS = (
    ("2013-01-05", "Work Day", "National", "Ecuador", "Recupero puente Navidad", False),
    ("2013-04-12", "Holiday", "Local", "Cuenca", "Fundacion de Cuenca", False),
    ("2013-05-12", "Event", "National", "Ecuador", "Dia de la Madre", False),
    ("2013-05-24", "Holiday", "National", "Ecuador", "Batalla de Pichincha", False),
    ("2013-10-09", "Holiday", "National", "Ecuador", "Independencia de Guayaquil", True),
    ("2013-10-11", "Transfer", "National", "Ecuador", "Traslado Independencia de Guayaquil", False),
    ("2016-04-16", "Event", "National", "Ecuador", "Terremoto Manabi", False),
)


def write_walmart(folder: Path, *rows: str, features: Sequence[str] = ()) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.csv").write_text("\n".join((WALMART, *rows)) + "\n")
    (folder / "features.csv").write_text("\n".join((FEATURES, *features)) + "\n")
    return folder


def write_favorita(folder: Path, seed: int = 5) -> Path:
    """The five files: no sales on New Year's Day, weights with fractions, a family that two stores hardly sell and the
    third one never."""
    folder.mkdir(parents=True)
    days = [FIRST_DAY + timedelta(days=n) for n in range(7 * WEEKS)]
    keys = [(day, store, family) for day in days for store in STORES for family in FAMILIES]
    frame = pd.DataFrame(keys, columns=["date", "store_nbr", "family"])
    draw = np.random.default_rng(seed)
    level = frame["family"].map(dict(zip(FAMILIES, (40.0, 12.0, 0.02, 90.0), strict=True)))
    weekend = 1 + 0.5 * (pd.to_datetime(frame["date"]).dt.weekday >= 5)
    units = draw.poisson(level * weekend).astype(float)
    units += np.where(frame["family"] == "PRODUCE", draw.random(len(frame)).round(3), 0.0)
    listed = (frame["date"] > FIRST_DAY) & ~((frame["family"] == "BOOKS") & (frame["store_nbr"] == 25))
    sold = frame.assign(sales=np.where(listed, units, 0.0), onpromotion=draw.integers(0, 3, len(frame)))
    sold.insert(0, "id", np.arange(len(sold)))
    tables = {
        "train": sold,
        "stores": pd.DataFrame({"store_nbr": STORES, "city": "Quito", "state": "Pichincha", "type": "D", "cluster": 1}),
        "holidays_events": pd.DataFrame(
            HOLIDAYS, columns=["date", "type", "locale", "locale_name", "description", "transferred"]
        ),
        "oil": pd.DataFrame({"date": days, "dcoilwtico": [None, *[93.1] * (len(days) - 1)]}),
        "transactions": frame[["date", "store_nbr"]].drop_duplicates().assign(transactions=900),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder
