"""Insights of a chain that counts no stock; those of one that does are in test_generated."""

import shutil
from collections.abc import Callable

import pytest
from pyspark.sql import functions as F

from report_builders import Page
from shelfcast import schemas
from shelfcast.insights import tables
from shelfcast.insights.findings import TOPICS
from shelfcast.runner import Runner
from shelfcast.steps import insights, report


@pytest.fixture(scope="module")
def looked(ran: Runner, make_runner: Callable[..., Runner], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The runner of a copy of that lake, with insights."""
    lake = tmp_path_factory.mktemp("insights") / "lake"
    shutil.copytree(ran.lake.root, lake)
    changes = ("insights.fewest=2", "insights.most=3", "insights.season_weeks=13", "insights.currency=€")
    runner = make_runner(lake, *changes)
    assert runner.run(insights.job(runner.config))
    return runner


def test_every_product_and_store_has_one_row_and_one_segment(looked: Runner) -> None:
    series = looked.lake.read(schemas.SERIES, "complete_journey").where("level = 'product'")
    wanted = series.agg(F.count_distinct("item_id"), F.count_distinct("store_id")).first()
    segments = looked.lake.read(tables.SEGMENTS, "complete_journey").toPandas()
    assert segments["kind"].value_counts().to_dict() == {"product": wanted[0], "store": wanted[1]}
    assert not segments.duplicated(["kind", "item_id"]).any()
    products = segments[segments["kind"] == "product"]
    assert products["class"].notna().all()
    assert products["up_to"].max() == pytest.approx(1.0)
    assert (products.loc[products["segment"] == 0, "selling_weeks"] < 8).all()
    assert (products.loc[products["segment"] > 0, "selling_weeks"] >= 8).all()


def test_every_topic_says_something_or_why_not(looked: Runner) -> None:
    found = looked.lake.read(tables.FINDINGS, "complete_journey").toPandas()
    assert list(dict.fromkeys(found.sort_values("topic")["topic"])) == sorted(TOPICS)
    without = found[found["figure"].isna()].set_index("topic")["sentence"].to_dict()
    assert "There is no plan of 2017-08-26" in without["vendor_lead_times"]
    assert "There is no plan of 2017-08-26" in without["transfers"]
    assert {"classes", "product_segments", "seasons", "store_errors", "delisting"} <= {
        *found.loc[found["figure"].notna(), "topic"]
    }
    assert not found["sentence"].str.contains("nan|None").any()


def test_a_sentence_tells_the_figures_of_its_table(looked: Runner) -> None:
    found = looked.lake.read(tables.FINDINGS, "complete_journey").where("topic = 'store_errors' and rank = 1").first()
    worst = looked.lake.read(tables.STORES, "complete_journey").orderBy(F.desc("missed")).first()
    assert (found.subject, found.figure) == (worst.store_id, pytest.approx(100 * worst.wape))
    assert f"off by {worst.wape * worst.units:,.0f} units in 3 weeks" in found.sentence


def test_insights_that_are_there_are_not_looked_for_again_and_stand_in_the_report(looked: Runner) -> None:
    assert not looked.run(insights.job(looked.config))
    assert looked.run(report.job(looked.config))
    page = Page(looked.lake.read_text("reports/complete_journey/index.html"))
    assert "Which products matter" in page.text
    assert "units for €" in page.text
    assert page.is_balanced
