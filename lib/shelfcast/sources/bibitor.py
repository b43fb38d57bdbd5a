"""Bibitor: a chain of 79 liquor stores, published as CSV files of sales, purchases, prices, stock and invoices."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.cleaning.dates import parsed_date
from shelfcast.config import Config
from shelfcast.errors import ConfigError
from shelfcast.sources.csv_files import MALFORMED, find_files, read_csv, refusals
from shelfcast.sources.raw import raw_table, with_raw
from shelfcast.table import Table

# Month-day-year in the sales whichever the mark ("01-02-2016" is 2 January), day-month-year elsewhere; the full
# publication writes the year first, which no other form does.
_ISO = "yyyy-MM-dd"
_SALES_DATES = ("M/d/yyyy", "M-d-yyyy", _ISO)
_OTHER_DATES = ("d-M-yyyy", "d/M/yyyy", _ISO)
_THOUSANDS = r"^-?\d{1,3}(,\d{3})+(\.\d*)?$"
# The dates of which a row may do without some.
_DATES = {
    "purchases": {"received_on": "ReceivingDate", "invoiced_on": "InvoiceDate", "paid_on": "PayDate"},
    "invoices": {"ordered_on": "PODate", "paid_on": "PayDate"},
}
_COLUMNS = {
    "sales": "InventoryId Store Brand Description Size SalesQuantity SalesDollars SalesPrice SalesDate Volume "
    "Classification ExciseTax VendorNo VendorName",
    "products": "Brand Description Price Size Volume Classification PurchasePrice VendorNumber VendorName",
    "purchases": "InventoryId Store Brand Description Size VendorNumber VendorName PONumber PODate ReceivingDate "
    "InvoiceDate PayDate PurchasePrice Quantity Dollars Classification",
    "invoices": "VendorNumber VendorName InvoiceDate PONumber PODate PayDate Quantity Dollars Freight Approval",
    "opening_stock": "InventoryId Store City Brand Description Size onHand Price startDate",
    "closing_stock": "InventoryId Store City Brand Description Size onHand Price endDate",
}


class Bibitor:
    """The tables whose files the configuration names (`source.files`), in the folder `source.path`."""

    def __init__(self, config: Config) -> None:
        self._source = config.source
        self._category = config.demand.category
        self._known_from = F.lit(config.cleaning.first_day)
        unknown = sorted({*config.source.files} - {*_COLUMNS})
        if unknown:
            raise ConfigError(f"source.files: no table {', '.join(unknown)}; wanted some of {', '.join(_COLUMNS)}")
        if config.source.path is None:
            raise ConfigError("source.path: not given; wanted the folder with the files of Bibitor")
        self._folder = config.source.path
        self.raw: dict[str, Table] = {
            name: raw_table(f"bibitor_{name}", _text_columns(names), config.source.persons)
            for name, names in _COLUMNS.items()
            if name in config.source.files
        }

    def files(self, name: str) -> list[str]:
        return find_files(self._folder, self._source.files[name], f"{name.replace('_', ' ')} of Bibitor")

    def read(self, spark: SparkSession, name: str) -> Sequence[DataFrame]:
        return read_csv(spark, self.files(name), _COLUMNS[name].split())

    def refusals(self, name: str) -> dict[str, Column]:
        """A date that is not there yet may be waited for; one that is there and cannot be read is a slip."""
        texts = _DATES.get(name, {})
        unread = [F.col(day).isNull() & (F.trim(F.col(f"_raw.{text}")) != "") for day, text in texts.items()]
        return refusals(_COLUMNS[name].split()) | ({"unreadable_date": reduce(or_, unread)} if unread else {})

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
        sold_on = parsed_date(F.col("SalesDate"), _SALES_DATES)
        return {
            **_product_of_store(),
            "sold_on": sold_on,
            "source_quantity": _number("SalesQuantity"),
            "unit_price": _number("SalesPrice"),
            "revenue": _number("SalesDollars"),
            "excise_tax": _number("ExciseTax"),
            # A till's sale is known on the evening of its day.
            "known_from": sold_on,
        }

    def _products(self) -> dict[str, Column]:
        return {
            "product_id": _name("Brand"),
            "category_id": F.coalesce(_name(self._category), F.lit("(none)")),
            "department": _name("Classification"),
            "brand": _name("Description"),
            "package_size": _name("Size"),
            **_vendor("VendorNumber"),
            "price": _number("Price"),
            "purchase_price": _number("PurchasePrice"),
            "known_from": self._known_from,
        }

    def _purchases(self) -> dict[str, Column]:
        ordered_on = parsed_date(F.col("PODate"), _OTHER_DATES)
        return {
            **_vendor("VendorNumber"),
            **_product_of_store(),
            "po_number": _name("PONumber"),
            "ordered_on": ordered_on,
            "received_on": parsed_date(F.col("ReceivingDate"), _OTHER_DATES),
            "invoiced_on": parsed_date(F.col("InvoiceDate"), _OTHER_DATES),
            "paid_on": parsed_date(F.col("PayDate"), _OTHER_DATES),
            "quantity": _number("Quantity"),
            "purchase_price": _number("PurchasePrice"),
            "dollars": _number("Dollars"),
            "known_from": ordered_on,
        }

    def _invoices(self) -> dict[str, Column]:
        invoiced_on = parsed_date(F.col("InvoiceDate"), _OTHER_DATES)
        return {
            **_vendor("VendorNumber"),
            "po_number": _name("PONumber"),
            "ordered_on": parsed_date(F.col("PODate"), _OTHER_DATES),
            "invoiced_on": invoiced_on,
            "paid_on": parsed_date(F.col("PayDate"), _OTHER_DATES),
            "quantity": _number("Quantity"),
            "dollars": _number("Dollars"),
            "freight": _number("Freight"),
            # "None" is the publisher's word for nobody.
            "approved_by": F.nullif(_name("Approval"), F.lit("None")),
            "known_from": invoiced_on,
        }

    def _opening_stock(self) -> dict[str, Column]:
        return _stock("startDate", "opening")

    def _closing_stock(self) -> dict[str, Column]:
        return _stock("endDate", "closing")


def _stock(day: str, moment: str) -> dict[str, Column]:
    counted_on = parsed_date(F.col(day), _OTHER_DATES)
    return {
        **_product_of_store(),
        "counted_on": counted_on,
        "moment": F.lit(moment),
        "on_hand": _number("onHand"),
        "price": _number("Price"),
        "known_from": counted_on,
    }


def _product_of_store() -> dict[str, Column]:
    return {"store_id": _name("Store"), "product_id": _name("Brand")}


def _vendor(column: str) -> Mapping[str, Column]:
    return {"vendor_id": _name(column), "vendor_name": _name("VendorName")}


def _name(column: str) -> Column:
    """A name or identifier without the blanks that pad it; null where nothing is left."""
    return F.nullif(F.trim(F.col(column)), F.lit(""))


def _number(column: str) -> Column:
    """A number as written; null where it is none. Fractions stand behind a point here, so that in "1,049.00" a comma
    parts thousands; in "1,5" it parts nothing that can be told."""
    text = F.trim(F.col(column))
    # Few rows have a comma: it is looked for before its place is.
    has_thousands = F.contains(text, F.lit(",")) & text.rlike(_THOUSANDS)
    return F.when(has_thousands, F.replace(text, F.lit(","), F.lit(""))).otherwise(text).try_cast("double")


def _text_columns(names: str) -> str:
    return ", ".join(f"{name} string" for name in (*names.split(), MALFORMED))
