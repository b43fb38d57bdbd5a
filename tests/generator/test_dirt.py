import csv

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfcast.generator.chain import FileDirt, MovementDirt
from shelfcast.generator.dirt import IN_PLACE, Lines, spoil
from shelfcast.generator.files import LINE_END, PURCHASES, SALES

SALE = '1_ASHMERE_58,1,58,"Tequila, Silver",750mL,2,32.98,16.49,01-02-2016,750,1,1.57,105,ALTA    '
PURCHASE = "1_ASHMERE_58,1,58,Gin,750mL,105,ALTA    ,8124,21-12-2015,02-01-2016,04-01-2016,16-02-2016,35.71,60,2142.6,1"


def lines(*texts: str, cents: int = 0) -> Lines:
    return Lines(pa.array([text + LINE_END for text in texts]), np.full(len(texts), cents))


def spoiled(text: str, kind: str, layout=SALES, cents: int = 0) -> list[str]:
    """The texts that come of one row, where this kind always strikes."""
    rates = MovementDirt(**{kind: 1})
    texts, _ = spoil(lines(text, cents=cents), layout, rates, np.random.default_rng(1))
    return [line.removesuffix(LINE_END) for line in texts.to_pylist()]


def field(text: str, place: int) -> str:
    return next(csv.reader([text]))[place]


@pytest.mark.parametrize(
    ("kind", "place", "wanted"),
    [
        pytest.param("blank_product", 2, "", id="blank-product"),
        pytest.param("blank_product", 0, "", id="nor-does-the-identifier-tell-it"),
        pytest.param("blank_store", 1, "", id="blank-store"),
        pytest.param("negative_price", 7, "-16.49", id="negative-price"),
        pytest.param("contradictory_signs", 5, "-2", id="quantity-against-amount"),
        pytest.param("duplicate", 6, "32.98", id="duplicate"),
        pytest.param("too_long", 15, "1", id="two-fields-too-many"),
        pytest.param("header_again", 0, "InventoryId", id="header-again"),
        pytest.param("comma_only", 13, "", id="nothing-but-commas"),
    ],
)
def test_a_spoiled_copy_follows_the_row_and_the_row_stays(kind: str, place: int, wanted: str) -> None:
    kept, copy = spoiled(SALE, kind)
    assert kept == SALE
    assert field(copy, place) == wanted


def test_a_quantity_is_text_or_impossible() -> None:
    assert not field(spoiled(SALE, "quantity_as_text")[1], 5).isdigit()
    assert int(field(spoiled(SALE, "impossible_quantity")[1], 5)) > 900_000


def test_a_date_is_unreadable_or_out_of_range() -> None:
    assert field(spoiled(SALE, "unreadable_date")[1], 8) != "01-02-2016"
    out_of_range = field(spoiled(SALE, "date_out_of_range")[1], 8)
    assert out_of_range.startswith("01-02-")
    assert not 1950 < int(out_of_range[-4:]) < 2050


def test_a_row_cut_short_has_fewer_fields_and_no_others() -> None:
    _, cut = spoiled(SALE, "cut_short")
    fields = next(csv.reader([SALE]))
    assert next(csv.reader([cut])) == fields[: len(next(csv.reader([cut])))]
    assert len(next(csv.reader([cut]))) < len(fields)


@pytest.mark.parametrize(
    ("layout", "text", "kind", "place", "wanted"),
    [
        pytest.param(SALES, SALE, "missing_size", 4, "", id="missing-size"),
        pytest.param(PURCHASES, PURCHASE, "thousands_separators", 14, "2,142.60", id="thousands-separators"),
    ],
)
def test_a_true_row_written_badly_takes_its_own_place(layout, text, kind, place, wanted) -> None:
    (only,) = spoiled(text, kind, layout, cents=214_260)
    assert field(only, place) == wanted
    assert [value for number, value in enumerate(next(csv.reader([only]))) if number != place] == [
        value for number, value in enumerate(next(csv.reader([text]))) if number != place
    ]


def test_an_amount_below_a_thousand_has_no_separator() -> None:
    assert spoiled(SALE, "thousands_separators", cents=3298) == [SALE]


def test_what_is_left_without_keys_is_price_quantity_amount_and_classification() -> None:
    assert spoiled(PURCHASE, "no_keys", PURCHASES)[1] == ",,,,,,,,,,,,35.71,60,2142.6,1"


@given(st.integers(0, 60), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_the_list_of_dirty_rows_says_where_each_stands(n: int, double: float, commas: float, size: float, seed) -> None:
    rates = FileDirt(duplicate=double, comma_only=commas, missing_size=size)
    texts = [SALE.replace("58", str(number + 100)) for number in range(n)]
    written, dirty = spoil(lines(*texts), SALES, rates, np.random.default_rng(seed))
    found = [line.removesuffix(LINE_END) for line in written.to_pylist()]
    assert all(found[row.line] == row.row for row in dirty)
    assert len(found) == n + sum(row.kind not in IN_PLACE for row in dirty)
    places = {row.line for row in dirty}
    untouched = [text for line, text in enumerate(found) if line not in places]
    assert set(untouched) <= set(texts)
    assert len(untouched) == n - sum(row.kind in IN_PLACE for row in dirty)
