import pytest
from pyspark.sql import SparkSession

from shelfcast.lineage import OF_RUN, Lineage, as_text


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(({"features/windows": 3}, "c0de", "4392fc4-dirty", {"keras": "3.15.1"}), id="of-a-checkout"),
        pytest.param(({}, "c0de", None, {}), id="of-an-archive-that-knows-no-commit"),
    ],
)
def test_each_row_tells_what_is_known_of_the_run_in_the_types_of_its_table(
    spark: SparkSession, told: tuple[object, ...]
) -> None:
    found = spark.range(2).select(*[column.alias(name) for name, column in Lineage(*told).columns().items()])
    assert dict(found.dtypes) == OF_RUN
    assert [tuple(row) for row in found.collect()] == [told, told]


def test_settings_are_kept_as_text_but_those_that_are_not_set() -> None:
    found = as_text({"rate": 0.001, "units": (16, 8), "warm": True, "limit": None})
    assert found == {"rate": "0.001", "units": "(16, 8)", "warm": "True"}
