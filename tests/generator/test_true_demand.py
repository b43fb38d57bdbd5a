from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from generator_readers import Made
from shelfcast.generator import demand
from shelfcast.generator.true_demand import with_true_demand
from shelfcast.generator.world import World, draw_world


@pytest.fixture(scope="module")
def world(made: Made) -> World:
    return replace(draw_world(made.chain), scale=made.truth("chain")["scale"][0])


def by_numpy(world: World) -> pd.DataFrame:
    """The truth of every pair on every ninth day, by the generator's own functions."""
    chain, pairs = world.chain, world.pairs(world.products)
    days = demand.days_of(chain.first_day, np.arange(0, chain.days, 9))
    mean = demand.mean_demand(pairs, world.stores, world.products, days)
    visit, k = pairs["visit"].to_numpy(), pairs["dispersion"].to_numpy()
    shape = mean.shape
    return pd.DataFrame(
        {
            "day": np.repeat([chain.first_day + timedelta(days=int(number)) for number in days.numbers], shape[1]),
            "store_id": np.tile(world.stores["number"].to_numpy()[pairs["store"]].astype(str), shape[0]),
            "product_id": np.tile(world.products["number"].to_numpy()[pairs["product"]].astype(str), shape[0]),
            "mean": mean.ravel(),
            "variance": demand.variance(mean, visit, k).ravel(),
            "chance_of_none": demand.chance_of_none(mean, visit, k).ravel(),
            "visit": np.broadcast_to(visit, shape).ravel(),
            "dispersion": np.broadcast_to(k, shape).ravel(),
        }
    )


def test_spark_and_numpy_agree_on_the_truth(spark: SparkSession, made: Made, world: World) -> None:
    wanted = by_numpy(world).sort_values(["store_id", "product_id", "day"], ignore_index=True)
    keys = ["store_id", "product_id", "day"]
    found = with_true_demand(spark.createDataFrame(wanted[keys]), str(made.out / "truth")).toPandas()
    found = found.sort_values(keys, ignore_index=True)
    assert (found["mean"] == 0).any()
    for column in ("mean", "variance", "chance_of_none", "visit", "dispersion"):
        np.testing.assert_allclose(found[column], wanted[column], rtol=1e-9, atol=1e-12)


def test_what_a_store_does_not_list_is_never_asked_for(spark: SparkSession, made: Made) -> None:
    frame = spark.createDataFrame(
        [("1", "no such", made.chain.first_day, "kept")], "store_id string, product_id string, day date, mine string"
    )
    row = with_true_demand(frame, str(made.out / "truth")).first()
    assert row.asDict() == {
        "store_id": "1",
        "product_id": "no such",
        "day": made.chain.first_day,
        "mine": "kept",
        "mean": 0.0,
        "variance": 0.0,
        "chance_of_none": 1.0,
        "visit": None,
        "dispersion": None,
    }


def test_what_was_wanted_is_about_the_true_mean(made: Made, world: World) -> None:
    pairs = world.pairs(world.products)
    days = demand.days_of(made.chain.first_day, np.arange(made.chain.days))
    mean = demand.mean_demand(pairs, world.stores, world.products, days)
    variance = demand.variance(mean, pairs["visit"].to_numpy(), pairs["dispersion"].to_numpy())
    wanted = made.truth("pairs")["wanted"].sum()
    assert abs(wanted - mean.sum()) < 4 * np.sqrt(variance.sum())
