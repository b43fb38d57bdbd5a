"""CSV files as received: judged by their first lines, then read as text, a column a name of the header.

What is wrong with a whole file is an error that names it, before anything is written; what is wrong with a row is kept
with the row, for quarantine.
"""

import csv
import difflib
import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from shelfcast.errors import SchemaError, SourceError
from shelfcast.settings.encodings import java_name
from shelfcast.sources.text import head_of
from shelfcast.storage import literally

# The text of a row that has more or fewer fields than the header.
MALFORMED, _HEADER = "malformed_row", "repeated_header"
# The refusals of a line that is no row of the table.
NO_ROW = (MALFORMED, _HEADER)
_WANTED = "a line of column names and rows"
_LINE_END = re.compile(r"\r\n|\r|\n")
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_REPLACEMENT = "\ufffd"
_THOUSANDS = r"^-?\d{1,3}(%s\d{3})+(%s\d*)?$"


class Form(NamedTuple):
    """How a CSV file is written: what parts its fields, and its text."""

    delimiter: str = ","
    encoding: str = "utf-8"

    @property
    def is_of_bytes(self) -> bool:
        """Whether a line ends with the same byte as in ASCII, so that a file can be read in parts."""
        return "\n".encode(self.encoding) == b"\n"

    @property
    def delimiters(self) -> str:
        return _DELIMITERS.get(self.delimiter, repr(self.delimiter))


COMMAS = Form()


def read_csv(spark: SparkSession, files: Sequence[str], wanted: Sequence[str], form: Form = COMMAS) -> list[DataFrame]:
    """The rows of `files` as text, a frame for each header among them, and MALFORMED.

    Raises SourceError or SchemaError, naming the file, where it is no CSV file with the columns `wanted`.
    """
    by_header: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for file in files:
        names = read_header(file, form)
        require_columns(file, names, wanted)
        by_header[tuple(names)].append(file)
    return [_read_alike(spark, group, names, form) for names, group in by_header.items()]


def refusals(columns: Sequence[str], first: str | None = None) -> dict[str, Column]:
    """What refuses a row whatever it is about: name -> whether it is so, of a frame with the row as `_raw`. first: the
    first column as the header has it, where the raw table has it otherwise."""
    fields = [F.col(f"_raw.`{name}`") for name in columns]
    return {
        MALFORMED: F.col(f"_raw.{MALFORMED}").isNotNull(),
        _HEADER: F.trim(fields[0]) == (first or columns[0]),
        "undecodable_text": F.contains(F.concat_ws("", *fields), F.lit(_REPLACEMENT)),
    }


def read_header(file: str, form: Form = COMMAS) -> list[str]:
    """The names in the first line; a field without one is named by its place. Raises SourceError where the file is no
    text of that form, SchemaError where two columns share a name."""
    line = _LINE_END.split(head_of(file, form.encoding, _WANTED), maxsplit=1)[0]
    names = _named(next(csv.reader([line], delimiter=form.delimiter), []))
    found = {what: line.count(mark) for mark, what in _DELIMITERS.items() if line.count(mark)}
    if len(names) < 2 and found:
        wanted = form.delimiters
        raise SourceError(
            f"{file}: the first line has {_most(found)} and no {wanted}; wanted fields parted by {wanted}"
        )
    require_once(file, names)
    return names


def _named(fields: Sequence[str]) -> list[str]:
    names = [name.strip() for name in fields]
    taken = {name.lower() for name in names}
    for place, name in enumerate(names):
        free = (f"column_{place + 1}{'_' * times}" for times in count())
        names[place] = name or next(each for each in free if each not in taken)
    return names


def name_in(column: str) -> Column:
    """A name or identifier without the blanks that pad it; null where nothing is left."""
    return F.nullif(F.trim(F.col(column)), F.lit(""))


def number_in(column: str, decimal: str = ".") -> Column:
    """A number as written; null where it is none. `decimal` stands before fractions, and of "." and "," the other one
    parts thousands: "1,049.00" is one, while in "1,5" a comma parts nothing that can be told."""
    text, thousands = F.trim(F.col(column)), "," if decimal == "." else "."
    form = _THOUSANDS % (re.escape(thousands), re.escape(decimal))
    # Few rows have the mark: it is looked for before its place is.
    has_thousands = F.contains(text, F.lit(thousands)) & text.rlike(form)
    plain = F.when(has_thousands, F.replace(text, F.lit(thousands), F.lit(""))).otherwise(text)
    if decimal == ".":
        return plain.try_cast("double")
    # Where a comma is the mark of fractions, a point that parts no thousands is no number's.
    return F.when(~F.contains(plain, F.lit(".")), F.replace(plain, F.lit(decimal), F.lit("."))).try_cast("double")


def _read_alike(spark: SparkSession, files: Sequence[str], names: Sequence[str], form: Form) -> DataFrame:
    schema = StructType([StructField(name, StringType()) for name in (*names, MALFORMED)])
    reader = spark.read.schema(schema).option("header", True).option("escape", '"').option("sep", form.delimiter)
    reader = reader.option("encoding", java_name(form.encoding)).option("columnNameOfCorruptRecord", MALFORMED)
    # Of a row of which not all columns are asked for, as where a person's is dropped, Spark does not count the fields.
    reader = reader.option("columnPruning", False)
    # Where a line's end is several bytes, Spark finds it in a whole file alone.
    rows = reader.option("multiLine", not form.is_of_bytes).csv([*map(literally, files)])
    # A row of nothing but delimiters says nothing, however many they are.
    says_something = ~F.col(MALFORMED).rlike(rf'^[\s"{re.escape(form.delimiter)}]*$')
    return rows.withColumn(MALFORMED, F.when(says_something, F.col(MALFORMED)))


def require_once(file: str, names: Sequence[str]) -> None:
    """Raise SchemaError where two columns share a name."""
    twice = sorted({name for name in names if [other.lower() for other in names].count(name.lower()) > 1})
    if twice:
        raise SchemaError(f"{file}: column {', '.join(twice)} is there twice; wanted each name once")


def require_columns(file: str, names: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise SchemaError where a column is missing; it names the one that it may have become."""
    missing = [name for name in wanted if name not in names]
    if not missing:
        return
    unknown = [name for name in names if name not in wanted]
    likely = [f"{name} (is it {close[0]}?)" if (close := _close(name, unknown)) else name for name in missing]
    raise SchemaError(f"{file}: no column {', '.join(likely)}; found {', '.join(names)}")


def _close(name: str, others: Sequence[str]) -> list[str]:
    by_letters = {other.lower(): other for other in others}
    return [by_letters[found] for found in difflib.get_close_matches(name.lower(), list(by_letters), n=1)]


def _most(found: dict[str, int]) -> str:
    what = max(found, key=lambda name: found[name])
    return f"{found[what]} {what}"
