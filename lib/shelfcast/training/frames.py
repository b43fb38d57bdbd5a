"""Training frames read from Parquet by the process that fits: bounded by the configuration, and never through the
driver."""

from collections.abc import Sequence
from datetime import date
from urllib.parse import unquote, urlparse

import pandas as pd
import pyarrow.compute as pc
import pyarrow.dataset as ds


def read_examples(files: Sequence[str], columns: Sequence[str], last_week: date) -> pd.DataFrame:
    """The examples in `files` whose target lies in the weeks up to `last_week`, in the order of their key.

    Sorted, because a fit depends on the order of its rows, and that of files is chance.
    """
    table = ds.dataset([local_path(file) for file in files], format="parquet").to_table(
        columns=list(columns), filter=pc.field("week") <= pc.scalar(last_week)
    )
    frame: pd.DataFrame = table.to_pandas(self_destruct=True, split_blocks=True)
    return frame.sort_values(["store_id", "item_id", "origin", "step"], ignore_index=True)


def local_path(file: str) -> str:
    """Spark names local files as URIs with escapes; Arrow wants their paths."""
    parts = urlparse(file)
    return unquote(parts.path) if parts.scheme == "file" else file
