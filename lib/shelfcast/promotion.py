"""Who is champion on a day, and the rule by which a challenger takes the champion's place.

The history of champions is only ever added to. What holds on a day follows from its rows up to that day alone, so that
an old day made again has the champion that it had.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from shelfcast.challengers import LOSS, TITLE, losses, oppose
from shelfcast.metrics import LEAST_CLUSTERS
from shelfcast.settings.retraining import Retraining
from shelfcast.table import column_names

_VERDICT = "panel string, purpose string, promoted boolean, reason string"


def standing(history: DataFrame, day: date) -> DataFrame:
    """The row of models/champions that holds on `day` for each panel and purpose. What is rolled back on a day stands
    over what was decided on it."""
    return _newest(history.where(F.col("as_of") <= F.lit(day)))


def incumbents(history: DataFrame, day: date) -> DataFrame:
    """As `standing`, before `day` is evaluated: an evaluation that is done again finds what it found."""
    until = F.lit(day)
    return _newest(history.where((F.col("as_of") < until) | (_is_rollback() & (F.col("as_of") == until))))


def barred(history: DataFrame, day: date, days: int) -> DataFrame:
    """panel, purpose, model: the champions that were rolled back in the last `days` days."""
    since = F.lit(day - timedelta(days=days))
    recent = history.where(_is_rollback() & (F.col("as_of") > since) & (F.col("as_of") <= F.lit(day)))
    return recent.select(*TITLE, F.col("challenger").alias("model"))


def training_days(history: DataFrame) -> list[date]:
    """The days as of which models were backtested and evaluated, in order."""
    return sorted(row["as_of"] for row in history.where(~_is_rollback()).select("as_of").distinct().toLocalIterator())


def judge(pairs: DataFrame, errors: DataFrame, rules: Retraining, seed: int) -> DataFrame:
    """panel, purpose, promoted, reason: whether each challenger takes its champion's place, and why.

    pairs: rows of challengers.pair. errors: of challengers.sum_errors, at every cutoff of the backtest. A region has
    champions of its own, so that no region is worse off for another's sake.
    """
    verdict = Verdict(rules.origins, rules.tolerance, seed)
    both = oppose(pairs, errors)
    return both.groupBy(*TITLE).applyInPandas(lambda rows: verdict.of(rows), _VERDICT)


@dataclass(frozen=True)
class Verdict:
    """The rule of promotion: the 95 % interval of the difference over stores, drawn with the same stores for both, lies
    below 0 on at least `origins` common windows, and no demand class is forecast worse than by the share `tolerance`.
    """

    origins: int
    tolerance: float
    seed: int

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """One row of panel, purpose, promoted, reason, from the rows of challengers.oppose of one panel and purpose."""
        difference, is_better = self._difference(rows)
        by_chance = "" if is_better else "no better beyond chance"
        obstacle = self._too_few(rows) or by_chance or self._worse_class(rows)
        reason = f"{difference}; {obstacle}" if obstacle else difference
        return pd.DataFrame([(*rows[TITLE].iloc[0], not obstacle, reason)], columns=column_names(_VERDICT))

    def _too_few(self, rows: pd.DataFrame) -> str:
        for count, least, what in (
            (rows["cutoff"].nunique(), self.origins, "origins"),
            (rows["store_id"].nunique(), LEAST_CLUSTERS, "stores"),
        ):
            if count < least:
                return f"{count} {what}, wanted {least}"
        return ""

    def _difference(self, rows: pd.DataFrame) -> tuple[str, bool]:
        """In words, and whether it is one beyond chance."""
        champion, challenger, whole = losses(rows, "store_id")
        found = LOSS[rows["purpose"].iloc[0]][2](challenger, champion, whole, self.seed)
        words = f"challenger {found.difference:+.4g} [{found.lower:+.4g}, {found.upper:+.4g}]"
        return words, found.upper < 0

    def _worse_class(self, rows: pd.DataFrame) -> str:
        """The class that loses most, where that is more than is tolerated."""
        champion, challenger, _ = losses(rows, "demand_class")
        if rows["purpose"].iloc[0] == "mean":
            champion, challenger = np.sqrt(champion), np.sqrt(challenger)
        # Where the champion makes no error, any is infinitely worse.
        with np.errstate(divide="ignore"):
            ratio = np.divide(challenger, champion, out=np.ones(len(champion)), where=(champion > 0) | (challenger > 0))
        worst = int(np.argmax(ratio))
        if ratio[worst] <= 1 + self.tolerance:
            return ""
        return f"{ratio[worst] - 1:.1%} worse on {sorted(set(rows['demand_class']))[worst]} demand"


def applied(pairs: DataFrame, verdicts: DataFrame) -> DataFrame:
    """panel, purpose, model, challenger: where the challenger is promoted, it and the champion have changed places.

    pairs: rows of challengers.pair. verdicts: rows of `judge`.
    """
    told = pairs.select(*TITLE, "model", "challenger").join(F.broadcast(verdicts), TITLE, how="left")
    swapped = F.coalesce("promoted", F.lit(False))
    return told.select(
        *TITLE,
        F.when(swapped, F.col("challenger")).otherwise(F.col("model")).alias("model"),
        F.when(swapped, F.col("model")).otherwise(F.col("challenger")).alias("challenger"),
    )


def with_decision(pairs: DataFrame, verdicts: DataFrame, before: DataFrame) -> DataFrame:
    """Adds decision and reason. pairs: rows of challengers.pair, after what was promoted. before: the incumbents."""
    was = before.select(*TITLE, F.col("model").alias("_before"))
    told = pairs.join(F.broadcast(was), TITLE, how="left").join(F.broadcast(verdicts), TITLE, how="left")
    is_kept = F.col("_before") == F.col("model")
    decision = (
        F.when(F.col("_before").isNull(), "first")
        .when(is_kept, "kept")
        .when(F.col("promoted"), "promoted")
        .otherwise("replaced")
    )
    gone = F.format_string("%s is no candidate any more", "_before")
    reason = F.when(decision == "replaced", gone).when(decision != "first", F.col("reason"))
    return told.withColumns({"decision": decision, "reason": reason}).drop("_before", "promoted")


def undone(history: DataFrame, day: date) -> DataFrame:
    """Rows of models/champions, of `day`, that restore the champions before the last promotions; none where nobody has
    been promoted since champions were rolled back last.

    Of the columns those that tell of a run are left to the caller.
    """
    # A day that was evaluated again has one word, the last.
    known = _newest(history.where(F.col("as_of") <= F.lit(day)), *TITLE, "as_of", _is_rollback())
    in_order = Window.partitionBy(*TITLE).orderBy("as_of", _is_rollback())
    before = F.lag(F.struct("model", "version")).over(in_order)
    changes = known.withColumn("_before", before).where(F.col("decision").isin("promoted", "replaced", "rolled_back"))
    latest = Window.partitionBy("region").rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    newest = _newest(changes).where("decision = 'promoted'")
    last = newest.withColumn("_last", F.max("as_of").over(latest)).where(F.col("as_of") == F.col("_last"))
    return last.select(
        *TITLE,
        F.col("_before.model").alias("model"),
        F.col("_before.version").alias("version"),
        F.lit(day).alias("as_of"),
        F.lit(day).alias("since"),
        F.col("model").alias("challenger"),
        F.col("version").alias("challenger_version"),
        F.lit("rolled_back").alias("decision"),
        F.format_string("promoted on %s, rolled back by hand", F.col("as_of").cast("string")).alias("reason"),
    )


def _newest(rows: DataFrame, *by: Column | str) -> DataFrame:
    """The newest row of each panel and purpose, or of each `by`."""
    newest = Window.partitionBy(*(by or TITLE)).orderBy(F.desc("as_of"), F.desc(_is_rollback()), F.desc("decided_at"))
    ranked = rows.withColumn("_rank", F.row_number().over(newest.rowsBetween(Window.unboundedPreceding, 0)))
    return ranked.where("_rank = 1").drop("_rank")


def _is_rollback() -> Column:
    return F.coalesce(F.col("decision") == "rolled_back", F.lit(False))
