"""The rules that refuse a row, by name. A rule says what is wrong with the row that it refuses."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from shelfcast import config


def sales_rules(settings: config.Cleaning) -> dict[str, Column]:
    """Rules of a canonical sale. Zero quantities pass: a scan without a sale shows that the store lists the product."""
    quantity, revenue, price = F.col("source_quantity"), F.col("revenue"), F.col("unit_price")
    return {
        "missing_store": _missing("store_id"),
        "missing_product": _missing("product_id"),
        "missing_or_unreadable_date": F.col("sold_on").isNull(),
        "missing_or_unreadable_quantity": quantity.isNull() | F.isnan(quantity),
        "missing_or_unreadable_revenue": revenue.isNull() | F.isnan(revenue),
        "date_out_of_range": ~F.col("sold_on").between(F.lit(settings.first_day), F.lit(settings.last_day)),
        "impossible_quantity": F.abs(quantity) > settings.max_quantity,
        "impossible_price": (price < 0) | (price > settings.max_unit_price),
        # A return has both signs negative; one alone is neither a sale nor a return.
        "contradictory_signs": quantity * revenue < 0,
        "known_before_sold": F.col("known_from") < F.col("sold_on"),
    }


def product_rules() -> dict[str, Column]:
    return {"missing_product": _missing("product_id")}


def promotion_rules() -> dict[str, Column]:
    return {
        "missing_store": _missing("store_id"),
        "missing_product": _missing("product_id"),
        "missing_or_unreadable_date": F.col("valid_from").isNull(),
        "ends_before_it_starts": F.col("valid_to") < F.col("valid_from"),
    }


def _missing(column: str) -> Column:
    return F.col(column).isNull() | (F.trim(F.col(column)) == "")
