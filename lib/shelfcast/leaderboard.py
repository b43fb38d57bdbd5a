"""The leaderboard: every model's scores at the last cutoff, and the champions, chosen on the earlier ones alone."""

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

_MODEL = ("panel", "model")
# An all-zero forecast is on every leaderboard and serves nobody.
_NO_CANDIDATE = "zero"
_SCORES = ("wape", "rmse", "mae", "bias", "r2", "rmsse")


def rank(metrics: DataFrame, registry: DataFrame, last_cutoff: date) -> DataFrame:
    """Rows of models/leaderboard without their region.

    The champion for the mean has the least RMSE over the earlier cutoffs, that for the median the least WAPE. A model
    that forecast a part of the series only, or failed or lacked history at a cutoff, is on the board and is no
    candidate.
    """
    whole = metrics.where((F.col("slice") == "all") & F.col("cutoff").isNotNull())
    is_last = F.col("cutoff") == F.lit(last_cutoff)
    earlier = (
        whole.where(~is_last)
        .groupBy(*_MODEL)
        .agg(
            (F.sum(F.col("mae") * F.col("rows")) / F.sum("units")).alias("earlier_wape"),
            F.sqrt(F.sum(F.pow("rmse", F.lit(2)) * F.col("rows")) / F.sum("rows")).alias("earlier_rmse"),
            F.sum("rows").alias("_rows"),
        )
    )
    scores = whole.where(is_last).select(*_MODEL, *_SCORES)
    board = _by_model(registry).join(earlier, [*_MODEL], how="left").join(scores, [*_MODEL], how="left")
    champion = F.concat_ws(" and ", _if_best("mean", "earlier_rmse"), _if_best("median", "earlier_wape"))
    return board.withColumn("champion", F.nullif(champion, F.lit(""))).select(
        *_MODEL, "family", "minimises", "status", "detail", "earlier_wape", "earlier_rmse", *_SCORES, "seconds", "champion",
        F.lit(None).cast("string").alias("members"),
    )  # fmt: skip


def _by_model(registry: DataFrame) -> DataFrame:
    """One row per model: its worst status over the cutoffs, and the seconds that its fits took."""
    worst = F.max(F.struct((F.col("status") != "fitted").alias("_bad"), "status", "detail"))
    grouped = registry.groupBy(*_MODEL, "family", "minimises").agg(
        worst.alias("_worst"), F.sum("seconds").alias("seconds")
    )
    return grouped.select(*_MODEL, "family", "minimises", "_worst.status", "_worst.detail", "seconds")


def _if_best(what: str, score: str) -> Column:
    panel = Window.partitionBy("panel").rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    complete = F.col("_rows") == F.max("_rows").over(panel)
    candidate = (F.col("status") == "fitted") & (F.col("model") != _NO_CANDIDATE) & complete
    best = F.min(F.when(candidate, F.struct(score, "model"))).over(panel)
    return F.when(candidate & (F.col("model") == best["model"]), F.lit(what))


def show(board: DataFrame) -> None:
    """Print the leaderboard, best first, on stdout."""
    rows = [row.asDict() for row in board.orderBy("panel", F.asc_nulls_last("wape"), "model").toLocalIterator()]
    for panel in sorted({row["panel"] for row in rows}):
        table = Table(title=f"Backtest, {panel} panel: last cutoff (choice: the earlier ones)", title_justify="left")
        for column in ("model", "family", "earlier WAPE", "WAPE", "RMSE", "MAE", "bias", "R2", "RMSSE", "champion"):
            table.add_column(column, justify="left" if column in ("model", "family", "champion") else "right")
        for row in (row for row in rows if row["panel"] == panel):
            scores = [_number(row[name]) for name in ("earlier_wape", *_SCORES)]
            table.add_row(row["model"], row["family"], *scores, row["champion"] or _remark(row), style=_style(row))
        Console(width=140).print(table)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _remark(row: dict[str, str | None]) -> str:
    return "" if row["status"] == "fitted" else f"{row['status']}: {row['detail']}"


def _style(row: dict[str, str | None]) -> str:
    return "bold" if row["champion"] else "dim" if row["model"] == _NO_CANDIDATE or row["status"] != "fitted" else ""
