"""The network on generated chains whose truth is known, beside seasonal naive, TSB and ETS.

    python tests/benchmarks/known_truth.py FOLDER [--seeds 8191 65537] [--minutes N] [--set key=value ...]
        [--out FILE.json]

For each seed a chain as conf/chains/tiny.yaml describes it, but of 130 weeks, 10 stores and 100 products, whose shelves
are hardly ever empty (what was not sold is not seen), goes through the pipeline's jobs into a lake in the folder: what
is scored are the rows of forecasts/network_backtests and forecasts/backtests. No other seed than those of development,
27 and 4711, was ever looked at before. The tools' quantiles are conformal ones of their own earlier windows, so that
all are compared behind the last cutoff alone, the network's mean behind all three. After `--minutes` no further job is
begun, and the same command goes on from there.
"""

import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from commandline import make_parser, write_json
from parts import AGAIN, TimeIsUpError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from scores import (
    covered,
    kept_quantiles,
    pinball_ratio,
    pit_shares,
    poisson_deviance,
    scaled_rmse,
    share_of_naive_rmse,
)
from true_weeks import quantiles, weekly_distribution

from shelfcast import config, schemas
from shelfcast.forecasting import conformal
from shelfcast.generator.chain import Chain, load_chain
from shelfcast.generator.generate import generate
from shelfcast.generator.true_demand import with_true_demand
from shelfcast.metrics import pinball, wape
from shelfcast.negative_binomial import DISPERSIONS, distribution, fit_dispersion
from shelfcast.panels import PRODUCT
from shelfcast.runner import Runner
from shelfcast.session import open_session
from shelfcast.steps import aggregate, build_features, clean, ingest, train_baselines, train_mlp

ROOT = Path(__file__).parents[2]
JOBS: tuple[ModuleType, ...] = (ingest, clean, aggregate, build_features, train_baselines, train_mlp)
TOOLS = ("seasonal_naive", "tsb", "ets")
LEVELS = tuple(conformal.QUANTILES.values())
NAMES = list(conformal.QUANTILES)
SIZE = {"weeks": 130, "stores": 10, "products": 100, "vendors": 10, "assortment": 0.6, "block_products": 50}
# As many rows a week that a store lists a product as in the file, so that its classes keep their shape.
ROWS = 92_000
# No week of these chains comes near it.
MOST = 2048
KEYS = ("cutoff", "store_id", "item_id", "step")
WANTED = {
    "rmse_of_naive": "at most 0.10",
    "deviance_ratio": "at most 1.05",
    "bias": "within 0.02, of a class within 0.05",
    "median_wape_ratio": "at most 1.05",
    "pinball_ratio": "at most 1.05",
}


def make_chain(seed: int) -> Chain:
    tiny, bench = load_chain("tiny", ROWS, seed), load_chain("bench")
    shelves = tiny.replenishment.model_copy(update={"out_of_stock": 0.001})
    return tiny.model_copy(update={**SIZE, "first_day": bench.first_day, "replenishment": shelves})


def settings(folder: Path, changes: Sequence[str]) -> config.Config:
    first = load_chain("bench").first_day
    own = [
        f"source.path={folder / 'files'}",
        f"lake={folder / 'lake'}",
        f"cleaning.first_day={first}",
        "cleaning.outliers.learn_until=2016-09-25",
        "backtest.season=52",
        "backtest.category_models=[zero, seasonal_naive]",
        f"backtest.product_models=[zero, {', '.join(TOOLS)}]",
        "backtest.slow_models=[]",
        "networks.panels=[product]",
    ]
    return config.load(ROOT / "conf" / "tiny.yaml", [*own, *changes])


def run_jobs(spark: SparkSession, folder: Path, seed: int, changes: Sequence[str], deadline: float) -> Runner:
    """The lake of one seed, made as far as time allows. Raises TimeIsUpError."""
    if not (folder / "files" / "truth" / "chain.parquet").exists():
        generate(spark, make_chain(seed), folder / "files")
    runner = Runner(spark, settings(folder, changes))
    for step in JOBS:
        if time.monotonic() > deadline:
            raise TimeIsUpError(f"seed {seed}: {step.__name__} not begun; the same command goes on from here")
        runner.run(step.job(runner.config))
    return runner


