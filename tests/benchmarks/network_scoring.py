"""Series a second: a network's forecasts on Spark, beside LightGBM through mlforecast and TSB of statsforecast.

    python tests/benchmarks/network_scoring.py [--items 6890] [--weeks 104] [--peer_items 690] [--out FILE.json]

79 stores sell each item; weekly units are Poisson, a quarter of the weeks sell. On Spark the sparse rows lie in
Parquet, in buckets; each bucket is made dense, scored eight weeks ahead (mean, p10, p50, p90 and p98) by a network of
the usual size (what it has learned changes no speed), put aside for a run that may be killed, and written as Parquet.
The tools are given the dense series of the first `peer_items` in memory, and say one number a week; LightGBM is fitted
before, and its forecast alone is timed.
"""

import argparse
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from commandline import command, make_parser, write_json
from measured import contest, measured
from peers import AS_IT_COMES

from shelfcast.panel import FloatArray
from shelfcast.submit import spark_environment

OURS, LIGHTGBM, TSB = "shelfcast on Spark", "mlforecast, LightGBM", "statsforecast, TSB"
STORES, CATEGORIES, HORIZON, BUCKETS, SEED = 79, 30, 8, 64, 27
FIRST_WEEK = np.datetime64("2016-01-04")
WANTED_S, WANTED_GB = 180.0, 3.0
LEARNED_ROWS = 200_000
Work = Callable[[int], dict[str, Any]]


def counts(item: int, weeks: int) -> FloatArray:
    """Weekly units of the item in each store, shape (STORES, weeks); each sells in the first week."""
    draw = np.random.default_rng((SEED, item))
    y = draw.poisson(draw.gamma(0.6, 0.6, (STORES, 1)), (STORES, weeks)).astype(np.float64)
    y[:, 0] = np.maximum(y[:, 0], 1.0)
    return y


def sparse_rows(item: int, weeks: int) -> pd.DataFrame:
    """The rows of features/panel_demand that the item has, less region, panel and bucket."""
    y = counts(item, weeks)
    store, week = np.nonzero(y)
    days = (FIRST_WEEK + 7 * week).astype("datetime64[D]").astype(object)
    named = {"store_id": store.astype(str), "item_id": str(item), "category_id": str(item % CATEGORIES)}
    return pd.DataFrame({**named, "week": days, "quantity": y[store, week], "promoted": 0.0})


