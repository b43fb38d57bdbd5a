"""Parquet files as received: each judged by its own columns, and read with those of the same ones."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from shelfcast.errors import SchemaError, SourceError
from shelfcast.failures import innermost, naming_what_is_away
from shelfcast.sources.raw import in_slices
from shelfcast.storage import literally
from shelfcast.table import Table


def read_parquet(
    spark: SparkSession, files: Sequence[str], wanted: Mapping[str, str], spare: Collection[str] = ()
) -> list[DataFrame]:
    """The rows of `files`, in parts that are read beside one another. wanted: column -> its type. spare: those of them
    that a file may lack.

    Raises SourceError where a file is no Parquet, SchemaError where a column is missing or of another type; each names
    the file.
    """
    alike: dict[StructType, list[str]] = defaultdict(list)
    for file in files:
        schema = _schema_of(spark, file)
        needed = {name: kind for name, kind in wanted.items() if name in schema.names or name not in spare}
        require_kinds(file, schema, needed)
        alike[schema].append(file)
    return [
        part
        for schema, group in alike.items()
        for part in in_slices(spark.read.schema(schema).parquet(*map(literally, group)))
    ]


def _schema_of(spark: SparkSession, file: str) -> StructType:
    try:
        with naming_what_is_away():
            return spark.read.parquet(literally(file)).schema
    except (PySparkException, Py4JJavaError) as error:
        raise SourceError(f"{file}: cannot be read ({innermost(error)}); wanted a whole Parquet file") from None


def require_kinds(file: str, found: StructType, wanted: Mapping[str, str]) -> None:
    """Raise SchemaError, naming the file, where a column is missing or of another type. wanted: column -> its type."""
    for field in Table("", ", ".join(f"`{name}` {kind}" for name, kind in wanted.items()), key=()).schema:
        if field.name not in found.names:
            raise SchemaError(f"{file}: no column {field.name}; found {', '.join(found.names)}")
        if found[field.name].dataType != field.dataType:
            kinds = found[field.name].dataType.simpleString(), field.dataType.simpleString()
            raise SchemaError(f"{file}: column {field.name} is {kinds[0]}, wanted {kinds[1]}")
