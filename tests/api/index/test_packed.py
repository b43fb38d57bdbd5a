import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from api.lake import DAY
from shelfcast.api.index.packed import as_date, as_doubles, pack, starts_of, unpack

NUMBERS = st.lists(st.tuples(*[st.floats(allow_nan=True, width=64)] * 3), max_size=20)


@given(NUMBERS)
def test_what_is_packed_is_unpacked(rows: list[tuple[float, ...]]) -> None:
    matrix = np.array(rows, dtype=np.float64).reshape(-1, 3)
    np.testing.assert_array_equal(unpack(pack(matrix), 3), matrix)


def test_a_date_is_its_day_and_what_is_not_known_no_number() -> None:
    table = pa.table({"week": [DAY, None], "mean": [None, 2]})
    matrix = as_doubles(table, ["week", "mean"])
    assert as_date(matrix[0, 0]) == DAY
    np.testing.assert_array_equal(np.isnan(matrix), [[False, True], [True, False]])


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from("xy"))))
def test_a_run_of_equal_keys_starts_where_a_key_differs_from_the_one_before(keys: list[tuple[str | None, str]]) -> None:
    table = pa.table({"one": pa.array([one for one, _ in keys], pa.string()), "two": [two for _, two in keys]})
    expected = [at for at in range(len(keys)) if at == 0 or keys[at] != keys[at - 1]]
    assert starts_of(table, ["one", "two"]).tolist() == expected
