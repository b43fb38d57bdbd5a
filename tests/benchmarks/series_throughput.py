"""Series a second: TSB in this project's buckets on Spark, beside statsforecast and mlforecast in one process.

    python tests/benchmarks/series_throughput.py [--series 10000] [--periods 365] [--horizon 28] [--out FILE.json]

The series are Poisson counts, half of them zero, as in the published measurement. On Spark sparse rows are read from
Parquet, each bucket is made dense, forecast with the best of fifteen pairs of constants, and written as Parquet. The
tools are given the dense series in memory and one pair of constants; with that pair and their start our recursion gives
their numbers, which is checked.
"""

import argparse
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from commandline import command, make_parser, write_json
from measured import contest, measured

from shelfcast.models.statistical import smoothed_sales
from shelfcast.panel import FloatArray
from shelfcast.submit import spark_environment

CONTESTANTS = ("shelfcast on Spark", "statsforecast", "statsforecast, 2 processes", "mlforecast, ridge")
CONSTANT, SEED, BUCKETS, FIRST_WEEK = 0.1, 27, 8, date(2010, 1, 4)
WANTED = 1500
Work = Callable[[int], dict[str, Any]]


def counts(series: int, periods: int) -> FloatArray:
    """Poisson counts of which half are zero, shape (series, periods)."""
    rng = np.random.default_rng(SEED)
    return rng.poisson(rng.uniform(0.3, 1.1, (series, 1)), (series, periods)).astype(np.float64)


def long(y: FloatArray) -> pd.DataFrame:
    """As the tools read it: unique_id, ds, y."""
    series, periods = y.shape
    ids, steps = np.repeat(np.arange(series), periods), np.tile(np.arange(periods), series)
    return pd.DataFrame({"unique_id": ids, "ds": steps, "y": y.ravel()})


def with_spark(y: FloatArray, horizon: int, scratch: Path) -> Work:
    from shelfcast.panel import Axis
    from shelfcast.scoring import Scorer
    from shelfcast.session import open_session

    spark = open_session("benchmark", {"spark.master": "local[2]", "spark.local.dir": str(scratch)})
    row, step = np.nonzero(y)
    weeks = np.array([FIRST_WEEK + timedelta(weeks=n) for n in range(y.shape[1])])
    store, item = (row // 100).astype(str), (row % 100).astype(str)
    sparse = pd.DataFrame({"store_id": store, "item_id": item, "category_id": "c", "week": weeks[step]})
    sparse = sparse.assign(
        panel="product", bucket=(row % 100 % BUCKETS).astype("int32"), quantity=y[row, step], promoted=0.0
    )
    sparse.assign(size_rank=pd.array([None] * len(sparse), "Int32")).to_parquet(scratch / "panel.parquet")
    panel = spark.read.parquet(str(scratch / "panel.parquet"))
    scorer = Scorer(Axis(tuple(weeks), 52, horizon, True), (y.shape[1],), ("tsb",), {}, {}, 0, "US")

    def work(_: int) -> dict[str, Any]:
        out = str(scratch / "forecasts.parquet")
        scorer.score(panel, BUCKETS).write.mode("overwrite").parquet(out)
        return {"rows": spark.read.parquet(out).count()}

    return work


def with_statsforecast(y: FloatArray, horizon: int, processes: int) -> Work:
    from statsforecast import StatsForecast
    from statsforecast.models import TSB

    frame = long(y)
    tool = StatsForecast(models=[TSB(CONSTANT, CONSTANT)], freq=1, n_jobs=processes)

    def work(_: int) -> dict[str, Any]:
        made = tool.forecast(df=frame, h=horizon)
        theirs = made["TSB"].to_numpy().reshape(len(y), horizon)[:, 0]
        return {"rows": len(made), "difference": float(np.abs(theirs - with_their_start(y)).max())}

    return work


def with_their_start(y: FloatArray) -> FloatArray:
    """What our recursion says with one pair of constants, begun at the first sale and the first period."""
    first_sale = np.take_along_axis(y, np.argmax(y > 0, axis=1)[:, None], axis=1)
    first_chance = (y[:, :1] > 0).astype(np.float64)
    return smoothed_sales(y, first_sale, first_chance, np.array([(CONSTANT, CONSTANT)]))[1][:, 0]


def with_mlforecast(y: FloatArray, horizon: int) -> Work:
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean
    from sklearn.linear_model import Ridge

    frame = long(y)

    def work(_: int) -> dict[str, Any]:
        tool = MLForecast(models=[Ridge()], freq=1, lags=[1, 2, 3, 7], lag_transforms={1: [RollingMean(13)]})
        return {"rows": len(tool.fit(frame).predict(horizon))}

    return work


def play(contestant: str, series: int, periods: int, horizon: int, runs: int, scratch: Path) -> None:
    """In the contestant's own process: make the series, start, run so often, tell."""
    y = counts(series, periods)
    makers: dict[str, Callable[[], Work]] = {
        "shelfcast on Spark": lambda: with_spark(y, horizon, scratch),
        "statsforecast": lambda: with_statsforecast(y, horizon, 1),
        "statsforecast, 2 processes": lambda: with_statsforecast(y, horizon, 2),
        "mlforecast, ridge": lambda: with_mlforecast(y, horizon),
    }
    work = makers[contestant]()
    contest(time.time(), work, runs)


def race(arguments: argparse.Namespace) -> dict[str, Any]:
    """Each contestant's seconds, and series a second once started."""
    found: dict[str, Any] = {}
    for contestant in CONTESTANTS:
        with tempfile.TemporaryDirectory() as scratch:
            names = ("series", "periods", "horizon", "runs")
            started = command(__file__, contestant, arguments, *names, scratch=scratch)
            result = measured(started, {**os.environ, **spark_environment()})
        if result["rows"] != arguments.series * arguments.horizon:
            raise SystemExit(f"{contestant}: found {result['rows']} rows, wanted a row a series and step")
        if result.get("difference", 0.0) > 1e-9:
            raise SystemExit(f"{contestant}: our TSB differs by {result['difference']}, wanted the same numbers")
        found[contestant] = result | {"series_a_second": round(arguments.series / result["median_s"])}
    return found


def show(found: dict[str, Any]) -> None:
    print(f"{'':28s} {'series/s':>9s} {'median':>9s} {'first':>9s} {'start-up':>9s} {'processor':>10s} {'peak':>8s}")
    for name, result in found.items():
        times = (result[key] for key in ("median_s", "first_s", "startup_s", "cpu_s"))
        cells = "{:7.2f} s {:7.2f} s {:7.2f} s {:8.2f} s".format(*times)
        print(f"{name:28s} {result['series_a_second']:9,d} {cells} {result['peak_gb']:5.2f} GB")


def main() -> None:
    parser = make_parser(__doc__, series=10_000, periods=365, horizon=28, runs=3)
    parser.add_argument("--play", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play:
        play(arguments.play, arguments.series, arguments.periods, arguments.horizon, arguments.runs, arguments.scratch)
        return
    if importlib.util.find_spec("mlforecast") is None:
        parser.exit(1, "mlforecast: not installed; wanted the extra `bench`\n")
    found = race(arguments)
    show(found)
    write_json(found, arguments.out)


if __name__ == "__main__":
    main()
