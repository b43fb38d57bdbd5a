"""raw/* -> clean/products, clean/promotions, clean/quantity_bounds, clean/sales, clean/stores, clean/quarantine,
clean/row_counts"""

from functools import partial, reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.cleaning import fate, quantities, rules
from shelfcast.cleaning.sizes import with_package_size
from shelfcast.config import Config
from shelfcast.errors import SchemaError
from shelfcast.job import Job, Run
from shelfcast.session import side_by_side
from shelfcast.sources import open_source
from shelfcast.table import Table

_WRITES = (
    schemas.PRODUCTS,
    schemas.PROMOTIONS,
    schemas.QUANTITY_BOUNDS,
    schemas.SALES,
    schemas.STORES,
    schemas.QUARANTINE,
    schemas.ROW_COUNTS,
)
_CLEAN = {"sales": schemas.SALES, "products": schemas.PRODUCTS, "promotions": schemas.PROMOTIONS}
_SALE_KEY = ("basket_id", "product_id", "known_from")
_SALE_CONTENT = ("store_id", "sold_on", "source_quantity", "revenue", "discount")


def job(config: Config) -> Job:
    return Job("clean", tuple(open_source(config).raw.values()), _WRITES, ("cleaning", "demand"), clean, dated=False)


def clean(run: Run) -> None:
    judged = judge(run)
    _write_products(run, judged["products"])
    judged["sales"], _ = side_by_side(
        run.spark, partial(_write_sales, run, judged["sales"]), partial(_write_promotions, run, judged["promotions"])
    )
    _write_account(run, judged)


def judge(run: Run) -> dict[str, DataFrame]:
    """The canonical frames with each row's fate."""
    sales = fate.with_fate(_canonical(run, "sales"), rules.sales_rules(run.config.cleaning))
    products = fate.with_fate(_canonical(run, "products"), rules.product_rules())
    promotions = fate.with_fate(_canonical(run, "promotions"), rules.promotion_rules())
    return {
        "sales": fate.mark_repeated(sales, _SALE_KEY, _SALE_CONTENT),
        "products": fate.mark_repeated(products, ("product_id",), ("category_id", "package_size")),
        "promotions": promotions,
    }


def as_stores(sales: DataFrame) -> DataFrame:
    """One row per store, with its first and last day of sales."""
    return sales.groupBy("region", "store_id").agg(
        F.min("sold_on").alias("first_sold_on"), F.max("sold_on").alias("last_sold_on")
    )


def _canonical(run: Run, name: str) -> DataFrame:
    source = open_source(run.config)
    return source.canonical(name, run.read(source.raw[name]))


def _kept(judged: DataFrame) -> DataFrame:
    return judged.where(F.col("_fate") == fate.CLEAN)


def _write_products(run: Run, judged: DataFrame) -> None:
    sized = with_package_size(_kept(judged), "package_size", run.config.cleaning.ounce)
    run.write(schemas.PRODUCTS, _in_shape(run, sized, schemas.PRODUCTS))


def _write_promotions(run: Run, judged: DataFrame) -> DataFrame:
    run.write(schemas.PROMOTIONS, _in_shape(run, _kept(judged), schemas.PROMOTIONS))
    return judged


def _write_sales(run: Run, judged: DataFrame) -> DataFrame:
    """The sales, bounded, and their stores. Returns the judged rows as they were staged."""
    settings = run.config.cleaning
    judged = run.stage("sales", judged)
    sales = _kept(judged)
    bounds = quantities.learn_quantity_bounds(sales, run.read(schemas.PRODUCTS), settings)
    run.write(schemas.QUANTITY_BOUNDS, _in_shape(run, bounds, schemas.QUANTITY_BOUNDS))
    bounded = quantities.with_bounded_quantity(sales, run.read(schemas.QUANTITY_BOUNDS), settings)
    run.write(schemas.SALES, _in_shape(run, bounded, schemas.SALES))
    run.write(schemas.STORES, as_stores(run.read(schemas.SALES)))
    return judged


def _write_account(run: Run, judged: dict[str, DataFrame]) -> None:
    """What became of all rows, and the refused ones whole."""
    region = run.config.region
    flagged = {"sales": run.read(schemas.SALES).where("is_outlier").count()}
    tallies = {name: _tally(run, name, frame) for name, frame in judged.items()}
    found: list[dict[str, int | str]] = [
        {"region": region, "source_table": name, "flagged": flagged.get(name, 0), **tally}
        for name, tally in sorted(tallies.items())
    ]
    run.write(schemas.ROW_COUNTS, run.spark.createDataFrame(found, schemas.ROW_COUNTS.schema))
    for row in found:
        run.say(account(row))
    frames = [fate.quarantined(judged[name], region, name) for name in judged if tallies[name]["quarantined"]]
    nothing = run.spark.createDataFrame([], schemas.QUARANTINE.schema)
    run.write(schemas.QUARANTINE, reduce(DataFrame.unionByName, frames, nothing))


def _tally(run: Run, name: str, judged: DataFrame) -> dict[str, int]:
    """How many rows met each fate. Twenty million promotions need no second look where as many were written as came."""
    received = run.read(open_source(run.config).raw[name]).count()
    if received == run.written[_CLEAN[name].name].rows:
        return fate.all_clean(received)
    counted = judged.agg(*fate.tally()).first()
    return counted.asDict() if counted else fate.all_clean(0)


def account(counts: dict[str, int | str]) -> str:
    """The counts of one table as a sum that adds up."""
    return (
        "{source_table}: {raw:,} rows = {clean:,} clean + {quarantined:,} quarantined + {duplicates:,} duplicates "
        "+ {superseded:,} superseded + {blank:,} blank; {flagged:,} outliers capped".format(**counts)
    )


def _in_shape(run: Run, frame: DataFrame, table: Table) -> DataFrame:
    """The table's columns in its types; a column that the source does not have is empty."""
    present = {*frame.columns}

    def column(name: str) -> Column:
        if name == "region":
            return F.lit(run.config.region).alias(name)
        found = F.col(name) if name in present else F.lit(None)
        return found.cast(table.schema[name].dataType).alias(name)

    missing = [name for name in table.key if name not in present and name != "region"]
    if missing:
        raise SchemaError(f"table {table.name}: the source gives no {', '.join(missing)}; wanted the key")
    return frame.select(*[column(name) for name in table.names])
