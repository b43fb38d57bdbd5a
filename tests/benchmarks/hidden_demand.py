"""How far sales are below demand on generated chains, and how far what is recovered is.

    python tests/benchmarks/hidden_demand.py FOLDER [--seeds 104729 1299709] [--weeks 130] [--out FILE.json]

For each seed a chain as conf/chains/tiny.yaml describes it, but of 20 stores and 200 products, goes through the jobs
ingest, clean and aggregate into a lake in the folder, and weekly demand is compared with what was asked for. Affected
weeks are those with a day on which a shelf was empty or ran out. The same sales without counts and receipts show what
silence alone tells. No other seed than those of development, 27 and 4711, was looked at before.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from commandline import make_parser, write_json
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from shelfcast import config, schemas
from shelfcast.availability.absence import Rules
from shelfcast.availability.rows import Calendar
from shelfcast.availability.shelves import find_spells
from shelfcast.availability.tables import AVAILABILITY, OUT_OF_STOCK
from shelfcast.generator.chain import Chain, load_chain
from shelfcast.generator.generate import generate
from shelfcast.generator.world import Course, World, course, draw_world
from shelfcast.runner import Runner
from shelfcast.session import open_session
from shelfcast.steps import aggregate, clean, ingest

ROOT = Path(__file__).parents[2]
SIZE = {"stores": 20, "products": 200, "vendors": 10, "assortment": 0.5, "block_products": 50}
# As many rows a week that a store lists a product as in the file.
ROWS_A_WEEK = 2360
KEYS = ["store_id", "item_id"]
WANTED = "at most 0.01 either way"


def make_chain(seed: int, weeks: int) -> Chain:
    size = {**SIZE, "weeks": weeks, "first_day": load_chain("bench").first_day}
    return load_chain("tiny", ROWS_A_WEEK * weeks, seed).model_copy(update=size)


def run_jobs(spark: SparkSession, folder: Path, chain: Chain) -> Runner:
    if not (folder / "files" / "truth" / "chain.parquet").exists():
        generate(spark, chain, folder / "files")
    last = chain.first_day + timedelta(days=chain.days - 1)
    own = [f"source.path={folder / 'files'}", f"lake={folder / 'lake'}", f"cleaning.first_day={chain.first_day}"]
    own += [f"cleaning.last_day={last}", f"cleaning.outliers.learn_until={chain.first_day + timedelta(days=27)}"]
    runner = Runner(spark, config.load(ROOT / "conf" / "tiny.yaml", own))
    for step in (ingest, clean, aggregate):
        runner.run(step.job(runner.config))
    return runner


def courses(chain: Chain, truth: Path) -> Iterator[tuple[Course, pd.DataFrame]]:
    """What the chain's blocks went through, with store_id and item_id of their pairs."""
    made = pd.read_parquet(truth / "chain.parquet").iloc[0]
    drawn = draw_world(chain)
    world = World(chain, drawn.stores, drawn.vendors, drawn.products, float(made["scale"]), float(made["safety"]))
    for block in range(chain.blocks):
        seen = course(world, world.block(block))
        store = world.stores["number"].astype(str).to_numpy()[seen.pairs["store"]]
        item = seen.products["number"].astype(str).to_numpy()[seen.pairs["product"]]
        yield seen, pd.DataFrame({"store_id": store, "item_id": item, "kind": seen.pairs["kind"].to_numpy()})


def true_weeks(chain: Chain, truth: Path) -> pd.DataFrame:
    """A row a pair and week: wanted, sold, mean (units), out (days out of stock)."""
    parts = []
    for seen, pairs in courses(chain, truth):
        values = {"wanted": seen.wanted * seen.listed, "sold": seen.sold, "mean": seen.mean, "out": seen.out_of_stock}
        weekly = {name: days.reshape(chain.weeks, 7, -1).sum(axis=1).ravel() for name, days in values.items()}
        week = np.repeat(chain.first_day + np.arange(chain.weeks) * timedelta(weeks=1), len(pairs))
        parts.append(pd.concat([pairs] * chain.weeks, ignore_index=True).assign(week=week, **weekly))
    return pd.concat(parts, ignore_index=True)