def scored_rows(runner: Runner, truth: str) -> pd.DataFrame:
    """A row a cutoff, series and step of the panel of products: what came, what the network (mlp, NAMES) and each of
    TOOLS said, the demand class, and the true distribution: daily means, visit, dispersion."""
    region = runner.config.region
    said = runner.lake.read(schemas.NETWORK_BACKTESTS, region).where("model = 'mlp'")
    rows = said.select(*KEYS, "week", "y", F.col("y_hat").alias("mlp"), "naive_mse", *NAMES)
    others = runner.lake.read(schemas.BACKTESTS, region).where(F.col("panel") == PRODUCT)
    for tool in TOOLS:
        own = others.where(F.col("model") == tool).select(*KEYS, F.col("y_hat").alias(tool))
        rows = rows.join(own, list(KEYS))
    pairs = runner.spark.read.parquet(f"{truth}/pairs.parquet")
    classes = pairs.select("store_id", F.col("product_id").alias("item_id"), "demand_class")
    found = _with_days(rows.join(classes, ["store_id", "item_id"], how="left"), truth).toPandas()
    return found.sort_values(list(KEYS), ignore_index=True)


def _with_days(rows: DataFrame, truth: str) -> DataFrame:
    """Adds the true means of the week's days, `daily`, and visit and dispersion."""
    days = F.explode(F.sequence("week", F.date_add("week", 6))).alias("day")
    by_day = with_true_demand(rows.withColumnRenamed("item_id", "product_id").select("*", days), truth)
    told = [F.first(name).alias(name) for name in (*rows.columns, "visit", "dispersion") if name not in KEYS]
    means = F.transform(F.sort_array(F.collect_list(F.struct("day", "mean"))), lambda one: one["mean"])
    return by_day.withColumnRenamed("product_id", "item_id").groupBy(*KEYS).agg(*told, means.alias("daily"))


def with_truth(rows: pd.DataFrame) -> pd.DataFrame:
    """Adds the week's true mean, and its true quantiles as true_p10 ...; rows that no store lists are left out."""
    known = rows[rows["visit"].notna()].reset_index(drop=True)
    daily = np.stack(known["daily"].to_list())
    whole = weekly_distribution(daily, known["visit"].to_numpy(), known["dispersion"].to_numpy(), MOST)
    true = quantiles(whole, LEVELS)
    named = {f"true_{name}": true[:, place] for place, name in enumerate(NAMES)}
    return known.assign(true_mean=daily.sum(axis=1), **named)


def against_truth(rows: pd.DataFrame) -> dict[str, float]:
    """The network's figures of WANTED on some rows, and what the sizes are."""
    y, mean, true = (rows[name].to_numpy() for name in ("y", "mlp", "true_mean"))
    said, best = rows[NAMES].to_numpy(), rows[[f"true_{name}" for name in NAMES]].to_numpy()
    return {
        "rows": len(rows),
        "rmse_of_naive": share_of_naive_rmse(true, mean, rows["seasonal_naive"].to_numpy()),
        "deviance_ratio": poisson_deviance(y, mean) / poisson_deviance(y, true),
        "bias": float(mean.sum() / true.sum() - 1),
        "bias_of_demand": float(y.sum() / true.sum() - 1),
        "median_wape_ratio": wape(y, said[:, 1]) / wape(y, best[:, 1]),
        "pinball_ratio": pinball_ratio(y, said, best, LEVELS),
    }


def against_tools(rows: pd.DataFrame, conformal_quantiles: dict[str, pd.DataFrame]) -> dict[str, dict[str, float]]:
    """RMSSE of the mean and pinball loss over all quantiles of the network and each tool."""
    y, naive = rows["y"].to_numpy(), rows["naive_mse"].to_numpy()
    series = (rows["store_id"] + " " + rows["item_id"] + " " + rows["cutoff"].astype(str)).to_numpy(dtype=str)
    quantiles_of = {"mlp": rows[NAMES]} | {tool: conformal_quantiles[tool].loc[rows.index] for tool in TOOLS}
    return {
        name: {
            "rmsse": scaled_rmse(y, rows[name].to_numpy(), naive, series),
            "pinball": sum(pinball(y, said[one].to_numpy(), level) for one, level in conformal.QUANTILES.items()),
        }
        for name, said in quantiles_of.items()
    }


