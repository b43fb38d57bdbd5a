"""A whole tiny chain, read back from its files as its user would."""

import filecmp
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from generator_readers import Made, cents, days, units
from shelfcast.errors import ConfigError
from shelfcast.generator.block import write_block
from shelfcast.generator.calibration import calibrated, measure
from shelfcast.generator.chain import CLASSES, FileDirt
from shelfcast.generator.files import LAYOUTS
from shelfcast.generator.generate import generate
from shelfcast.generator.sales import sale_day
from shelfcast.generator.world import World, draw_world

KEYS = ["Store", "Brand"]


def by_pair(frame: pd.DataFrame, column: str) -> pd.Series:
    return units(frame[column]).groupby([frame[key] for key in KEYS]).sum()


def test_opening_stock_and_receipts_less_sales_is_closing_stock(made: Made) -> None:
    purchases = made.clean("Purchases")
    last_day = pd.Timestamp(made.chain.first_day) + pd.Timedelta(days=made.chain.days - 1)
    received = days(purchases["ReceivingDate"], "%d-%m-%Y").between(pd.Timestamp(made.chain.first_day), last_day)
    assert not received.all()
    parts = {
        "opening": by_pair(made.clean("BegInv"), "onHand"),
        "received": by_pair(purchases[received], "Quantity"),
        "sold": by_pair(made.clean("Sales"), "SalesQuantity"),
        "closing": by_pair(made.clean("EndInv"), "onHand"),
    }
    stock = pd.DataFrame(parts).fillna(0)
    assert (stock["opening"] + stock["received"] - stock["sold"] == stock["closing"]).all()
    told = made.truth("pairs").set_index(["store_id", "product_id"])[list(parts)]
    told.index.names = KEYS
    pd.testing.assert_frame_equal(stock.sort_index(), told[told.sum(axis=1) > 0].sort_index(), check_dtype=False)


def test_an_invoice_is_the_sum_of_its_purchase_order_and_dated_after_its_receipts(made: Made) -> None:
    purchases, invoices = made.clean("Purchases"), made.clean("Invoice").set_index("PONumber").sort_index()
    orders = purchases.assign(
        Quantity=units(purchases["Quantity"]),
        Dollars=cents(purchases["Dollars"]),
        received=days(purchases["ReceivingDate"], "%d-%m-%Y"),
        invoiced=days(purchases["InvoiceDate"], "%d-%m-%Y"),
    ).groupby("PONumber")
    assert orders["Quantity"].sum().equals(units(invoices["Quantity"]))
    assert orders["Dollars"].sum().equals(cents(invoices["Dollars"]))
    assert (orders["received"].max() < orders["invoiced"].min()).all()
    assert (orders["invoiced"].first() == days(invoices["InvoiceDate"], "%Y-%m-%d")).all()
    assert orders["VendorNumber"].nunique().max() == 1


def test_a_sale_is_its_quantity_at_its_price(made: Made) -> None:
    sales = made.clean("Sales")
    assert (cents(sales["SalesDollars"]) == units(sales["SalesQuantity"]) * cents(sales["SalesPrice"])).all()
    assert not sales.duplicated(["Store", "Brand", "SalesDate"]).any()


def test_sales_days_have_two_forms_in_one_column(made: Made) -> None:
    text = made.clean("Sales")["SalesDate"]
    dashed = text.str.fullmatch(r"\d\d-\d\d-\d{4}")
    early = days(text[dashed], "%m-%d-%Y")
    late = days(text[~dashed], "%m/%d/%Y")
    assert early.dt.day.max() == 12
    assert late.dt.day.min() == 13
    assert sale_day(pd.Timestamp("2016-01-29")) == "1/29/2016"


def test_the_rows_are_those_stated_and_counted(made: Made) -> None:
    rows = len(made.clean("Sales"))
    assert rows == pytest.approx(made.chain.rows, rel=0.02)
    assert rows == made.counts["SalesFINAL12312016"]
    assert made.counts["dirty"] == len(made.dirty)


def test_class_shares_are_near_those_stated(made: Made) -> None:
    found = made.truth("pairs")["demand_class"].value_counts(normalize=True)
    for name in CLASSES:
        assert found[name] == pytest.approx(getattr(made.chain.classes, name).share, abs=0.08)


def test_shelves_are_empty_on_the_stated_share_of_days(made: Made) -> None:
    spells = made.truth("spells")
    empty = (pd.to_datetime(spells["last_day"]) - pd.to_datetime(spells["first_day"])).dt.days + 1
    products = made.truth("products").set_index("product_id")["effects"]
    listed = sum(listed_days(made, products[product]) for product in made.truth("pairs")["product_id"])
    assert empty.sum() / listed == pytest.approx(made.chain.replenishment.out_of_stock, rel=0.08)
    pairs = made.truth("pairs")
    assert spells["lost"].sum() == (pairs["wanted"] - pairs["sold"]).sum()


def listed_days(made: Made, effects: list[dict]) -> int:
    days_ = pd.date_range(made.chain.first_day, periods=made.chain.days).date
    away = [e for e in effects if e["factor"] == 0]
    return sum(not any(e["first_day"] <= day <= e["last_day"] for e in away) for day in days_)


