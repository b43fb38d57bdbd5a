"""`shelfcast generate`: a chain's files and truth, each block of products by a Spark task of its own."""

from collections import Counter
from functools import partial
from operator import add
from pathlib import Path

from pyspark.sql import SparkSession

from shelfcast.errors import ConfigError
from shelfcast.generator import truth
from shelfcast.generator.block import write_block
from shelfcast.generator.calibration import Measured, calibrated, measure
from shelfcast.generator.chain import Chain
from shelfcast.generator.world import World, draw_world


def generate(spark: SparkSession, chain: Chain, out: Path) -> Counter[str]:
    """Write the six files of `chain` into the folder `out`, in parts, and the truth into out/truth.

    Returns rows by file. The same chain, seed and rows make the same bytes, whatever Spark's tasks and cores. Raises
    ConfigError where `out` holds anything already or cannot be made, or the chain cannot have its number of rows.
    """
    _require_empty(out)
    world = calibrated(draw_world(chain), partial(_measure_all, spark))
    _make(out)
    # Workers write beside this process in local mode; elsewhere `out` is a folder that all machines share.
    folder = out.absolute()
    shared = spark.sparkContext.broadcast(world)
    blocks = spark.sparkContext.parallelize(range(chain.blocks), chain.blocks)
    rows = blocks.map(lambda block: write_block(shared.value, block, folder)).reduce(add)
    # last: a chain without its world was interrupted, and nobody takes it for whole
    truth.write_world(world, folder / "truth")
    return rows


def _measure_all(spark: SparkSession, world: World) -> Measured:
    shared = spark.sparkContext.broadcast(world)
    blocks = spark.sparkContext.parallelize(range(world.chain.blocks), world.chain.blocks)
    found = blocks.map(lambda block: measure(shared.value, block)).reduce(add)
    shared.unpersist()
    return found


def _make(out: Path) -> None:
    """Before workers try it, whose errors come with all that led there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{out}: cannot be made ({error.strerror}); wanted a folder that this user may write to"
        ) from None


def _require_empty(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out}: found files there already; wanted an empty folder, or none")
