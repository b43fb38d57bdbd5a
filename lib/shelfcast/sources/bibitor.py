"""Bibitor: a chain of 79 liquor stores, published as CSV files of sales, purchases, prices, stock and invoices."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.cleaning.dates import parsed_date
from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.received import BIBITOR_COLUMNS, BIBITOR_OTHER_DATES, BIBITOR_SALES_DATES
from shelfcast.sources.csv_files import find_files, name_in, number_in, read_csv, refusals, text_columns
from shelfcast.sources.raw import raw_table, with_raw
from shelfcast.table import Table

# The dates of which a row may do without some.
_DATES = {
    "purchases": {"received_on": "ReceivingDate", "invoiced_on": "InvoiceDate", "paid_on": "PayDate"},
    "invoices": {"ordered_on": "PODate", "paid_on": "PayDate"},
}


class Bibitor:
    """The tables whose files the configuration names (`source.files`), in the folder `source.path`."""

    def __init__(self, config: Config) -> None:
        self._source = config.source
        self._category = config.demand.category
        self._known_from = F.lit(config.cleaning.first_day)
        unknown = sorted({*config.source.files} - {*BIBITOR_COLUMNS})
        if unknown:
            raise ConfigError(
                f"source.files: no table {', '.join(unknown)}; wanted some of {', '.join(BIBITOR_COLUMNS)}"
            )
        if config.source.path is None:
            raise ConfigError("source.path: not given; wanted the folder with the files of Bibitor")
        self._folder = config.source.path
        self.raw: dict[str, Table] = {
            name: raw_table(f"bibitor_{name}", text_columns(names), config.source.persons)
            for name, names in BIBITOR_COLUMNS.items()
            if name in config.source.files
        }

    def files(self, name: str) -> list[str]:
        return find_files(self._folder, self._source.files[name], f"{name.replace('_', ' ')} of Bibitor")

    def read(self, spark: SparkSession, name: str) -> Sequence[DataFrame]:
        return read_csv(spark, self.files(name), BIBITOR_COLUMNS[name].split())

    def refusals(self, name: str) -> dict[str, Column]:
        """A date that is not there yet may be waited for; one that is there and cannot be read is a slip."""
        texts = _DATES.get(name, {})
        unread = [F.col(day).isNull() & (F.trim(F.col(f"_raw.{text}")) != "") for day, text in texts.items()]
        return refusals(BIBITOR_COLUMNS[name].split()) | ({"unreadable_date": reduce(or_, unread)} if unread else {})

    def canonical(self, name: str, raw: DataFrame) -> DataFrame:
        columns = {
            "sales": self._sales,
            "products": self._products,
            "purchases": self._purchases,
            "invoices": self._invoices,
            "opening_stock": self._opening_stock,
            "closing_stock": self._closing_stock,
        }[name]()
        return with_raw(raw, columns)

    def _sales(self) -> dict[str, Column]:
        sold_on = parsed_date(F.col("SalesDate"), BIBITOR_SALES_DATES)
        return {
            **_product_of_store(),
            "sold_on": sold_on,
            "source_quantity": number_in("SalesQuantity"),
            "unit_price": number_in("SalesPrice"),
            "revenue": number_in("SalesDollars"),
            "excise_tax": number_in("ExciseTax"),
            # A till's sale is known on the evening of its day.
            "known_from": sold_on,
        }

    def _products(self) -> dict[str, Column]:
        return {
            "product_id": name_in("Brand"),
            "category_id": F.coalesce(name_in(self._category), F.lit("(none)")),
            "department": name_in("Classification"),
            "brand": name_in("Description"),
            "package_size": name_in("Size"),
            **_vendor("VendorNumber"),
            "price": number_in("Price"),
            "purchase_price": number_in("PurchasePrice"),
            "known_from": self._known_from,
        }

    def _purchases(self) -> dict[str, Column]:
        ordered_on = parsed_date(F.col("PODate"), BIBITOR_OTHER_DATES)
        return {
            **_vendor("VendorNumber"),
            **_product_of_store(),
            "po_number": name_in("PONumber"),
            "ordered_on": ordered_on,
            "received_on": parsed_date(F.col("ReceivingDate"), BIBITOR_OTHER_DATES),
            "invoiced_on": parsed_date(F.col("InvoiceDate"), BIBITOR_OTHER_DATES),
            "paid_on": parsed_date(F.col("PayDate"), BIBITOR_OTHER_DATES),
            "quantity": number_in("Quantity"),
            "purchase_price": number_in("PurchasePrice"),
            "dollars": number_in("Dollars"),
            "known_from": ordered_on,
        }

    def _invoices(self) -> dict[str, Column]:
        invoiced_on = parsed_date(F.col("InvoiceDate"), BIBITOR_OTHER_DATES)
        return {
            **_vendor("VendorNumber"),
            "po_number": name_in("PONumber"),
            "ordered_on": parsed_date(F.col("PODate"), BIBITOR_OTHER_DATES),
            "invoiced_on": invoiced_on,
            "paid_on": parsed_date(F.col("PayDate"), BIBITOR_OTHER_DATES),
            "quantity": number_in("Quantity"),
            "dollars": number_in("Dollars"),
            "freight": number_in("Freight"),
            # "None" is the publisher's word for nobody.
            "approved_by": F.nullif(name_in("Approval"), F.lit("None")),
            "known_from": invoiced_on,
        }

    def _opening_stock(self) -> dict[str, Column]:
        return _stock("startDate", "opening")

    def _closing_stock(self) -> dict[str, Column]:
        return _stock("endDate", "closing")


def _stock(day: str, moment: str) -> dict[str, Column]:
    counted_on = parsed_date(F.col(day), BIBITOR_OTHER_DATES)
    return {
        **_product_of_store(),
        "counted_on": counted_on,
        "moment": F.lit(moment),
        "on_hand": number_in("onHand"),
        "price": number_in("Price"),
        "known_from": counted_on,
    }


def _product_of_store() -> dict[str, Column]:
    return {"store_id": name_in("Store"), "product_id": name_in("Brand")}


def _vendor(column: str) -> Mapping[str, Column]:
    return {"vendor_id": name_in(column), "vendor_name": name_in("VendorName")}