def test_lead_times_are_as_their_vendors_draw_them(made: Made) -> None:
    purchases = made.clean("Purchases")
    ordered, received = (days(purchases[name], "%d-%m-%Y") for name in ("PODate", "ReceivingDate"))
    one_each = purchases.assign(lead=(received - ordered).dt.days).drop_duplicates(["VendorNumber", "PODate", "Store"])
    found = one_each.groupby("VendorNumber")["lead"].agg(["min", "mean", "size"])
    vendors = made.truth("vendors").set_index("vendor_id").loc[found.index]
    assert (found["min"] >= vendors["lead_least"]).all()
    error = np.sqrt(vendors["lead_more"] / found["size"])
    assert ((found["mean"] - vendors["lead_least"] - vendors["lead_more"]).abs() < 4 * error).all()


def test_every_dirty_row_stands_where_the_truth_says(made: Made) -> None:
    for file, dirty in made.dirty.groupby("file"):
        lines = (made.out / str(file)).read_bytes().decode().split("\r\n")
        assert [lines[number - 1] for number in dirty["line"]] == dirty["row"].tolist()


@pytest.mark.parametrize(
    ("file", "rates"),
    [("SalesFINAL12312016", "sales"), ("PurchasesFINAL12312016", "purchases"), ("BegInvFINAL12312016", "stock")],
)
def test_dirt_of_each_kind_comes_to_its_rate(made: Made, file: str, rates: str) -> None:
    found = made.dirty[made.dirty["file"].str.startswith(file)]["kind"].value_counts()
    stated: FileDirt = getattr(made.chain.dirt, rates)
    for kind, rate in stated:
        if kind != "thousands_separators":
            expected = rate * made.counts[file]
            assert found.get(kind, 0) == pytest.approx(expected, abs=4 * np.sqrt(expected) + 1e-9)


def test_thousands_are_separated_in_the_stated_share_of_large_purchases(made: Made) -> None:
    large = (cents(made.clean("Purchases")["Dollars"]) >= 100_000).sum()
    dirty = made.dirty[made.dirty["file"].str.startswith("Purchases")]
    found = (dirty["kind"] == "thousands_separators").sum()
    assert found == pytest.approx(0.5 * large, abs=4 * np.sqrt(0.25 * large))


def test_the_closing_stock_trails_off_in_commas_and_purchases_end_in_sums(made: Made) -> None:
    for part in made.parts("EndInv"):
        assert part.read_text().endswith(",,,,,,,,\n,,,,,,,,\n")
    quantity = units(made.clean("Purchases")["Quantity"]).sum()
    sums = [part.read_text().splitlines()[-1].split(",") for part in made.parts("Purchases")]
    assert {"".join(fields[:13]) for fields in sums} == {""}
    assert sum(int(fields[13]) for fields in sums) == quantity


def test_stock_outs_are_in_no_sale(made: Made) -> None:
    sales = made.clean("Sales")
    text = sales["SalesDate"].str.replace("/", "-")
    sold = set(zip(sales["Store"], sales["Brand"], days(text, "%m-%d-%Y").dt.date, strict=True))
    spells = made.truth("spells")
    # the first day may have begun with something on the shelf
    inner = [
        (row.store_id, row.product_id, day.date())
        for row in spells.itertuples()
        for day in pd.date_range(row.first_day, row.last_day)[1:]
    ]
    assert len(inner) > 1000
    assert np.mean([cell in sold for cell in inner]) < 0.02


def test_the_same_bytes_whatever_the_tasks(made: Made, tmp_path: Path) -> None:
    world = calibrated(draw_world(made.chain), in_one_process)
    for block in reversed(range(made.chain.blocks)):
        write_block(world, block, tmp_path)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) == made.chain.blocks * (len(LAYOUTS) + 3)
    assert filecmp.cmpfiles(tmp_path, made.out, files, shallow=False) == (files, [], [])


def in_one_process(world: World):
    first, *others = (measure(world, block) for block in range(world.chain.blocks))
    return sum(others, start=first)


@pytest.mark.parametrize("rows", [2_000, 60_000])
def test_other_numbers_of_rows_are_met(made: Made, tmp_path: Path, rows: int) -> None:
    chain = made.chain.model_copy(update={"rows": rows})
    world = calibrated(draw_world(chain), in_one_process)
    found = sum(write_block(world, block, tmp_path)["SalesFINAL12312016"] for block in range(chain.blocks))
    assert found == pytest.approx(rows, rel=0.02)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(102_000, id="nearly-every-day-everywhere"),
        pytest.param(10_000_000, id="more-than-days"),
    ],
)
def test_rows_that_cannot_be_are_told_with_what_can(made: Made, rows: int) -> None:
    chain = made.chain.model_copy(update={"rows": rows})
    with pytest.raises(ConfigError, match=rf"rows: found {rows:,}, which chain tiny cannot reach: of the [\d,]+ days"):
        calibrated(draw_world(chain), in_one_process)


def test_a_folder_that_holds_files_is_left_alone(spark, made: Made) -> None:
    with pytest.raises(ConfigError, match="found files there already; wanted an empty folder, or none"):
        generate(spark, made.chain, made.out)
