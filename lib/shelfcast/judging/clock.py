"""The clock of as-of dates is how far sales are told: what came after it had passed a day was not known on that day."""

from collections.abc import Callable, Collection

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.cleaning import versions
from shelfcast.cleaning.account import tally_of_one
from shelfcast.job import Run
from shelfcast.judging.judged import Judged, deliveries_of, told_before
from shelfcast.sources.clock import SALES
from shelfcast.sources.ledger import FIRST, LEDGER


def judge_sales_first(
    run: Run, names: Collection[str], judge: Callable[[str, DataFrame | None], Judged]
) -> dict[str, Judged]:
    """Source table -> what `judge` makes of its name and of `sales_until`, which sales themselves do not have."""
    judged = {SALES: judge(SALES, None)} if SALES in names else {}
    others = [name for name in names if name != SALES]
    until = sales_until(run, judged.get(SALES)) if others else None
    return judged | {name: judge(name, until) for name in others}


def sales_until(run: Run, sales: Judged | None) -> DataFrame | None:
    """How far each delivery of sales tells, as `versions.told_until` has it; None where no other table has a delivery
    that came after one. sales: None where none is new."""
    if run.read(LEDGER).where("after_sales is not null").isEmpty():
        return None
    return run.stage("sales_until", versions.days_of(deliveries_of(run, SALES), _newest(run, sales)))


def _newest(run: Run, sales: Judged | None) -> DataFrame:
    """The newest day that each delivery of sales tells of, as DELIVERY and `_newest`."""
    if sales is None:
        return told_before(run, SALES)
    if versions.DELIVERY not in sales.now.columns:
        told = tally_of_one(sales.now)
        return told.select(F.lit(FIRST).cast("bigint").alias(versions.DELIVERY), F.col("told_until").alias("_newest"))
    newest = sales.arrived.groupBy(versions.DELIVERY).agg(F.max(versions.TOLD_UNTIL).alias("_newest"))
    return newest.unionByName(told_before(run, SALES, sales.before)) if sales.before else newest