def with_spark(items: int, weeks: int, scratch: Path) -> Work:
    """Makes the panel and the network; the work is to score."""
    from pyspark.sql import functions as F

    from shelfcast.networks.scoring import NetworkScorer
    from shelfcast.panel import Axis
    from shelfcast.panels import PRODUCT, bucket_of
    from shelfcast.session import open_session

    settings = {"spark.driver.memory": "1g", "spark.local.dir": str(scratch)}
    spark = open_session("benchmark", {"spark.master": "local[2]", **settings})
    columns = "store_id string, item_id string, category_id string, week date, quantity double, promoted double"

    def rows_of(parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for part in parts:
            yield from (sparse_rows(int(item), weeks) for item in part["id"])

    made = spark.range(0, items, 1, 16).mapInPandas(rows_of, columns)
    named = made.select(F.lit(PRODUCT).alias("panel"), bucket_of(BUCKETS).alias("bucket"), "*")
    place = str(scratch / "panel.parquet")
    named.write.parquet(place)
    panel = spark.read.parquet(place)
    days = tuple((FIRST_WEEK + 7 * np.arange(weeks)).astype("datetime64[D]").astype(object))
    axis = Axis(days, 52, HORIZON, from_first_sale=True)
    # In a process of its own: TensorFlow is the workers', whose memory is measured, and not the driver's.
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:
        network = apart.submit(write_network, items, scratch).result()

    def work(number: int) -> dict[str, Any]:
        finished = str(scratch / f"finished-{number}")
        scorer = NetworkScorer(axis, {("mlp", weeks): network}, 1, wanted={"mlp"}, finished=finished)
        out = str(scratch / "forecasts.parquet")
        scorer.score(panel, BUCKETS).write.mode("overwrite").parquet(out)
        found = spark.read.parquet(out)
        return {"rows": found.where("p98 is not null and y_hat is not null").count()}

    return work


def write_network(items: int, scratch: Path) -> str:
    """A network of the usual size that knows every store and item, as it is before training."""
    from shelfcast.models.mlp.forecaster import Forecaster, dumps
    from shelfcast.models.mlp.network import Design, make_network
    from shelfcast.settings.networks import Networks

    words = {"store_id": STORES, "item_id": items, "category_id": CATEGORIES}
    usual = Networks()
    sizes = tuple(count + 1 for count in words.values())
    design = Design("mlp", HORIZON, sizes, usual.units, usual.blocks, usual.dropout, usual.calendar)
    known = {name: [str(number) for number in range(count)] for name, count in words.items()}
    made = Forecaster(design, make_network(design, SEED), known, non_negative=True, country="US")
    path = scratch / "mlp.zip"
    path.write_bytes(dumps(made))
    return str(path)


def long(items: int, weeks: int) -> pd.DataFrame:
    """As the tools read it: unique_id, ds, y."""
    y = np.concatenate([counts(item, weeks) for item in range(items)])
    days = (FIRST_WEEK + 7 * np.arange(weeks)).astype("datetime64[ns]")
    return pd.DataFrame({"unique_id": np.repeat(np.arange(len(y)), weeks), "ds": np.tile(days, len(y)), "y": y.ravel()})


def with_mlforecast(items: int, weeks: int) -> Work:
    import lightgbm as lgb
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import ExpandingMean, RollingMean

    booster = lgb.LGBMRegressor(
        n_estimators=AS_IT_COMES.trees, learning_rate=AS_IT_COMES.rate, num_leaves=AS_IT_COMES.leaves, n_jobs=2,
        verbose=-1,
    )  # fmt: skip
    tool = MLForecast(
        models={"lightgbm": booster},
        freq="W-MON",
        lags=[1, 2, 3, 4, 8, 52],
        lag_transforms={1: [RollingMean(4), RollingMean(8), RollingMean(13), ExpandingMean()]},
        date_features=["week", "month"],
    )
    x, y = tool.preprocess(long(items, weeks), return_X_y=True)
    rows = np.random.default_rng(SEED).permutation(len(x))[:LEARNED_ROWS]
    tool.fit_models(x.iloc[rows], y[rows])
    return lambda _: {"rows": len(tool.predict(HORIZON))}


def with_statsforecast(items: int, weeks: int) -> Work:
    from statsforecast import StatsForecast
    from statsforecast.models import TSB as Tsb

    frame = long(items, weeks)
    tool = StatsForecast(models=[Tsb(0.1, 0.1)], freq="W-MON", n_jobs=1)
    return lambda _: {"rows": len(tool.forecast(df=frame, h=HORIZON))}


def play(contestant: str, items: int, weeks: int, runs: int, scratch: Path) -> None:
    """In the contestant's own process: make the series, start, run so often, tell."""
    makers: dict[str, Callable[[], Work]] = {
        OURS: lambda: with_spark(items, weeks, scratch),
        LIGHTGBM: lambda: with_mlforecast(items, weeks),
        TSB: lambda: with_statsforecast(items, weeks),
    }
    work = makers[contestant]()
    contest(time.time(), work, runs)


def race(arguments: argparse.Namespace) -> dict[str, Any]:
    """Each contestant's seconds, and series a second once started; the load of the machine before."""
    found: dict[str, Any] = {}
    for contestant in (OURS, LIGHTGBM, TSB):
        own = argparse.Namespace(**{**vars(arguments), "items": arguments.items if contestant == OURS else
                                    min(arguments.peer_items, arguments.items)})  # fmt: skip
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as scratch:
            started = command(__file__, contestant, own, "items", "weeks", "runs", scratch=scratch)
            result = measured(started, {**os.environ, **spark_environment()})
        series = STORES * own.items
        if result["rows"] != series * HORIZON:
            raise SystemExit(f"{contestant}: found {result['rows']} rows, wanted a row a series and step")
        found[contestant] = result | {"series": series, "load": load}
        found[contestant]["series_a_second"] = round(series / result["median_s"])
    return found


def show(found: dict[str, Any]) -> None:
    titles = ("series", "series/s", "median", "start-up", "processor")
    print(f"{'':22s} " + " ".join(f"{title:>10s}" for title in titles) + f" {'peak':>8s} load")
    for name, result in found.items():
        cells = "{:8.2f} s {:8.2f} s {:8.2f} s".format(*(result[key] for key in ("median_s", "startup_s", "cpu_s")))
        counted = f"{result['series']:10,d} {result['series_a_second']:10,d}"
        print(f"{name:22s} {counted} {cells} {result['peak_gb']:5.2f} GB {result['load']:.1f}")
    print(f"wanted: 544,310 series in {WANTED_S:.0f} s once started, and {WANTED_GB:.0f} GB")


def main() -> None:
    parser = make_parser(__doc__, items=6890, weeks=104, peer_items=690, runs=1)
    parser.add_argument("--play", choices=(OURS, LIGHTGBM, TSB), help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play:
        play(arguments.play, arguments.items, arguments.weeks, arguments.runs, arguments.scratch)
        return
    if importlib.util.find_spec("mlforecast") is None:
        parser.exit(1, "mlforecast: not installed; wanted the extra `bench`\n")
    found = race(arguments)
    show(found)
    write_json(found, arguments.out)


if __name__ == "__main__":
    main()
