"""Whether a forecast reaches as far as stock must."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.errors import NotEnoughHistoryError
from shelfcast.inventory.planner import longest_gap
from shelfcast.settings.inventory import Inventory

_LEVEL = 0.99
_NAMED = 5


def require_horizon(series: DataFrame, settings: Inventory, days_ahead: int) -> None:
    """Raise NotEnoughHistoryError, naming the vendors, where lead time (its 99th percentile) + review period reach
    beyond the `days_ahead` that are forecast: what is ordered today must last so long.

    series: vendor_id, lead_days, lead_chances.
    """
    kinds = F.arrays_zip("lead_days", "lead_chances")
    enough = F.filter(kinds, lambda kind: kind["lead_chances"] >= _LEVEL - 1e-9)
    leads = series.select("vendor_id", enough[0]["lead_days"].alias("lead")).distinct()
    review = F.lit(settings.review_days)
    for vendor, weekdays in settings.order_days.items():
        review = F.when(F.col("vendor_id") == vendor, longest_gap(weekdays) or settings.review_days).otherwise(review)
    late = leads.withColumn("days", F.col("lead") + review).where(F.col("days") > days_ahead)
    longest = late.groupBy(F.coalesce("vendor_id", F.lit("(none)")).alias("vendor_id")).agg(F.max("days").alias("days"))
    names = F.slice(F.sort_array(F.collect_list("vendor_id")), 1, _NAMED)
    found = longest.agg(names, F.count(F.lit(1)), F.max("days")).first()
    if found and found[1]:
        raise NotEnoughHistoryError(
            f"forecasts/demand reaches {days_ahead} days ahead; wanted {found[2]} or more: the 99th percentile of lead "
            f"time and the review period of {found[1]} vendors ({', '.join(found[0])}); raise backtest.horizon"
        )
