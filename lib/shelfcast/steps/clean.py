"""raw/* -> clean/products, clean/promotions, clean/quantity_bounds, clean/sales, clean/stores, clean/quarantine,
clean/row_counts, clean/day_counts; of a source that tells of its supply: clean/purchases, invoices, stock, vendors,
prices"""

from functools import partial, reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from shelfcast import schemas
from shelfcast.cleaning import fate, quantities, rules, supply
from shelfcast.cleaning.sizes import with_package_size
from shelfcast.config import Cleaning, Config
from shelfcast.errors import SchemaError
from shelfcast.job import Job, Run
from shelfcast.session import side_by_side
from shelfcast.sources import open_source, tells_of_supply
from shelfcast.table import Table

_ALWAYS = (
    schemas.PRODUCTS,
    schemas.PROMOTIONS,
    schemas.QUANTITY_BOUNDS,
    schemas.SALES,
    schemas.STORES,
    schemas.QUARANTINE,
    schemas.ROW_COUNTS,
    fate.DAY_COUNTS,
)
# What the source tells of its supply, and the tables of it that become each.
_SUPPLY = (
    (supply.PURCHASES, ("purchases",)),
    (supply.INVOICES, ("invoices",)),
    (supply.STOCK, ("opening_stock", "closing_stock")),
)
_OF_VENDORS = ("products", "purchases", "invoices")


def job(config: Config) -> Job:
    raw = open_source(config).raw
    supplied = [table for table, names in _SUPPLY if any(name in raw for name in names)]
    told = (supply.VENDORS, supply.PRICES) if tells_of_supply(config) else ()
    writes = (*_ALWAYS, *supplied, *told)
    return Job("clean", tuple(raw.values()), writes, ("cleaning", "demand"), clean, dated=False)


def clean(run: Run) -> None:
    judged = judge(run)
    _write_products(run, judged["products"] if "products" in judged else as_catalogue(judged["sales"]))
    side_by_side(
        run.spark,
        partial(_write_sales, run, judged),
        partial(_write_promotions, run, judged.get("promotions")),
        partial(_write_supply, run, judged),
    )
    _write_account(run, judged)


def judge(run: Run) -> dict[str, DataFrame]:
    """The canonical frames with each row's fate."""
    raw = open_source(run.config).raw
    return {name: judge_rows(run.config, name, run.read(table)) for name, table in raw.items()}


def judge_rows(config: Config, name: str, raw: DataFrame) -> DataFrame:
    """The canonical frame of a raw one, with each row's fate, and the received row whole where it is refused."""
    source, settings = open_source(config), config.cleaning
    canonical = source.canonical(name, raw)
    refusals, key = {**source.refusals(name), **_rules(name, canonical, settings)}, settings.key_of(name)
    if not key:
        return fate.without_raw_of_the_kept(fate.with_fate(canonical, refusals))
    # Rows without their key would all be versions of one.
    keyless = reduce(or_, [F.col(column).isNull() for column in key])
    judged = fate.without_raw_of_the_kept(fate.with_fate(canonical, {**refusals, "missing_key": keyless}))
    versions = [column for column in ("known_from",) if column in canonical.columns and column not in key]
    content = [column for column in canonical.columns if column not in (*key, *versions) and column != "_raw"]
    return fate.mark_repeated(judged, (*key, *versions), content)


def _rules(name: str, canonical: DataFrame, settings: Cleaning) -> dict[str, Column]:
    of_prices = rules.price_rules() if "purchase_price" in canonical.columns else {}
    return {
        "sales": rules.sales_rules(settings),
        "products": rules.product_rules() | of_prices,
        "promotions": rules.promotion_rules(),
        "purchases": rules.purchase_rules(settings),
        "invoices": rules.invoice_rules(),
        "opening_stock": rules.stock_rules(settings),
        "closing_stock": rules.stock_rules(settings),
    }[name]


def as_stores(sales: DataFrame) -> DataFrame:
    """One row per store, with its first and last day of sales."""
    return sales.groupBy("region", "store_id").agg(
        F.min("sold_on").alias("first_sold_on"), F.max("sold_on").alias("last_sold_on")
    )


def as_catalogue(sales: DataFrame) -> DataFrame:
    """What sold, as the products of a source without a catalogue: each a category of its own. Columns: product_id,
    category_id, package_size, _fate."""
    sold = _kept(sales).select("product_id", "_fate").distinct()
    return sold.withColumns({"category_id": F.col("product_id"), "package_size": F.lit(None).cast("string")})


def _kept(judged: DataFrame) -> DataFrame:
    return judged.where(F.col("_fate") == fate.CLEAN)


def _write_products(run: Run, judged: DataFrame) -> None:
    sized = with_package_size(_kept(judged), "package_size", run.config.cleaning.ounce)
    run.write(schemas.PRODUCTS, _in_shape(run, sized, schemas.PRODUCTS))


def _write_promotions(run: Run, judged: DataFrame | None) -> None:
    """The promotions; none where the source has none."""
    table = schemas.PROMOTIONS
    none = run.spark.createDataFrame([], table.schema)
    run.write(table, none if judged is None else _in_shape(run, _kept(judged), table))


def _write_supply(run: Run, judged: dict[str, DataFrame]) -> None:
    """Purchases, invoices and stock, as far as the source tells of them, and with them vendors and prices."""
    for table, names in _SUPPLY:
        frames = [_in_shape(run, _kept(judged[name]), table) for name in names if name in judged]
        if frames:
            run.write(table, reduce(DataFrame.unionByName, frames))
    if supply.VENDORS not in run.job.writes:
        return
    vendors = supply.as_vendors([_kept(judged[name]) for name in _OF_VENDORS if name in judged])
    run.write(supply.VENDORS, _in_shape(run, vendors, supply.VENDORS))
    run.write(supply.PRICES, _in_shape(run, supply.as_prices(_kept(judged["products"])), supply.PRICES))


def _write_sales(run: Run, judged: dict[str, DataFrame]) -> None:
    """The sales, bounded, and their stores. The judged rows are staged: they are needed many times."""
    settings = run.config.cleaning
    judged["sales"] = run.stage("sales", judged["sales"])
    sales = _kept(judged["sales"])
    bounds = quantities.learn_quantity_bounds(sales, run.read(schemas.PRODUCTS), settings)
    run.write(schemas.QUANTITY_BOUNDS, _in_shape(run, bounds, schemas.QUANTITY_BOUNDS))
    bounded = quantities.with_bounded_quantity(sales, run.read(schemas.QUANTITY_BOUNDS), settings)
    run.write(schemas.SALES, _in_shape(run, bounded, schemas.SALES))
    run.write(schemas.STORES, as_stores(run.read(schemas.SALES)))


def _write_account(run: Run, judged: dict[str, DataFrame]) -> None:
    """What became of all rows, and the refused ones whole."""
    region = run.config.region
    run.write(fate.DAY_COUNTS, _in_shape(run, fate.tally_by_day(judged["sales"]), fate.DAY_COUNTS))
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
    if name == "promotions":
        received = run.read(open_source(run.config).raw[name]).count()
        if received == run.written[schemas.PROMOTIONS.name].rows:
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
