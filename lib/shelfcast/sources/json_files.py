"""JSON as received: an object a line, in the types that are wanted."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F

from shelfcast.settings.encodings import java_name
from shelfcast.sources.csv_files import MALFORMED, require_columns
from shelfcast.sources.raw import file_name
from shelfcast.sources.text import head_of
from shelfcast.storage import literally


def read_json(
    spark: SparkSession, files: Sequence[str], wanted: Mapping[str, str], encoding: str, spare: Collection[str] = ()
) -> list[DataFrame]:
    """The rows of `files`, those with the same columns together, and the text of those that are none in MALFORMED.
    wanted: column -> its type, MALFORMED's too; further ones are read as text. spare: those of them that a file may
    lack.

    Raises SourceError, naming the file, where it is no text in the encoding, and SchemaError where no row of it tells
    of a column and one tells of another that is not known. Writers leave out what is null: a column that is away, with
    none in its place, is no fault.
    """
    for file in files:
        head_of(file, encoding, "lines of JSON")
    told = _told(_reader(spark, encoding), files)
    columns = [name for name in wanted if name != MALFORMED]
    for file in files:
        names = told[Path(file).name]
        if not {*names} <= {*columns}:
            require_columns(file, names, [name for name in columns if name not in spare])
    alike = defaultdict(list)
    for file in files:
        alike[tuple(name for name in told[Path(file).name] if name not in wanted)].append(file)
    return [_read_alike(spark, group, {**wanted, **dict.fromkeys(further, "string")}, encoding)
            for further, group in alike.items()]  # fmt: skip


def _read_alike(spark: SparkSession, files: Sequence[str], kinds: Mapping[str, str], encoding: str) -> DataFrame:
    schema = ", ".join(f"`{name}` {kind}" for name, kind in kinds.items())
    reader = _reader(spark, encoding).option("columnNameOfCorruptRecord", MALFORMED).schema(schema)
    return reader.json([*map(literally, files)])


def _reader(spark: SparkSession, encoding: str) -> DataFrameReader:
    if encoding == "utf-8":
        return spark.read
    # Of another encoding Spark wants to be told how a line ends.
    return spark.read.option("encoding", java_name(encoding)).option("lineSep", "\n")


def _told(reader: DataFrameReader, files: Sequence[str]) -> Mapping[str, list[str]]:
    """File -> the columns that its rows tell of, sorted."""
    rows = reader.option("singleVariantColumn", "_row").json([*map(literally, files)])
    named = rows.select(file_name().alias("file"), F.explode(F.json_object_keys(F.to_json("_row"))).alias("name"))
    told = defaultdict(list)
    for row in named.distinct().orderBy("file", "name").collect():
        told[row["file"]].append(row["name"])
    return told
