"""Corporación Favorita: daily units of 54 stores by product family, 2013 to 2017, published for a competition
(train.csv)."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from shelfcast.cleaning.dates import parsed_date
from shelfcast.sources.csv_files import name_in, number_in
from shelfcast.sources.totals import Totals


class Favorita(Totals):
    """Units, of what is weighed kilograms. Money is in none of its files: a unit counts for one of it."""

    kind, publisher = "favorita", "Favorita"
    columns = "id date store_nbr family sales onpromotion"

    def sale(self) -> dict[str, Column]:
        units = number_in("sales")
        sold_on = parsed_date(F.col("date"), ("yyyy-MM-dd",))
        return {
            "store_id": name_in("store_nbr"),
            "product_id": name_in("family"),
            "sold_on": sold_on,
            "source_quantity": units,
            "revenue": units,
            "unit_price": F.lit(None).cast("double"),
            "known_from": sold_on,
        }
