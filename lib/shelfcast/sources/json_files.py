"""JSON as received: an object a line, in the types that are wanted."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, SparkSession

from shelfcast.settings.encodings import java_name
from shelfcast.sources.csv_files import MALFORMED
from shelfcast.sources.text import head_of


def read_json(spark: SparkSession, files: Sequence[str], wanted: Mapping[str, str], encoding: str) -> DataFrame:
    """The rows of `files`, and the text of those that are none in MALFORMED. wanted: column -> its type, MALFORMED's
    too; further ones are read as text.

    Raises SourceError, naming the file, where it is no text in the encoding.
    """
    for file in files:
        head_of(file, encoding, "lines of JSON")
    reader = spark.read.option("columnNameOfCorruptRecord", MALFORMED)
    if encoding != "utf-8":
        # Of another encoding Spark wants to be told how a line ends.
        reader = reader.option("encoding", java_name(encoding)).option("lineSep", "\n")
    further = [name for name in reader.json(list(files)).columns if name not in wanted]
    columns = {**wanted, **dict.fromkeys(further, "string")}
    return reader.schema(", ".join(f"`{name}` {kind}" for name, kind in columns.items())).json(list(files))
