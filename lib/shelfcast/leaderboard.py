"""The leaderboard: every model's scores at the last cutoff, and the champions, chosen on the earlier ones alone."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from shelfcast.ensembles import FAMILY
from shelfcast.models import ZERO
from shelfcast.models.mlp import FAMILY as NETWORK_FAMILY
from shelfcast.panels import CHOSEN_ON

_MODEL = ("panel", "model")
# What a champion forecasts, and the score that chooses it.
PURPOSES = {"mean": "rmse", "median": "wape"}
_SCORES = ("wape", "rmse", "mae", "bias", "r2", "rmsse")
# Why a network is no candidate.
NOT_AHEAD = "no network knows all weeks of panel"


def rank(
    metrics: DataFrame,
    registry: DataFrame,
    ensembles: DataFrame,
    last_cutoff: date,
    incumbents: DataFrame | None = None,
    barred: DataFrame | None = None,
) -> DataFrame:
    """Rows of models/leaderboard without their region.

    incumbents: panel, purpose, model of the champions until now, who stay as long as they are candidates. barred: the
    same of models that are no challengers. Where there is no incumbent, the champion for the mean has the least RMSE
    over the earlier cutoffs, that for the median the least WAPE; the challenger is whom the same rule chooses without
    the champion. A model that forecast a part of the series only, or failed or lacked history at a cutoff, is on the
    board and is no candidate; nor is a network unless there is one that knows all weeks, in the registry at a later
    cutoff than the last, for the panel that this one's champion forecasts. An ensemble has learned from the first
    cutoff: it takes the place of the best single model where it is better than that one at the other earlier cutoffs.
    """
    at_cutoffs = registry.where(F.col("cutoff") <= F.lit(last_cutoff))
    whole = metrics.where((F.col("slice") == "all") & F.col("cutoff").isNotNull())
    is_last = F.col("cutoff") == F.lit(last_cutoff)
    scores = whole.where(is_last).select(*_MODEL, *_SCORES)
    board = _by_model(at_cutoffs).join(_earlier_scores(whole.where(~is_last)), [*_MODEL], how="left")
    board = _with_candidates(board, registry.where(F.col("cutoff") > F.lit(last_cutoff)))
    board = board.join(scores, [*_MODEL], how="left").join(_members(ensembles, last_cutoff), [*_MODEL], how="left")
    board = _join_titles(_join_titles(board, incumbents, "incumbent"), barred, "barred")
    return _with_titles(board).select(
        *_MODEL, "family", "minimises", "status", "detail", "earlier_wape", "earlier_rmse", *_SCORES, "seconds",
        "champion", "members", "challenger",
    )  # fmt: skip


def _with_candidates(board: DataFrame, ahead: DataFrame) -> DataFrame:
    """Adds `_can`: whether the model can forecast the weeks ahead; baselines are fitted for them when they are wanted.
    ahead: rows of the registries of the networks that know all weeks."""
    panels = F.create_map(*[F.lit(name) for pair in CHOSEN_ON.items() for name in pair])
    fitted = ahead.where("status = 'fitted'").select(panels[F.col("panel")].alias("panel"), "model")
    told = board.join(F.broadcast(fitted.distinct().withColumn("_ahead", F.lit(True))), [*_MODEL], how="left")
    can = (F.col("family") != NETWORK_FAMILY) | F.col("_ahead").isNotNull()
    forecasts = F.create_map(*[F.lit(name) for pair in CHOSEN_ON.items() for name in reversed(pair)])
    lacks = F.concat(F.lit(f"{NOT_AHEAD} "), forecasts[F.col("panel")])
    detail = F.nullif(F.concat_ws("; ", "detail", F.when(~can, lacks)), F.lit(""))
    return told.withColumns({"_can": can, "detail": detail}).drop("_ahead")


def mark(board: DataFrame, titles: DataFrame) -> DataFrame:
    """The board with the champions and challengers of `titles`: panel, purpose, model, challenger."""
    columns = board.columns
    for title, holder in {"champion": "model", "challenger": "challenger"}.items():
        board = _join_titles(board, titles.select("panel", "purpose", F.col(holder).alias("model")), title)
    marks = {
        title: _joined([F.when(_is_among(f"_{title}_{what}"), what) for what in PURPOSES])
        for title in ("champion", "challenger")
    }
    return board.withColumns(marks).select(*columns)


def _join_titles(board: DataFrame, titles: DataFrame | None, name: str) -> DataFrame:
    """Adds, by panel, for each purpose the models that hold the title."""
    if titles is None:
        return board.withColumns({f"_{name}_{what}": F.array().cast("array<string>") for what in PURPOSES})
    held = [F.collect_set(F.when(F.col("purpose") == what, F.col("model"))) for what in PURPOSES]
    by_panel = titles.groupBy("panel").agg(
        *[models.alias(f"_{name}_{what}") for what, models in zip(PURPOSES, held, strict=True)]
    )
    return board.join(F.broadcast(by_panel), "panel", how="left")


def _with_titles(board: DataFrame) -> DataFrame:
    """Adds champion and challenger: of what each model is it, null where of nothing."""
    titled = board.withColumns({f"_champion_{what}": _stays(what, score) for what, score in PURPOSES.items()})
    others = {what: (F.col("model") != F.col(f"_champion_{what}")) & ~_is_among(f"_barred_{what}") for what in PURPOSES}
    next_best = {f"_challenger_{what}": _best(score, others[what]) for what, score in PURPOSES.items()}
    return titled.withColumns(next_best).withColumns({title: _holds(title) for title in ("champion", "challenger")})


def _stays(what: str, score: str) -> Column:
    """The champion until now where it is a candidate, else the best that is not barred."""
    single, joint = _candidates()
    stays = F.max(F.when((single | joint) & _is_among(f"_incumbent_{what}"), F.col("model"))).over(_whole_panel())
    return F.coalesce(stays, _best(score, ~_is_among(f"_barred_{what}")))


def _is_among(models: str) -> Column:
    return F.coalesce(F.array_contains(models, F.col("model")), F.lit(False))


def _holds(title: str) -> Column:
    return _joined([F.when(F.col("model") == F.col(f"_{title}_{what}"), what) for what in PURPOSES])


def _joined(held: Sequence[Column]) -> Column:
    return F.nullif(F.concat_ws(" and ", *held), F.lit(""))


def _earlier_scores(earlier: DataFrame) -> DataFrame:
    """By model: earlier_wape and earlier_rmse, the same without the first cutoff (later_*), and the rows of each."""
    is_later = F.col("cutoff") > F.min("cutoff").over(_whole_panel())
    told = earlier.withColumn("_later", is_later)
    return told.groupBy(*_MODEL).agg(*_scores("earlier", F.lit(True)), *_scores("later", F.col("_later")))


def _scores(name: str, condition: Column) -> list[Column]:
    def total(term: Column) -> Column:
        return F.sum(F.when(condition, term))

    rows = F.col("rows")
    return [
        (total(F.col("mae") * rows) / total(F.col("units_abs"))).alias(f"{name}_wape"),
        F.sqrt(total(F.pow("rmse", F.lit(2)) * rows) / total(rows)).alias(f"{name}_rmse"),
        total(rows).alias(f"_{name}_rows"),
    ]


def _members(ensembles: DataFrame, cutoff: date) -> DataFrame:
    """What each ensemble weighs at the cutoff, in words, the heaviest member first."""
    weighed = F.struct((-F.col("weight")).alias("order"), "member", "weight")
    listed = F.array_sort(F.collect_list(weighed))
    words = F.transform(listed, lambda row: F.format_string("%.2f %s", row["weight"], row["member"]))
    at = ensembles.where(F.col("cutoff") == F.lit(cutoff))
    return at.groupBy(*_MODEL).agg(F.concat_ws(" + ", words).alias("members"))


def _by_model(registry: DataFrame) -> DataFrame:
    """One row per model: its worst status over the cutoffs, and the seconds that its fits took."""
    worst = F.max(F.struct((F.col("status") != "fitted").alias("_bad"), "status", "detail"))
    grouped = registry.groupBy(*_MODEL, "family", "minimises").agg(
        worst.alias("_worst"), F.sum("seconds").alias("seconds")
    )
    return grouped.select(*_MODEL, "family", "minimises", "_worst.status", "_worst.detail", "seconds")


def _whole_panel() -> WindowSpec:
    return Window.partitionBy("panel").rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)


def _candidates() -> tuple[Column, Column]:
    """Whether a row is a single model that may be champion, and whether an ensemble that may."""
    is_ensemble = F.col("family") == FAMILY
    fitted = (F.col("status") == "fitted") & (F.col("model") != ZERO) & F.col("_can")
    single = fitted & ~is_ensemble & (F.col("_earlier_rows") == F.max("_earlier_rows").over(_whole_panel()))
    joint = fitted & is_ensemble & (F.col("_later_rows") == F.max("_later_rows").over(_whole_panel()))
    return single, joint


def _best(score: str, among: Column) -> Column:
    """The panel's best candidate by the score, of those for which `among` holds."""
    single, joint = (which & among for which in _candidates())
    best = F.min(F.when(single, F.struct(f"earlier_{score}", "model", f"later_{score}"))).over(_whole_panel())
    rival = F.min(F.when(joint, F.struct(f"later_{score}", "model"))).over(_whole_panel())
    is_joint = best.isNull() | (rival[f"later_{score}"] < best[f"later_{score}"])
    return F.when(is_joint, rival["model"]).otherwise(best["model"])


