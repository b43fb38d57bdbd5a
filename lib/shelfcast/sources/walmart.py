"""Walmart: weekly sales of 45 stores by department, 2010 to 2012, published for a competition (train.csv)."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from shelfcast.cleaning.dates import parsed_date
from shelfcast.sources.csv_files import name_in, number_in
from shelfcast.sources.totals import Totals

# A row's date is the Friday on which its week ends; ours end on the Sunday after it, and share five days with it. Dated
# by that Sunday a week is whole when it is known.
_FRIDAY_TO_SUNDAY = 2


class Walmart(Totals):
    """Dollars are what is counted: no file tells of units. A negative total is a week of net returns."""

    kind, publisher = "walmart", "Walmart"
    columns = "Store Dept Date Weekly_Sales IsHoliday"

    def sale(self) -> dict[str, Column]:
        dollars = number_in("Weekly_Sales")
        sold_on = F.date_add(parsed_date(F.col("Date"), ("yyyy-MM-dd",)), _FRIDAY_TO_SUNDAY)
        return {
            "store_id": name_in("Store"),
            "product_id": name_in("Dept"),
            "sold_on": sold_on,
            "source_quantity": dollars,
            "unit_price": F.lit(1.0),
            "revenue": dollars,
            "known_from": sold_on,
        }
