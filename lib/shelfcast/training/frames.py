"""Training frames read from Parquet by the process that fits: bounded by the configuration, and never through the
driver."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import pyarrow.compute as pc
import pyarrow.dataset as ds

from shelfcast import storage


def read_examples(files: Sequence[str], columns: Sequence[str], last_week: date) -> pd.DataFrame:
    """The examples in `files` whose target lies in the weeks up to `last_week`, in the order of their key.

    Sorted, because a fit depends on the order of its rows, and that of files is chance.
    """
    table = open_parquet(files).to_table(columns=list(columns), filter=pc.field("week") <= pc.scalar(last_week))
    frame: pd.DataFrame = table.to_pandas(self_destruct=True, split_blocks=True)
    return frame.sort_values(["store_id", "item_id", "origin", "step"], ignore_index=True)


def open_parquet(files: Sequence[str]) -> ds.Dataset:
    """Parquet files as Spark names them."""
    filesystem, paths = storage.locate_all(files)
    return ds.dataset(paths, filesystem=filesystem, format="parquet")