def show(board: DataFrame) -> None:
    """Print the leaderboard, best first, on stdout."""
    rows = [row.asDict() for row in board.orderBy("panel", F.asc_nulls_last("wape"), "model").toLocalIterator()]
    for panel in sorted({row["panel"] for row in rows}):
        table = Table(title=f"Backtest, {panel} panel: last cutoff (choice: the earlier ones)", title_justify="left")
        for column in ("model", "family", "earlier WAPE", "WAPE", "RMSE", "MAE", "bias", "R2", "RMSSE", "champion"):
            is_text = column in ("model", "family", "champion")
            table.add_column(column, justify="left" if is_text else "right", no_wrap=column == "model")
        for row in (row for row in rows if row["panel"] == panel):
            scores = [_number(row[name]) for name in ("earlier_wape", *_SCORES)]
            table.add_row(row["model"], row["family"], *scores, _remark(row), style=_style(row))
        Console(width=140).print(table)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _remark(row: dict[str, str | None]) -> str:
    """Champion or challenger of what, made of what, why there is no forecast or only a part of them."""
    why = row["detail"] if row["status"] == "fitted" else f"{row['status']}: {row['detail']}"
    second = f"challenger: {row['challenger']}" if row["challenger"] else None
    return "; ".join(filter(None, (row["champion"], second, row["members"], why)))


def _style(row: dict[str, str | None]) -> str:
    return "bold" if row["champion"] else "dim" if row["model"] == ZERO or row["status"] != "fitted" else ""
