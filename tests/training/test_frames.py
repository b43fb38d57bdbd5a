from pathlib import Path

import pandas as pd
import pytest

from panel_builders import week, write_parts
from shelfcast.training.frames import read_examples

COLUMNS = ("store_id", "item_id", "origin", "step", "week", "y")


def examples() -> pd.DataFrame:
    """Two series at origins 4 and 5, two steps ahead, in the order of their key."""
    keys = [
        (store, item, origin, step)
        for store, item in (("s1", "p2"), ("s2", "p1"))
        for origin in (4, 5)
        for step in (1, 2)
    ]
    frame = pd.DataFrame(keys, columns=["store_id", "item_id", "origin", "step"])
    return frame.assign(week=[week(origin + step - 1) for *_, origin, step in keys], y=range(len(keys)), unread="x")


def test_the_rows_of_all_files_come_in_the_order_of_their_key(tmp_path: Path) -> None:
    files = write_parts(examples(), tmp_path / "frame")
    found = read_examples(files, COLUMNS, week(6))
    pd.testing.assert_frame_equal(found, examples()[[*COLUMNS]])


def test_only_what_was_known_by_the_last_week_is_read(tmp_path: Path) -> None:
    files = write_parts(examples(), tmp_path / "frame")
    found = read_examples(files, COLUMNS, week(5))
    # origin 5, step 2 is of week 6
    assert found["y"].tolist() == [0, 1, 2, 4, 5, 6]


@pytest.mark.parametrize("folder", ["region=here", "a folder", "50%"])
def test_files_are_found_by_the_names_that_spark_gives_them(folder: str, tmp_path: Path) -> None:
    files = write_parts(examples(), tmp_path / folder)
    as_spark_says = [Path(file).as_uri() for file in files]
    assert len(read_examples(as_spark_says, COLUMNS, week(6))) == len(examples())
    assert len(read_examples(files, COLUMNS, week(6))) == len(examples())
