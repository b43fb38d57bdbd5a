"""Which of several rows that tell of the same stands."""

from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from builders import MONDAY
from mapped_company import config
from shelfcast.judging.rows import judge, settle
from shelfcast.sources.csv_files import MALFORMED

WEATHER = "store_id string, day date, until date, known_from date, measures map<string,double>, _fate string"
TOLD = {"files": "weather.csv", "received": ["shop", "day", "warmth"], "columns": {"store_id": "shop", "day": "day"}}


def told(measures: dict[str, float], *delivery: int | None) -> tuple[object, ...]:
    return ("s1", MONDAY, MONDAY, date(2017, 1, 1), measures, "clean", *delivery)


FRAMES = {
    "in-one-delivery": (
        WEATHER,
        [told({"warmth": 8.0, "rain": 1.0}), told({"rain": 1.0, "warmth": 8.0}), told({"warmth": 9.0, "rain": 2.0})],
        {(8.0, "clean"), (8.0, "duplicate"), (9.0, "superseded")},
    ),
    "in-two-deliveries": (
        f"{WEATHER}, _delivery bigint, _overtaken_by bigint",
        [told({"warmth": 8.0}, 1, None), told({"warmth": 9.0}, 2, None), told({"warmth": 9.0}, 2, None)],
        {(8.0, "superseded"), (9.0, "clean"), (9.0, "duplicate")},
    ),
}


@pytest.mark.parametrize(("columns", "rows", "fates"), FRAMES.values(), ids=FRAMES)
def test_weather_may_have_a_business_key(
    spark: SparkSession, tmp_path: Path, columns: str, rows: list[tuple], fates: set[tuple[float, str]]
) -> None:
    settings = config(tmp_path, "weather", **TOLD)
    keyed = settings.cleaning.model_copy(update={"keys": {"weather": ("store_id", "day")}})
    settled = settle(settings.model_copy(update={"cleaning": keyed}), "weather", spark.createDataFrame(rows, columns))
    assert {(row.measures["warmth"], row._fate) for row in settled.collect()} == fates


def test_what_goes_on_everywhere_has_a_key_without_a_store(spark: SparkSession, tmp_path: Path) -> None:
    told = {"files": "feasts.csv", "received": ["shop", "day", "is_feast"]}
    told["columns"] = {"store_id": "shop", "day": "day", "holiday_week": "is_feast"}
    settings = config(tmp_path, "holidays", **told)
    keyed = settings.cleaning.model_copy(update={"keys": {"holidays": ("store_id", "day")}})
    days = [("s1", "2017-01-06"), (None, "2017-12-25"), ("s1", None)]
    raw = spark.createDataFrame(
        [(*day, "1", None) for day in days], f"shop string, day string, is_feast string, {MALFORMED} string"
    )
    judged = judge(settings.model_copy(update={"cleaning": keyed}), "holidays", raw)
    assert {(str(row.day), row._fate) for row in judged.collect()} == {
        ("2017-01-06", "clean"), ("2017-12-25", "clean"), ("None", "missing_or_unreadable_date")
    }  # fmt: skip
