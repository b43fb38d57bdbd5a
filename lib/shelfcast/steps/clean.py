"""raw/*, raw/ledger -> clean/products, clean/promotions, clean/quantity_bounds, clean/sales, clean/stores,
clean/quarantine, clean/row_counts, clean/day_counts, clean/deliveries; of a source that tells of its supply:
clean/purchases, invoices, stock, vendors, prices"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial, reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import demand, schemas
from shelfcast.cleaning import account, fate, quantities, supply, versions
from shelfcast.cleaning.sizes import with_package_size
from shelfcast.conditions import CONDITIONS, as_conditions
from shelfcast.config import Config
from shelfcast.job import Job, Run
from shelfcast.judging import accounts, contracts, promises, requirements
from shelfcast.judging.clock import judge_sales_first
from shelfcast.judging.judged import Judged, judge_all, judge_new
from shelfcast.judging.since import judged_before, last_deliveries
from shelfcast.judging.writing import Writer, in_shape
from shelfcast.session import side_by_side
from shelfcast.sources import canonical, open_source
from shelfcast.sources.ledger import LEDGER

_ALWAYS = (
    schemas.PRODUCTS,
    schemas.PROMOTIONS,
    schemas.QUANTITY_BOUNDS,
    schemas.SALES,
    schemas.STORES,
    schemas.QUARANTINE,
    schemas.ROW_COUNTS,
    fate.DAY_COUNTS,
    account.DELIVERIES,
)
# What the source tells of its supply, and the tables of it that become each.
_SUPPLY = (
    (supply.PURCHASES, ("purchases",)),
    (supply.INVOICES, ("invoices",)),
    (supply.STOCK, ("opening_stock", "closing_stock")),
)
_OF_VENDORS = ("products", "purchases", "invoices")
_LEARNED = ("product_id", "sold_on", "source_quantity")


def job(config: Config) -> Job:
    raw = open_source(config).raw
    supplied = [table for table, names in _SUPPLY if any(name in raw for name in names)]
    told = (supply.VENDORS, supply.PRICES) if config.source.tells_of_supply else ()
    requirements.require_rules(config, [*raw])
    about = (CONDITIONS,) if {*conditions_in(raw)} else ()
    promised = (contracts.RESULTS,) if config.contracts else ()
    writes = (*_ALWAYS, *supplied, *told, *about, *promised)
    settings = ("source", "cleaning", "contracts")
    return Job("clean", (LEDGER, *raw.values()), writes, settings, clean, dated=False)


def clean(run: Run) -> None:
    """Clean what new deliveries bring, where nothing else has changed since the last run; else all."""
    last, before = last_deliveries(run), judged_before(run)
    if before is not None:
        since = {name: delivery for name, delivery in before.items() if last[name] > delivery}
        judged = judge_sales_first(run, since, lambda name, until: _judge(run, name, since[name], last[name], until))
        bounds = _further_bounds(run, judged)
        if bounds is not None:
            return _write(run, judged, Writer(run, is_further=True), bounds)
        run.say("bounds of quantities have moved: all rows are judged anew")
    judged = judge_sales_first(run, last, lambda name, until: _judge_all(run, name, last[name], until))
    return _write(run, judged, Writer(run, is_further=False))


def _judge(run: Run, name: str, since: int, last: int, sales_until: DataFrame | None) -> Judged:
    """What came since; of the catalogue, which is written whole, all."""
    if name == "products":
        return replace(judge_all(run, name, last, sales_until), before=since)
    return judge_new(run, name, since, sales_until)


def _judge_all(run: Run, name: str, last: int, sales_until: DataFrame | None) -> Judged:
    """The judged sales are staged: they are needed many times."""
    judged = judge_all(run, name, last, sales_until)
    return judged.staged(run, name) if name == "sales" else judged


def _write(run: Run, judged: Mapping[str, Judged], writer: Writer, bounds: DataFrame | None = None) -> None:
    """bounds: of quantities, where they are learned already."""
    promises.check(run, judged)
    _write_products(run, judged, writer)
    side_by_side(
        run.spark,
        partial(_write_sales, run, judged, writer, bounds),
        partial(_write_promotions, run, judged.get("promotions"), writer),
        partial(_write_supply, run, judged, writer),
        partial(_write_conditions, run, judged, writer),
    )
    _write_account(run, judged, writer)


def as_stores(sales: DataFrame) -> DataFrame:
    """One row per store, with its first and last day of sales that stand."""
    return demand.days_of_stores(sales.where("known_until is null"))


def as_catalogue(sales: DataFrame) -> DataFrame:
    """What sold, as the products of a source without a catalogue: each a category of its own. Columns: product_id,
    category_id, package_size."""
    sold = sales.select("product_id").distinct()
    return sold.withColumns({"category_id": F.col("product_id"), "package_size": F.lit(None).cast("string")})


def _catalogue(run: Run, judged: Mapping[str, Judged], is_further: bool) -> DataFrame | None:
    """All products; None where nothing is new of them."""
    if "products" in open_source(run.config).raw:
        if "products" not in judged:
            return None
        return with_sizes(run, versions.known_last(judged["products"].kept, run.config.cleaning.key_of("products")))
    if "sales" not in judged:
        return None
    sold = judged["sales"].kept.select("product_id")
    return with_sizes(run, as_catalogue(sold.unionByName(_held(run)) if is_further else sold))


def with_sizes(run: Run, products: DataFrame) -> DataFrame:
    return with_package_size(products, "package_size", run.config.cleaning.ounce)


def _held(run: Run, *columns: str) -> DataFrame:
    """What clean/sales holds already."""
    return run.read(schemas.SALES).select(*(columns or ("product_id",)))


def _further_bounds(run: Run, judged: Mapping[str, Judged]) -> DataFrame | None:
    """The bounds with new sales and a new catalogue; None where these change one that older quantities were capped at.

    That is told apart once a run: killed after the bounds are written, it would find none moved when it is made again.
    """
    if "sales" not in judged and "products" not in judged:
        return run.read(schemas.QUANTITY_BOUNDS)
    catalogue = _catalogue(run, judged, is_further=True)
    products = run.read(schemas.PRODUCTS) if catalogue is None else catalogue
    sold = _held(run, *_LEARNED)
    if "sales" in judged:
        new = judged["sales"].kept
        if not new.where(F.col("sold_on") <= F.lit(run.config.cleaning.outliers.learn_until)).isEmpty():
            return None
        sold = sold.unionByName(new.select(*_LEARNED))
    learned = quantities.learn_quantity_bounds(sold, products, run.config.cleaning)
    learned = run.stage("bounds", in_shape(run, learned, schemas.QUANTITY_BOUNDS))
    moved = run.stage("moved_bounds", run.read(schemas.QUANTITY_BOUNDS).exceptAll(learned))
    return learned if moved.isEmpty() else None


def _write_products(run: Run, judged: Mapping[str, Judged], writer: Writer) -> None:
    catalogue = _catalogue(run, judged, writer.is_further)
    if catalogue is None:
        writer.leave(schemas.PRODUCTS)
    else:
        writer.replace(schemas.PRODUCTS, catalogue)


def _write_promotions(run: Run, judged: Judged | None, writer: Writer) -> None:
    """The promotions; none where the source has none."""
    if judged is not None:
        writer.put(schemas.PROMOTIONS, judged.kept, run.config.cleaning.key_of("promotions"))
    elif writer.is_further:
        writer.leave(schemas.PROMOTIONS)
    else:
        run.write(schemas.PROMOTIONS, run.spark.createDataFrame([], schemas.PROMOTIONS.schema))


def _write_supply(run: Run, judged: Mapping[str, Judged], writer: Writer) -> None:
    """Purchases, invoices and stock, as far as the source tells of them, and with them vendors and prices."""
    for table, names in _SUPPLY:
        found = [name for name in names if name in judged]
        if found:
            # One key for both counts of stock, which say at which moment they were made.
            key = (*run.config.cleaning.key_of(found[0]), *(("moment",) if table == supply.STOCK else ()))
            frames = [in_shape(run, judged[name].kept, table) for name in found]
            writer.put(
                table, reduce(DataFrame.unionByName, frames), key if run.config.cleaning.key_of(found[0]) else ()
            )
        elif table in run.job.writes:
            writer.leave(table)
    if supply.VENDORS in run.job.writes:
        _write_vendors(run, judged, writer)


def _write_conditions(run: Run, judged: Mapping[str, Judged], writer: Writer) -> None:
    """Holidays, weather and campaigns, as far as the source tells of them."""
    if CONDITIONS not in run.job.writes:
        return
    if found := conditions_in(judged):
        # What comes again of a day and place takes the place of what was.
        writer.put(CONDITIONS, as_conditions([judged[name].kept for name in found]), key=("store_id", "day", "name"))
    else:
        writer.leave(CONDITIONS)


def conditions_in(tables: Iterable[str]) -> list[str]:
    return [name for name in tables if name in canonical.CONDITIONS]


def _write_vendors(run: Run, judged: Mapping[str, Judged], writer: Writer) -> None:
    # Stock alone names no vendor.
    nothing = run.spark.createDataFrame([], "vendor_id string, vendor_name string")
    told = [nothing, *[judged[name].kept for name in _OF_VENDORS if name in judged]]
    if writer.is_further:
        told.append(run.read(supply.VENDORS).withColumnRenamed("name", "vendor_name"))
    writer.replace(supply.VENDORS, supply.as_vendors(told))
    if "products" in judged:
        writer.replace(supply.PRICES, supply.as_prices(judged["products"].kept))
    elif writer.is_further:
        writer.leave(supply.PRICES)
    else:
        run.write(supply.PRICES, run.spark.createDataFrame([], supply.PRICES.schema))


def _write_sales(run: Run, judged: Mapping[str, Judged], writer: Writer, bounds: DataFrame | None) -> None:
    """The sales, bounded, and their stores."""
    if "sales" not in judged:
        for table in (schemas.QUANTITY_BOUNDS, schemas.SALES, schemas.STORES):
            writer.leave(table)
        return
    settings, sales = run.config.cleaning, judged["sales"].kept
    if bounds is None:
        bounds = quantities.learn_quantity_bounds(sales.select(*_LEARNED), run.read(schemas.PRODUCTS), settings)
    writer.replace(schemas.QUANTITY_BOUNDS, bounds)
    bounded = quantities.with_bounded_quantity(sales, run.read(schemas.QUANTITY_BOUNDS), settings)
    writer.put(schemas.SALES, bounded, settings.key_of("sales"))
    writer.replace(schemas.STORES, as_stores(run.read(schemas.SALES)))


def _write_account(run: Run, judged: Mapping[str, Judged], writer: Writer) -> None:
    """What became of all rows, and the refused ones whole."""
    accounts.write_days(run, judged.get("sales"), writer)
    tallies = accounts.tally_deliveries(run, judged)
    accounts.write_deliveries(run, tallies, writer)
    accounts.write_totals(run, judged, tallies, writer)
    refused = [name for name in judged if any(row["quarantined"] for row in tallies[name])]
    frames = [fate.quarantined(judged[name].arrived, run.config.region, name) for name in refused]
    nothing = run.spark.createDataFrame([], schemas.QUARANTINE.schema)
    writer.put(schemas.QUARANTINE, reduce(DataFrame.unionByName, frames, nothing), key=())
