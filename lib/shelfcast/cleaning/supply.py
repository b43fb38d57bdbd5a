"""What a source tells of its supply: the tables, who the vendors are, and what the products cost."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.config import Cleaning
from shelfcast.table import Table

VENDORS = Table("clean/vendors", "region string, vendor_id string, name string", key=("region", "vendor_id"))
PRICES = Table(
    "clean/prices",
    # price: at the shelf; purchase_price: what the vendor is paid for one.
    "region string, product_id string, vendor_id string, price double, purchase_price double, known_from date, "
    "known_until date",
    key=("region", "product_id", "known_from"),
    checks={"prices_are_not_negative": "coalesce(price, 0) >= 0 and coalesce(purchase_price, 0) >= 0"},
)
PURCHASES = Table(
    "clean/purchases",
    # A line of a purchase order: one product for one store.
    "region string, vendor_id string, po_number string, store_id string, product_id string, ordered_on date, "
    "received_on date, invoiced_on date, paid_on date, quantity double, purchase_price double, dollars double, "
    "known_from date, known_until date",
    key=("region", "po_number", "store_id", "product_id", "known_from"),
    checks={
        "something_was_ordered": "quantity > 0",
        "received_after_ordered": "received_on is null or received_on >= ordered_on",
    },
)
INVOICES = Table(
    "clean/invoices",
    "region string, vendor_id string, po_number string, ordered_on date, invoiced_on date, paid_on date, "
    "quantity double, dollars double, freight double, approved_by string, known_from date, "
    "known_until date",
    key=("region", "vendor_id", "po_number", "known_from"),
)
STOCK = Table(
    "clean/stock",
    # What was on hand when it was counted: at the opening of `counted_on`, or at its closing.
    "region string, store_id string, product_id string, counted_on date, moment string, on_hand double, price double, "
    "known_from date, known_until date",
    key=("region", "store_id", "product_id", "counted_on", "moment", "known_from"),
    checks={"moment_is_known": "moment in ('opening', 'closing')"},
)


def version_key(table: Table, settings: Cleaning) -> tuple[str, ...]:
    """What the versions of a row of `table` have in common; nothing where each row stands for itself. A price is its
    product's, and a count of stock is of its day and moment, whatever the key of its file."""
    if table == PRICES:
        return settings.key_of("products")
    if table != STOCK:
        return settings.key_of(table.name.removeprefix("clean/"))
    has_key = settings.key_of("opening_stock") or settings.key_of("closing_stock")
    return ("store_id", "product_id", "counted_on", "moment") if has_key else ()


def as_vendors(tables: Sequence[DataFrame]) -> DataFrame:
    """A row a vendor: vendor_id, vendor_name -> name. Of several spellings of a name the first by alphabet."""
    named = [table.where("vendor_id is not null").select("vendor_id", "vendor_name").distinct() for table in tables]
    return reduce(DataFrame.unionByName, named).groupBy("vendor_id").agg(F.min("vendor_name").alias("name"))


def as_prices(products: DataFrame) -> DataFrame:
    """The prices that the catalogue states, and has stated."""
    return products.where("price is not null or purchase_price is not null")
