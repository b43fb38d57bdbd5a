from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from shelfcast.generator.files import CATALOGUE, INVOICES, LAYOUTS, SALES, money, whole_file
from shelfcast.generator.text import bytes_of, picked, rows_of, texts_of


@pytest.mark.parametrize(
    ("cents", "text"),
    [(1649, "16.49"), (3740, "37.4"), (21_900, "219"), (5, "0.05"), (0, "0"), (-1299, "-12.99"), (100_000, "1000")],
)
def test_money_is_written_without_zeros_at_the_end(cents: int, text: str) -> None:
    assert money(cents) == text


@pytest.mark.parametrize(
    ("layout", "fields", "text"),
    [
        pytest.param(SALES, ["1_A_58", 1, 58, "Gin"], "1_A_58,1,58,Gin", id="plain-as-it-is"),
        pytest.param(SALES, ["1_A_58", 1, 58, "Gin, Dry"], '1_A_58,1,58,"Gin, Dry"', id="quoted-for-its-comma"),
        pytest.param(CATALOGUE, [58, "Gin", 12.99, "750mL", 750], '58,"Gin",12.99,"750mL","750"', id="catalogue"),
        pytest.param(INVOICES, [105, "ALTA ", "2016-01-04", 8124], '105,"ALTA ","2016-01-04",8124', id="invoices"),
    ],
)
def test_a_row_is_quoted_as_its_file_is(layout, fields, text: str) -> None:
    assert layout.line(fields) == text


@pytest.mark.data
def test_headers_are_those_of_the_real_files(data_root: Path) -> None:
    for layout in LAYOUTS:
        real = data_root / "bibitor" / f"{layout.name}.csv"
        if real.exists():
            assert real.read_text().splitlines()[0] == layout.header


def test_a_file_has_its_name_only_when_all_is_written(tmp_path: Path) -> None:
    def fail() -> None:
        with whole_file(tmp_path / "x.csv") as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not (tmp_path / "x.csv").exists()
    with whole_file(tmp_path / "x.csv") as stream:
        stream.write(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_columns_become_rows_of_text() -> None:
    rows = rows_of(picked(["a", "b"], np.array([1, 0, 1])), texts_of(np.array([5, 7, 5]), money))
    assert bytes_of(pa.chunked_array([rows[:1], rows[1:]])) == b"b,0.05\r\na,0.07\r\nb,0.05\r\n"


def test_no_rows_are_no_text() -> None:
    none = np.array([], dtype=np.int64)
    assert bytes_of(pa.chunked_array([rows_of(picked(["a"], none), texts_of(none))])) == b""
