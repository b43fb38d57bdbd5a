"""Files of the lake beside its tables, such as fitted models, written and read by the executors."""

import io
from collections.abc import Callable

import pandas as pd

from shelfcast.storage import is_file as exists
from shelfcast.storage import read_bytes, write_bytes

__all__ = ["exists", "once", "read_bytes", "write_bytes"]


def once(uri: str | None, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The frame in the file; where there is none it is made and put there: what a killed run has finished is not done
    again. Without a file it is made."""
    if uri is not None and exists(uri):
        return pd.read_parquet(io.BytesIO(read_bytes(uri)))
    made = make()
    if uri is not None:
        write_bytes(made.to_parquet(index=False), uri)
    return made