def measure(weeks: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Bias of sales and of what is recovered, over all weeks and over affected ones."""
    affected = (weeks["out"] > 0) | (weeks["recovered"] > weeks["quantity"])
    return {
        name: {
            "weeks": len(rows),
            "wanted": float(rows["wanted"].sum()),
            "sales": float(rows["quantity"].sum() / rows["wanted"].sum() - 1),
            "recovered": float(rows["recovered"].sum() / rows["wanted"].sum() - 1),
            "recovered_of_true_mean": float(rows["recovered"].sum() / rows["mean"].sum() - 1),
        }
        for name, rows in (("all", weeks), ("affected", weeks[affected]))
    }


def days_found(spells: pd.DataFrame, chain: Chain, truth: Path) -> dict[str, float]:
    """Precision and recall of days out of stock. spells: store_id, item_id, first_day, last_day."""
    spans = {key: rows[["first_day", "last_day"]].to_numpy() for key, rows in spells.groupby(KEYS)}
    said = right = true = 0
    for seen, pairs in courses(chain, truth):
        for n, key in enumerate(pairs[KEYS].itertuples(index=False, name=None)):
            found = np.zeros(chain.days, dtype=bool)
            for first, last in spans.get(key, ()):
                found[(first - chain.first_day).days : (last - chain.first_day).days + 1] = True
            out = seen.out_of_stock[:, n]
            said, right, true = said + found.sum(), right + (found & out).sum(), true + out.sum()
    return {"days": int(said), "precision": float(right / max(said, 1)), "recall": float(right / true)}


def silence_alone(chain: Chain, truth: Path, rules: Rules) -> dict[str, Any]:
    """What the sales tell without counts and receipts."""
    last = chain.first_day + timedelta(days=chain.days - 1)
    calendar, spells, lost, wanted, sold = Calendar(chain.first_day, last, (last,)), [], 0.0, 0.0, 0.0
    for seen, pairs in courses(chain, truth):
        day, pair = np.nonzero(seen.sold)
        when = np.datetime64(chain.first_day) + day
        rows = pairs.iloc[pair][KEYS].assign(day=when, kind="sold", quantity=seen.sold[day, pair].astype(float))
        found, days = find_spells(rows, calendar, rules)
        spells.append(found[found["state"] == OUT_OF_STOCK])
        lost, sold = lost + days["units"].sum(), sold + seen.sold.sum()
        wanted += (seen.wanted * seen.listed).sum()
    biases = {"sales": float(sold / wanted - 1), "recovered": float((sold + lost) / wanted - 1)}
    return biases | days_found(pd.concat(spells), chain, truth)


def score(runner: Runner, chain: Chain, truth: Path) -> dict[str, Any]:
    region = runner.config.region
    weekly = runner.lake.read(schemas.DEMAND["weekly"], region).where("level = 'product'")
    found = weekly.select(*KEYS, "week", "quantity", F.col("recovered_quantity").alias("recovered")).toPandas()
    weeks = true_weeks(chain, truth).merge(found, how="left", on=[*KEYS, "week"])
    weeks = weeks.fillna({"quantity": 0.0, "recovered": 0.0})
    spells = runner.lake.read(AVAILABILITY, region).where(F.col("state") == OUT_OF_STOCK)
    rules = Rules(**runner.config.hidden_demand.model_dump(exclude={"enabled"}))
    return {
        "weekly": measure(weeks),
        "classes": {str(kind): measure(rows) for kind, rows in weeks.groupby("kind")},
        "days": days_found(spells.select(*KEYS, "first_day", "last_day").toPandas(), chain, truth),
        "silence_alone": silence_alone(chain, truth, rules),
    }


def show(seed: int, found: dict[str, Any]) -> None:
    for name, one in found["weekly"].items():
        print(f"seed {seed}, {name} weeks: sales {one['sales']:+.4f}, recovered {one['recovered']:+.4f} of what was "
              f"wanted ({one['weeks']:,} weeks, {one['wanted']:,.0f} units); wanted {WANTED}")  # fmt: skip
    for name in ("days", "silence_alone"):
        one = found[name]
        print(f"seed {seed}, {name}: {one['days']:,} out of stock, precision {one['precision']:.3f}, recall "
              f"{one['recall']:.3f}")  # fmt: skip
    alone = found["silence_alone"]
    print(f"seed {seed}, by silence alone: sales {alone['sales']:+.4f}, recovered {alone['recovered']:+.4f}")


def main() -> None:
    parser = make_parser(__doc__, weeks=130)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="for the chains and their lakes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[104729, 1299709])
    flags = parser.parse_args()
    spark = open_session("hidden demand", {"spark.master": "local[2]"})
    found = {}
    for seed in flags.seeds:
        folder, chain = flags.folder.absolute() / str(seed), make_chain(seed, flags.weeks)
        found[seed] = score(run_jobs(spark, folder, chain), chain, folder / "files" / "truth")
        show(seed, found[seed])
    write_json({"wanted": WANTED, "seeds": found}, flags.out)


if __name__ == "__main__":
    main()
