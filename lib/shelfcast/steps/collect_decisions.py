"""the file of decisions that the configuration names, or those of the folder -> inventory/order_decisions"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path, PurePath

from pyarrow import fs
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from shelfcast import storage
from shelfcast.config import Config
from shelfcast.errors import ConfigError, SourceError
from shelfcast.inbox import reachable
from shelfcast.inventory import decisions
from shelfcast.inventory.tables import ORDER_DECISIONS
from shelfcast.job import Job, Run
from shelfcast.sources.files import require_read

_FORMS = (".csv", ".jsonl")


def job(config: Config) -> Job:
    return Job("collect_decisions", (), (ORDER_DECISIONS,), (), collect_decisions, dated=False, stamp=_stamp)


def collect_decisions(run: Run) -> None:
    """Add the decisions of files that are new or have changed to those of earlier ones. A row that counts for nothing
    is kept with its reason."""
    known = (
        run.lake.read(ORDER_DECISIONS, run.config.region)
        if run.lake.exists(ORDER_DECISIONS)
        else run.spark.createDataFrame([], ORDER_DECISIONS.schema)
    )
    files, taken = _files(run), _taken(run)
    fresh = [file for file, mark in files.items() if taken.get(file) != mark]
    new = [decisions.judged(_read(run, group), run.config.region, _named(group)) for group in _alike(fresh)]
    found = decisions.merged(known, reduce(DataFrame.unionByName, new)) if new else known
    run.write(ORDER_DECISIONS, found, files=files)
    problems = run.read(ORDER_DECISIONS).where("problem is not null").agg(F.count(F.lit(1)), F.min("problem")).first()
    if problems and problems[0]:
        run.say(f"{problems[0]} decisions count for nothing, such as: {problems[1]}")


def _taken(run: Run) -> Mapping[str, str]:
    """The files that are in the table already, with their marks; none that another code has judged."""
    commit = run.lake.last_commit(ORDER_DECISIONS, run.scope(ORDER_DECISIONS))
    if commit is None or commit.note.get("code_version") != run.job.code:
        return {}
    taken: dict[str, str] = commit.note.get("files", {})
    return taken


def _files(run: Run) -> dict[str, str]:
    """The file that is named, or those of the folder, which may be empty yet, each with a mark that changes with it.

    Raises ConfigError where none is named, SourceError where it is not there, of another form, or named so that nothing
    of it would be read.
    """
    named = run.config.inventory.decisions
    if named is None:
        raise ConfigError("inventory.decisions: not given; wanted a file of decisions, .csv or .jsonl, or a folder")
    path = PurePath(named)
    if not path.suffix:
        found = [one for form in _FORMS for one in storage.survey(named, f"[!.]*{form}").items()]
        for file, _ in found:
            require_read(file)
        return {file: _mark(info) for file, info in found if info.size}
    if path.suffix not in _FORMS:
        raise SourceError(f"decisions: found {path.name}, wanted a file that ends in .csv or .jsonl")
    if not storage.is_file(named):
        raise SourceError(f"decisions: no file {named}; wanted the one that inventory.decisions names")
    require_read(named)
    return {named: _mark(storage.about(named))}


def _mark(info: fs.FileInfo) -> str:
    return f"{info.size} {info.mtime_ns}"


def _alike(files: Sequence[str]) -> list[list[str]]:
    """The files that are read together: a header names the columns of its own file alone."""
    lines = [file for file in files if file.endswith(".jsonl")]
    return [[file] for file in files if file not in lines] + ([lines] if lines else [])


def _read(run: Run, files: Sequence[str]) -> DataFrame:
    whole = [file if "://" in file else str(Path(file).absolute()) for file in files]
    paths = reachable(run, whole)
    if files[0].endswith(".csv"):
        rows = run.spark.read.csv(paths, header=True)
    else:
        rows = run.spark.read.option("primitivesAsString", True).json(paths)
    # The later line of the later file.
    told = F.struct("_metadata.file_modification_time", "_metadata.file_name", F.monotonically_increasing_id())
    return rows.withColumn(decisions.TOLD, told)


def _named(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else files[0].rpartition("/")[0]


def _stamp(run: Run) -> str:
    told = "".join(f"{PurePath(file).name} {mark}\n" for file, mark in _files(run).items())
    return hashlib.sha256(told.encode()).hexdigest()
