"""Holidays, weather and campaigns, by date and place: from their tables to what a model reads of them."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from builders import MONDAY, frame
from mapped_company import config, rows_of
from shelfcast.conditions import CONDITIONS, as_conditions, by_store, in_days, join_conditions
from shelfcast.config import Condition
from shelfcast.errors import ConfigError
from shelfcast.examples import pack_conditions, unpack_conditions
from shelfcast.features import make_examples
from shelfcast.models.encoder import fit_encoder
from shelfcast.panel import Axis, densify

TOLD = {"holiday": Condition(known="ahead", absent=0.0), "warmth": Condition(known="past")}
WEEKS = [MONDAY, date(2017, 1, 9), date(2017, 1, 16)]


def about(**told: object) -> dict[str, object]:
    return {"region": "here", "day": MONDAY, "until": MONDAY, "known_from": MONDAY, **told}


def test_what_goes_on_everywhere_counts_in_each_store_and_a_day_without_word_as_absent(spark: SparkSession) -> None:
    rows = [
        about(name="holiday", value=1.0, until=date(2017, 1, 3)),
        about(name="holiday", value=1.0, store_id="s2", day=date(2017, 1, 11), until=date(2017, 1, 11)),
        about(name="warmth", value=8.0, store_id="s1", until=date(2017, 1, 8)),
        about(name="warmth", value=2.0, store_id="s1", day=date(2017, 1, 9), until=date(2017, 1, 9)),
    ]
    stores = frame(spark, "store_id string", {"store_id": "s1"}, {"store_id": "s2"})
    found = by_store(frame(spark, CONDITIONS, *rows), stores, WEEKS[0], WEEKS[-1], TOLD).collect()
    told = {row.store_id: row.conditions for row in found}
    assert told["s1"] == {"planned_holiday": pytest.approx([2 / 7, 0, 0]), "recent_warmth": [8.0, 2.0, None]}
    assert told["s2"] == {"planned_holiday": pytest.approx([2 / 7, 1 / 7, 0]), "recent_warmth": [None] * 3}


TOLD_OF = {
    "until further notice": (MONDAY, date(9999, 12, 31), 14),
    "since ever": (date(1, 1, 1), MONDAY, 1),
    "over before": (date(2016, 12, 1), date(2017, 1, 1), 0),
    "ahead of all weeks": (date(2017, 1, 16), date(2017, 1, 17), 0),
}


@pytest.mark.parametrize(("day", "until", "days"), TOLD_OF.values(), ids=TOLD_OF)
def test_of_what_goes_on_the_days_alone_are_told_that_are_asked_for(
    spark: SparkSession, day: date, until: date, days: int
) -> None:
    told = frame(spark, CONDITIONS, about(name="holiday", value=1.0, store_id="s1", day=day, until=until))
    assert in_days(told, MONDAY, date(2017, 1, 15)).count() == days


def test_of_what_was_told_of_a_day_and_place_the_last_word_counts_whether_it_came_later_or_was_known_later(
    spark: SparkSession,
) -> None:
    columns = "store_id string, day date, until date, known_from date, measures map<string,double>, _delivery bigint"
    rows = [("s1", MONDAY, None, MONDAY, {"warmth": value}, delivery) for value, delivery in ((9.0, 1), (3.0, 2))]
    (last,) = as_conditions([spark.createDataFrame(rows, columns)]).collect()
    assert last.value == 3.0
    told = [about(name="warmth", value=9.0, store_id="s1"),
            about(name="warmth", value=3.0, store_id="s1", known_from=date(2017, 1, 5))]  # fmt: skip
    stores = frame(spark, "store_id string", {"store_id": "s1"})
    (found,) = by_store(frame(spark, CONDITIONS, *told), stores, WEEKS[0], WEEKS[0], TOLD).collect()
    assert found.conditions["recent_warmth"] == [3.0]


def test_a_series_has_the_conditions_of_its_store_once(spark: SparkSession) -> None:
    panel = frame(spark, "store_id string, item_id string, week date", *(
        {"store_id": "s1", "item_id": item, "week": week} for item in ("p1", "p2") for week in WEEKS
    ))  # fmt: skip
    conditions = spark.createDataFrame(
        [("s1", {"planned_x": [1.0]})], "store_id string, conditions map<string,array<double>>"
    )
    joined = join_conditions(panel, conditions).where("conditions is not null").orderBy("item_id").collect()
    assert [(row.item_id, row.week, row.conditions) for row in joined] == [
        ("p1", MONDAY, {"planned_x": [1.0]}),
        ("p2", MONDAY, {"planned_x": [1.0]}),
    ]
    assert join_conditions(panel, None).where("conditions is not null").count() == 0


def panel_of(conditions: dict[str, list[float]]) -> pd.DataFrame:
    rows = pd.DataFrame({"store_id": "s1", "item_id": "p1", "category_id": "c1", "week": WEEKS})
    return rows.assign(quantity=[3.0, 4.0, 5.0], promoted=0.0, conditions=[conditions, None, None])


def test_what_is_known_ahead_is_read_of_the_target_week_and_the_rest_of_the_last_one() -> None:
    told = {"planned_holiday": [0.0, 0.0, 0.0, 1.0, 0.5], "recent_warmth": [1.0, 2.0, 3.0]}
    panel = densify(panel_of(told), Axis(tuple(WEEKS), 52, 2, from_first_sale=True))
    examples = make_examples(panel, [2, 3], 2)
    found = examples[["origin", "step", "planned_holiday", "recent_warmth"]].to_numpy()
    assert found.tolist() == [[2, 1, 0, 2], [2, 2, 1, 2], [3, 1, 1, 3], [3, 2, 0.5, 3]]
    assert {"planned_holiday", "recent_warmth"} <= {*fit_encoder(examples).numeric}


def test_packed_into_one_column_and_unpacked_they_are_the_same() -> None:
    examples = pd.DataFrame({"y": [1.0, 2.0], "planned_holiday": [0.0, 1.0], "recent_warmth": [np.nan, 7.0]})
    packed = examples[["y"]].assign(conditions=pack_conditions(examples))
    pd.testing.assert_frame_equal(unpack_conditions(packed), examples)
    nothing = examples[["y"]].assign(conditions=pack_conditions(examples[["y"]]))
    assert nothing["conditions"].tolist() == [None, None]
    assert [*unpack_conditions(nothing)] == ["y"]


WEATHER = {"files": "weather.csv", "received": ["shop", "day", "degrees", "rain"]}


def test_a_table_of_weather_is_mapped_and_its_columns_are_conditions(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "weather.csv").write_text("shop,day,degrees,rain\n7,2016-12-24,-3,1\n,soon,1,1\n")
    columns = {"store_id": "shop", "day": "day", "warmth": "degrees", "holiday": "rain"}
    told = config(tmp_path, "weather", **WEATHER, columns=columns).model_copy(update={"conditions": TOLD})
    rows = rows_of(spark, told, "weather")
    assert [(row.store_id, row.day, row.measures) for row in rows] == [
        ("7", date(2016, 12, 24), {"warmth": -3.0, "holiday": 1.0}),
        (None, None, {"warmth": 1.0, "holiday": 1.0}),
    ]
    columns = "store_id string, day date, until date, known_from date, measures map<string,double>"
    judged = spark.createDataFrame([("7", MONDAY, None, MONDAY, {"warmth": -3.0, "holiday": None})], columns)
    (cold,) = as_conditions([judged]).collect()
    assert (cold.name, cold.value, cold.until) == ("warmth", -3.0, MONDAY)


def test_a_condition_that_the_configuration_does_not_name_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"weather\.columns: no wind; wanted some of store_id, day, until, known_from"
    ):
        rows_of(spark, config(tmp_path, "weather", **WEATHER, columns={"day": "day", "wind": "rain"}), "weather")
