"""Moves between stores that cure a shortage and an overstock at once."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.inventory.decisions import REJECTED, SUGGESTED, order_id
from shelfcast.panels import by_bucket
from shelfcast.table import column_names

_MOVES = "region string, product_id string, from_store string, to_store string, need_by date, quantity double"
_PAIR = ("store_id", "product_id")


def transfers(policies: DataFrame, refused: DataFrame, growth: float, buckets: int) -> DataFrame:
    """Moves that take a surplus of one store to the need of another, in whole units: region, order_id, product_id,
    from_store, to_store, need_by, quantity, status.

    A move refused lately is held back unless it has grown by the share `growth`. policies: rows of inventory/policies;
    all stores of a product share a bucket. refused: rows of `decisions.rejected`.
    """
    wanting = policies.where("surplus >= 1 or need >= 1")
    columns = wanting.select("bucket", "region", *_PAIR, "surplus", "need", "stock_out", "need_by")
    moves = by_bucket(columns, buckets).applyInPandas(match_stores, _MOVES)
    of_moves = refused.where("from_store is not null").withColumnRenamed("store_id", "to_store")
    joined = moves.join(of_moves, ["from_store", "to_store", "product_id"], how="left")
    is_refused = F.coalesce(F.col("quantity") <= F.col("rejected") * (1 + growth), F.lit(False))
    named = joined.withColumns({"store_id": F.col("to_store"), "vendor_id": F.lit(None).cast("string")})
    return named.select(
        "region",
        order_id(F.col("region"), F.col("from_store")).alias("order_id"),
        "product_id",
        "from_store",
        "to_store",
        "need_by",
        "quantity",
        F.when(is_refused, REJECTED).otherwise(SUGGESTED).alias("status"),
    )


def match_stores(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each product the largest surplus goes first, to who is likeliest to run out; nobody gives what it needs."""
    moves = [move for _, group in rows.groupby("product_id", sort=True) for move in _moves(group)]
    return pd.DataFrame(moves, columns=column_names(_MOVES)).astype({"quantity": float})


def _moves(rows: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    giving = rows[rows["surplus"] >= 1].sort_values(["surplus", "store_id"], ascending=[False, True])
    taking = rows[rows["need"] >= 1].sort_values(["stock_out", "store_id"], ascending=[False, True])
    if giving.empty or taking.empty:
        return
    # Units in order: a store gives, or takes, those of its stretch.
    given, taken = (np.cumsum(np.floor(side.to_numpy())) for side in (giving["surplus"], taking["need"]))
    edges = np.unique(np.concatenate([[0.0], given, taken]))
    for start, end in pairwise(edges):
        if end <= min(given[-1], taken[-1]):
            source = giving.iloc[int(np.searchsorted(given, start, side="right"))]
            target = taking.iloc[int(np.searchsorted(taken, start, side="right"))]
            yield (
                *(source[["region", "product_id", "store_id"]]),
                *(target[["store_id", "need_by"]]),
                float(end - start),
            )
