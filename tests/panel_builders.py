"""Sparse rows of a panel, and the examples that models learn from, for tests of what reads panels."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from builders import MONDAY
from shelfcast.examples import FEATURES
from shelfcast.features import make_examples
from shelfcast.models.mlp.windows import make_windows
from shelfcast.panel import Axis, densify
from shelfcast.windows import as_rows

PANEL = "product"


def axis(weeks: int, horizon: int = 2, season: int = 52) -> Axis:
    return Axis(tuple(week(n) for n in range(weeks)), season, horizon, from_first_sale=True)


def week(number: int) -> date:
    """The week of that number, from 0."""
    return MONDAY + timedelta(weeks=number)


def series(
    item: str, quantities: Sequence[float], store: str = "s1", bucket: int = 0, rank: int | None = None
) -> pd.DataFrame:
    """Rows of features/panel_demand: one for each week in which something sold."""
    sold = [(week(n), float(quantity)) for n, quantity in enumerate(quantities) if quantity]
    rows = pd.DataFrame(sold, columns=["week", "quantity"])
    named = rows.assign(
        region="here",
        panel=PANEL,
        bucket=bucket,
        store_id=store,
        item_id=item,
        category_id="c1",
        promoted=0.0,
        conditions=None,
    )
    return named.assign(size_rank=pd.Series([rank] * len(rows), dtype="float64"))


def poisson_series(count: int, weeks: int, buckets: int = 1, seed: int = 5) -> pd.DataFrame:
    """Series p0, p1 ... of rising level, dealt out to the buckets."""
    draw = np.random.default_rng(seed)
    parts = [
        series(f"p{n}", draw.poisson(1.0 + 0.5 * n, weeks).tolist(), bucket=n % buckets, rank=count - n)
        for n in range(count)
    ]
    return pd.concat(parts, ignore_index=True)


def training_frame(rows: pd.DataFrame, of: Axis, origins: Sequence[int]) -> pd.DataFrame:
    """The rows of features/training_frame that the sparse rows give, less region and panel."""
    made = make_examples(densify(rows, of), origins, of.horizon)
    dated = made[made["y"].notna()].assign(week=lambda examples: examples["period"].dt.date, conditions=None)
    kept = dated[
        ["store_id", "item_id", "category_id", "origin", "step", "week", "y", "scale", "conditions", *FEATURES]
    ]
    return kept.astype({"origin": "int32", "step": "int32", **dict.fromkeys(FEATURES, "float32")}).reset_index(
        drop=True
    )


def write_parts(frame: pd.DataFrame, folder: Path, parts: int = 2) -> tuple[str, ...]:
    """The rows dealt out to Parquet files, last rows first."""
    folder.mkdir(parents=True)
    paths = [folder / f"part-{part}.parquet" for part in range(parts)]
    for part, path in enumerate(paths):
        frame[::-1].iloc[part::parts].to_parquet(path, index=False)
    return tuple(str(path) for path in paths)


def windows_of(rows: pd.DataFrame, of: Axis, origins: Sequence[int]) -> pd.DataFrame:
    """The rows of features/windows that the sparse rows give, less region and panel."""
    panel = densify(rows, of)
    made = [make_windows(panel, origin, of.horizon) for origin in origins]
    parts = [as_rows(panel.ids.iloc[part.series], part, np.arange(len(part))) for part in made]
    return pd.concat(parts, ignore_index=True)


def write_windows(
    rows: pd.DataFrame, of: Axis, origins: Sequence[int], folder: Path, rows_per_group: int = 1000
) -> tuple[str, ...]:
    """Those rows, dealt out to two files."""
    folder.mkdir(parents=True, exist_ok=True)
    made, paths = windows_of(rows, of, origins), [folder / f"{part}.parquet" for part in range(2)]
    for part, path in enumerate(paths):
        made.iloc[part::2].to_parquet(path, index=False, row_group_size=rows_per_group)
    return tuple(str(path) for path in paths)
