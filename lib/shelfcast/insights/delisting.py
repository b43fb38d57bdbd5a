"""Products to delist: those that earn less than their shelf costs, or hardly sell where neither is known."""

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

MARGIN, RATE = "margin", "rate"
_YEAR_WEEKS = 365.25 / 7


@dataclass(frozen=True)
class Rule:
    """Looks back `weeks` weeks; rate: units a week in each store that lists it; holding_rate: share of a unit's cost a
    year."""

    weeks: int
    rate: float
    holding_rate: float

    def first_week(self, last_week: date) -> date:
        return last_week - timedelta(weeks=self.weeks - 1)


def listed_products(series: DataFrame, weekly: DataFrame, rule: Rule, last_week: date) -> DataFrame:
    """product_id, category_id, stores, units, revenue over the weeks of the rule, of products that were there all the
    time: first sold before these weeks. Units are those that were paid for. series, weekly: product rows of
    demand/series and demand/weekly."""
    first = rule.first_week(last_week)
    of_product = series.groupBy(F.col("item_id").alias("product_id")).agg(
        F.min("category_id").alias("category_id"),
        F.count_if(F.col("state") == "listed").alias("stores"),
        F.min("first_week").alias("first_week"),
    )
    old = of_product.where((F.col("first_week") < F.lit(first)) & (F.col("stores") > 0)).drop("first_week")
    recent = weekly.where(F.col("week").between(F.lit(first), F.lit(last_week)))
    sold = recent.groupBy(F.col("item_id").alias("product_id")).agg(
        F.sum("observed_quantity").alias("units"), F.sum("revenue").alias("revenue")
    )
    return old.join(sold, "product_id", how="left").na.fill(0.0, ["units", "revenue"])


def to_delist(listed: DataFrame, costs: DataFrame | None, on_hand: DataFrame | None, rule: Rule) -> DataFrame:
    """The rows of insights/delistings without region and date. A product with known cost goes where its margin is below
    the cost of holding its stock, and there is stock; another where it sells at the rate or below.

    costs: inventory/costs, on_hand: inventory/on_hand of one date; None where the source knows of neither.
    """
    unknown = F.lit(None).cast("double")
    known = listed.withColumns({"unit_cost": unknown, "on_hand": unknown})
    if costs is not None and on_hand is not None:
        unit_cost = (F.col("purchase_price") + F.coalesce("freight", F.lit(0.0))).alias("unit_cost")
        stock = on_hand.groupBy("product_id").agg(F.sum("on_hand").alias("on_hand"))
        priced = costs.where("purchase_price is not null").select("product_id", unit_cost)
        known = listed.join(priced, "product_id", how="left").join(stock, "product_id", how="left")
        known = known.na.fill(0.0, ["on_hand"])
    years = rule.weeks / _YEAR_WEEKS
    measured = known.withColumns(
        {
            "margin": F.col("revenue") - F.col("units") * F.col("unit_cost"),
            "holding": F.col("on_hand") * F.col("unit_cost") * rule.holding_rate * years,
        }
    )
    by_rate = F.col("units") <= rule.rate * rule.weeks * F.col("stores")
    told = F.when(F.col("margin").isNotNull(), F.lit(MARGIN)).otherwise(F.lit(RATE))
    goes = F.when(F.col("margin").isNotNull(), (F.col("on_hand") > 0) & (F.col("margin") < F.col("holding")))
    chosen = measured.withColumn("rule", told).where(F.coalesce(goes, by_rate))
    return chosen.drop("unit_cost")
