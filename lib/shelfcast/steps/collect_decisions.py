"""the file of decisions that the configuration names -> inventory/order_decisions"""

import hashlib
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast.config import Config
from shelfcast.errors import ConfigError, SourceError
from shelfcast.inventory import decisions
from shelfcast.inventory.tables import ORDER_DECISIONS
from shelfcast.job import Job, Run


def job(config: Config) -> Job:
    return Job("collect_decisions", (), (ORDER_DECISIONS,), (), collect_decisions, dated=False, stamp=_stamp)


def collect_decisions(run: Run) -> None:
    """Add the file's decisions to those of earlier files. A row that counts for nothing is kept with its reason."""
    path = _file(run)
    new = decisions.judged(_read(run, path), run.config.region, str(path))
    known = (
        run.lake.read(ORDER_DECISIONS, run.config.region)
        if run.lake.exists(ORDER_DECISIONS)
        else run.spark.createDataFrame([], ORDER_DECISIONS.schema)
    )
    run.write(ORDER_DECISIONS, decisions.merged(known, new))
    problems = run.read(ORDER_DECISIONS).where("problem is not null").agg(F.count(F.lit(1)), F.min("problem")).first()
    if problems and problems[0]:
        run.say(f"{problems[0]} decisions count for nothing, such as: {problems[1]}")


def _file(run: Run) -> Path:
    """Raises ConfigError where none is named, SourceError where it is not there or of another form."""
    named = run.config.inventory.decisions
    if named is None:
        raise ConfigError("inventory.decisions: not given; wanted a file of decisions, .csv or .jsonl")
    path = Path(named)
    if path.suffix not in (".csv", ".jsonl"):
        raise SourceError(f"decisions: found {path.name}, wanted a file that ends in .csv or .jsonl")
    if not path.is_file():
        raise SourceError(f"decisions: no file {path}; wanted the one that inventory.decisions names")
    return path


def _read(run: Run, path: Path) -> DataFrame:
    if path.suffix == ".csv":
        return run.spark.read.csv(str(path.absolute()), header=True)
    return run.spark.read.option("primitivesAsString", True).json(str(path.absolute()))


def _stamp(run: Run) -> str:
    return hashlib.sha256(_file(run).read_bytes()).hexdigest()
