"""the file of decisions that the configuration names, or those of the folder -> inventory/order_decisions"""

import hashlib
from collections.abc import Sequence
from functools import reduce
from pathlib import Path, PurePath

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import storage
from shelfcast.config import Config
from shelfcast.errors import ConfigError, SourceError
from shelfcast.inbox import reachable
from shelfcast.inventory import decisions
from shelfcast.inventory.tables import ORDER_DECISIONS
from shelfcast.job import Job, Run

_FORMS = (".csv", ".jsonl")


def job(config: Config) -> Job:
    return Job("collect_decisions", (), (ORDER_DECISIONS,), (), collect_decisions, dated=False, stamp=_stamp)


def collect_decisions(run: Run) -> None:
    """Add the decisions of the files to those of earlier ones. A row that counts for nothing is kept with its
    reason."""
    known = (
        run.lake.read(ORDER_DECISIONS, run.config.region)
        if run.lake.exists(ORDER_DECISIONS)
        else run.spark.createDataFrame([], ORDER_DECISIONS.schema)
    )
    new = [decisions.judged(_read(run, files), run.config.region, _named(files)) for files in _alike(_files(run))]
    run.write(ORDER_DECISIONS, reduce(decisions.merged, new, known))
    problems = run.read(ORDER_DECISIONS).where("problem is not null").agg(F.count(F.lit(1)), F.min("problem")).first()
    if problems and problems[0]:
        run.say(f"{problems[0]} decisions count for nothing, such as: {problems[1]}")


def _files(run: Run) -> list[str]:
    """The file that is named, or those of the folder, which may be empty yet.

    Raises ConfigError where none is named, SourceError where it is not there or of another form.
    """
    named = run.config.inventory.decisions
    if named is None:
        raise ConfigError("inventory.decisions: not given; wanted a file of decisions, .csv or .jsonl, or a folder")
    path = PurePath(named)
    if not path.suffix:
        return [file for form in _FORMS for file in storage.find(named, f"[!.]*{form}") if storage.read_head(file, 1)]
    if path.suffix not in _FORMS:
        raise SourceError(f"decisions: found {path.name}, wanted a file that ends in .csv or .jsonl")
    if not storage.is_file(named):
        raise SourceError(f"decisions: no file {named}; wanted the one that inventory.decisions names")
    return [named]


def _alike(files: Sequence[str]) -> list[list[str]]:
    """The files that are read together: a header names the columns of its own file alone."""
    lines = [file for file in files if file.endswith(".jsonl")]
    return [[file] for file in files if file not in lines] + ([lines] if lines else [])


def _read(run: Run, files: Sequence[str]) -> DataFrame:
    whole = [file if "://" in file else str(Path(file).absolute()) for file in files]
    paths = reachable(run, whole)
    if files[0].endswith(".csv"):
        return run.spark.read.csv(paths, header=True)
    return run.spark.read.option("primitivesAsString", True).json(paths)


def _named(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else files[0].rpartition("/")[0]


def _stamp(run: Run) -> str:
    digest = hashlib.sha256()
    for file in _files(run):
        digest.update(PurePath(file).name.encode() + b"\0" + storage.read_bytes(file))
    return digest.hexdigest()
