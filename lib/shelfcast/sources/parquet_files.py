"""Parquet files as received: each judged by its own columns, and read with those of the same ones."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from shelfcast.errors import SchemaError, SourceError
from shelfcast.failures import innermost, naming_what_is_away
from shelfcast.sources.raw import in_slices
from shelfcast.table import Table


def read_parquet(spark: SparkSession, files: Sequence[str], wanted: Mapping[str, str]) -> list[DataFrame]:
    """The rows of `files`, in parts that are read beside one another. wanted: column -> its type.

    Raises SourceError where a file is no Parquet, SchemaError where a column is missing or of another type; each names
    the file.
    """
    alike: dict[StructType, list[str]] = defaultdict(list)
    kinds = Table("", ", ".join(f"`{name}` {kind}" for name, kind in wanted.items()), key=()).schema
    for file in files:
        schema = _schema_of(spark, file)
        _require(file, schema, kinds)
        alike[schema].append(file)
    return [part for schema, group in alike.items() for part in in_slices(spark.read.schema(schema).parquet(*group))]


def _schema_of(spark: SparkSession, file: str) -> StructType:
    try:
        with naming_what_is_away():
            return spark.read.parquet(file).schema
    except (PySparkException, Py4JJavaError) as error:
        raise SourceError(f"{file}: cannot be read ({innermost(error)}); wanted a whole Parquet file") from None


def _require(file: str, found: StructType, wanted: StructType) -> None:
    for field in wanted:
        if field.name not in found.names:
            raise SchemaError(f"{file}: no column {field.name}; found {', '.join(found.names)}")
        if found[field.name].dataType != field.dataType:
            kinds = found[field.name].dataType.simpleString(), field.dataType.simpleString()
            raise SchemaError(f"{file}: column {field.name} is {kinds[0]}, wanted {kinds[1]}")
