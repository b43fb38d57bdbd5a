"""Windows of Poisson series, as files that networks learn from."""

from pathlib import Path

import numpy as np
import pandas as pd

from shelfcast.models.mlp.windows import make_windows
from shelfcast.panel import Panel
from shelfcast.windows import as_rows

SEED, WEEKS, HORIZON, FIRST_ORIGIN = 27, 60, 8, 13
MONDAY = np.datetime64("2017-01-02")


def write_windows(series: int, folder: Path) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The files, in `folder`, and the words of each identity."""
    draw = np.random.default_rng(SEED)
    ids = pd.DataFrame({"store_id": np.arange(series) % 20, "item_id": np.arange(series), "category_id": 0}).astype(str)
    y = draw.poisson(draw.uniform(0.5, 20, (series, 1)), (series, WEEKS)).astype(float)
    panel = Panel(ids, MONDAY + 7 * np.arange(WEEKS), y, 52, {})
    made = [make_windows(panel, origin, HORIZON) for origin in range(FIRST_ORIGIN, WEEKS - HORIZON + 1)]
    rows = pd.concat([as_rows(ids.iloc[own.series], own, np.arange(len(own))) for own in made], ignore_index=True)
    file = folder / "windows.parquet"
    rows.to_parquet(file, row_group_size=4000)
    return (str(file),), {name: sorted(ids[name].unique()) for name in ids}