def tool_quantiles(spark: SparkSession, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """NAMES of each tool behind the last cutoff: conformal ones of its windows before, by the index of `rows`."""
    last = rows["cutoff"].max()
    long = rows.reset_index().melt(["index", "cutoff", "y"], list(TOOLS), "level", "mean")
    frame = spark.createDataFrame(long, "index long, cutoff date, y double, level string, mean double")
    ratios = conformal.fit_ratios(frame.where(F.col("cutoff") < F.lit(last)))
    found = conformal.with_quantiles(frame.where(F.col("cutoff") == F.lit(last)), ratios).toPandas()
    return {tool: found[found["level"] == tool].set_index("index")[NAMES] for tool in TOOLS}


def calibrated(rows: pd.DataFrame, seed: int) -> dict[str, Any]:
    """How the network's quantiles keep their word, its intervals of large forecasts, and the randomized PIT of the
    negative binomial that orders are simulated with."""
    y, mean, said = rows["y"].to_numpy(), rows["mlp"].to_numpy(), rows[NAMES].to_numpy()
    dispersion = DISPERSIONS[fit_dispersion(mean, said, LEVELS)]
    large, share = covered(y, said[:, 0], said[:, 2], mean)
    pit = pit_shares(distribution(y - 1, mean, dispersion), distribution(y, mean, dispersion), seed)
    return kept_quantiles(y, said, LEVELS) | {"large": large, "covered": share, "pit": pit.round(4).tolist()}


def score(spark: SparkSession, rows: pd.DataFrame, seed: int) -> dict[str, Any]:
    """All figures of one seed, of all rows and by demand class."""
    last = rows[rows["cutoff"] == rows["cutoff"].max()]
    of_tools = tool_quantiles(spark, rows)
    classes = {"all": rows} | {str(name): part for name, part in rows.groupby("demand_class")}
    return {
        name: {
            "truth": against_truth(part),
            "tools": against_tools(last.loc[last.index.isin(part.index)], of_tools),
            "calibration": calibrated(part, seed),
        }
        for name, part in classes.items()
    }


def show(seed: int, found: dict[str, Any]) -> None:
    print(f"seed {seed}")
    for name, wanted in WANTED.items():
        cells = "  ".join(f"{kind} {told['truth'][name]:7.4f}" for kind, told in found.items())
        print(f"  {name:18s} {cells}  wanted {wanted}")
    for kind, told in found.items():
        for name, one in told["tools"].items():
            print(f"  {kind:13s} {name:15s} RMSSE {one['rmsse']:.4f}  pinball {one['pinball']:.4f}")
    for kind, told in found.items():
        own = told["calibration"]
        kept = ", ".join(f"{n} {own[n]['below']:.3f}..{own[n]['at_most']:.3f}" for n in NAMES)
        off = max(abs(share - 0.1) for share in own["pit"])
        print(f"  {kind:13s} {kept}; p10..p90 of {own['large']} large {own['covered']:.3f}; PIT off by {off:.3f}")


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="for the chains and their lakes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[8191, 65537])
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which no further job is begun")
    parser.add_argument("--set", action="append", default=[], dest="changes", metavar="key=value", help="of conf/tiny")
    flags = parser.parse_args()
    deadline = time.monotonic() + 60 * flags.minutes
    spark = open_session("known truth", {"spark.master": "local[2]"})
    found = {}
    for seed in flags.seeds:
        folder = flags.folder.absolute() / str(seed)
        try:
            runner = run_jobs(spark, folder, seed, flags.changes, deadline)
        except TimeIsUpError as stopped:
            sys.stderr.write(f"{stopped}\n")
            sys.exit(AGAIN)
        truth = str(folder / "files" / "truth")
        found[seed] = score(spark, with_truth(scored_rows(runner, truth)), seed)
        show(seed, found[seed])
    write_json({"wanted": WANTED, "seeds": found}, flags.out)


if __name__ == "__main__":
    main()
