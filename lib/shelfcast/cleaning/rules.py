"""The rules that refuse a row, by name. A rule says what is wrong with the row that it refuses."""

from functools import reduce
from operator import and_

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
        "date_out_of_range": ~F.col("sold_on").between(F.lit(settings.first_day), _last_day(settings)),
        "impossible_quantity": F.abs(quantity) > settings.max_quantity,
        "impossible_price": (price < 0) | (price > settings.max_unit_price),
        # A return has both signs negative; one alone is neither a sale nor a return.
        "contradictory_signs": quantity * revenue < 0,
    }


def product_rules() -> dict[str, Column]:
    return {"missing_product": _missing("product_id")}


def price_rules() -> dict[str, Column]:
    """Rules of a catalogue that states prices."""
    return {"impossible_price": (F.col("price") < 0) | (F.col("purchase_price") < 0)}


def promotion_rules() -> dict[str, Column]:
    return {
        "missing_store": _missing("store_id"),
        "missing_product": _missing("product_id"),
        "missing_or_unreadable_date": F.col("valid_from").isNull(),
        "ends_before_it_starts": F.col("valid_to") < F.col("valid_from"),
    }


def purchase_rules(settings: config.Cleaning) -> dict[str, Column]:
    """Rules of a line of a purchase order. A sum at the end of the file names no order, store or product."""
    quantity, ordered_on = F.col("quantity"), F.col("ordered_on")
    keys = ("po_number", "store_id", "product_id")
    return {
        "sum_of_rows": reduce(and_, [_missing(key) for key in keys]) & F.col("dollars").isNotNull(),
        **{f"missing_{key.removesuffix('_id')}": _missing(key) for key in keys},
        "missing_or_unreadable_date": ordered_on.isNull(),
        "date_out_of_range": ~F.year(ordered_on).between(*_years_around(settings)),
        "received_before_ordered": F.col("received_on") < ordered_on,
        "missing_or_unreadable_quantity": quantity.isNull() | F.isnan(quantity),
        "impossible_quantity": (quantity <= 0) | (quantity > settings.max_quantity),
        "impossible_price": F.col("purchase_price") < 0,
    }


def invoice_rules() -> dict[str, Column]:
    """Rules of a vendor's invoice, one for each purchase order."""
    return {
        "missing_vendor": _missing("vendor_id"),
        "missing_po_number": _missing("po_number"),
        "missing_or_unreadable_date": F.col("invoiced_on").isNull(),
        "missing_or_unreadable_dollars": F.col("dollars").isNull() | F.isnan("dollars"),
        "invoiced_before_ordered": F.col("invoiced_on") < F.col("ordered_on"),
    }


def stock_rules(settings: config.Cleaning) -> dict[str, Column]:
    """Rules of a count of what is on hand."""
    on_hand = F.col("on_hand")
    return {
        "missing_store": _missing("store_id"),
        "missing_product": _missing("product_id"),
        "missing_or_unreadable_date": F.col("counted_on").isNull(),
        "missing_or_unreadable_quantity": on_hand.isNull() | F.isnan(on_hand),
        "impossible_quantity": (on_hand < 0) | (on_hand > settings.max_quantity),
    }


def condition_rules() -> dict[str, Column]:
    """Rules of what goes on by day and place."""
    return {
        "missing_or_unreadable_date": F.col("day").isNull(),
        "ends_before_it_starts": F.col("until") < F.col("day"),
    }


def _last_day(settings: config.Cleaning) -> Column:
    """The last day of sales. A day of the run's is UTC's, of which there are stores that are ahead."""
    return F.lit(settings.last_day) if settings.last_day else F.date_add(F.current_date(), 1)


def _years_around(settings: config.Cleaning) -> tuple[Column, Column]:
    """Orders precede the first sale, and goods may arrive after the last."""
    return F.lit(settings.first_day.year - 1), F.year(_last_day(settings)) + 1


def _missing(column: str) -> Column:
    return F.col(column).isNull() | (F.trim(F.col(column)) == "")
