"""CSV files as received: judged by their first lines, then read as text, a column a name of the header.

What is wrong with a whole file is an error that names it, before anything is written; what is wrong with a row is kept
with the row, for quarantine.
"""

import codecs
import csv
import difflib
import gzip
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from shelfcast.errors import SchemaError, SourceError

# The text of a row that has more or fewer fields than the header.
MALFORMED = "malformed_row"
_HEAD_BYTES = 65_536
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_REPLACEMENT = "\ufffd"
_THOUSANDS = r"^-?\d{1,3}(,\d{3})+(\.\d*)?$"
_NOTHING_BUT_COMMAS = r'^[\s,"]*$'


def find_files(folder: str, pattern: str, what: str) -> list[str]:
    """The files of `folder` that `pattern` names, sorted. Raises SourceError where there is none."""
    found = sorted(Path(folder).glob(pattern))
    if not found:
        raise SourceError(f"{Path(folder) / pattern}: not there; wanted the {what}")
    for file in found:
        if not file.is_file():
            raise SourceError(f"{file}: a directory; wanted the {what}, a CSV file")
    return [str(file) for file in found]


def read_csv(spark: SparkSession, files: Sequence[str], wanted: Sequence[str]) -> list[DataFrame]:
    """The rows of `files` as text, a frame for each header among them, and MALFORMED.

    Raises SourceError or SchemaError, naming the file, where it is no CSV file with the columns `wanted`.
    """
    by_header: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for file in files:
        names = read_header(file)
        _require_columns(file, names, wanted)
        by_header[tuple(names)].append(file)
    return [_read_alike(spark, group, names) for names, group in by_header.items()]


def refusals(columns: Sequence[str]) -> dict[str, Column]:
    """What refuses a row whatever it is about: name -> whether it is so, of a frame with the row as `_raw`."""
    fields = [F.col(f"_raw.`{name}`") for name in columns]
    return {
        "malformed_row": F.col(f"_raw.{MALFORMED}").isNotNull(),
        "repeated_header": F.trim(fields[0]) == columns[0],
        "undecodable_text": F.contains(F.concat_ws("", *fields), F.lit(_REPLACEMENT)),
    }


def read_header(file: str) -> list[str]:
    """The names in the first line. Raises SourceError where the file is no text in UTF-8, SchemaError where two columns
    share a name."""
    line = _LINE_END.split(_text(file, _head(file)), maxsplit=1)[0]
    names = [name.strip() for name in next(csv.reader([line]), [])]
    found = {what: line.count(mark) for mark, what in _OTHER_DELIMITERS.items() if line.count(mark)}
    if len(names) < 2 and found:
        raise SourceError(f"{file}: the first line has {_most(found)} and no commas; wanted fields parted by commas")
    twice = sorted({name for name in names if [other.lower() for other in names].count(name.lower()) > 1})
    if twice:
        raise SchemaError(f"{file}: column {', '.join(twice)} is there twice; wanted each name once")
    return names


def name_in(column: str) -> Column:
    """A name or identifier without the blanks that pad it; null where nothing is left."""
    return F.nullif(F.trim(F.col(column)), F.lit(""))


def number_in(column: str) -> Column:
    """A number as written; null where it is none. Fractions stand behind a point here, so that in "1,049.00" a comma
    parts thousands; in "1,5" it parts nothing that can be told."""
    text = F.trim(F.col(column))
    # Few rows have a comma: it is looked for before its place is.
    has_thousands = F.contains(text, F.lit(",")) & text.rlike(_THOUSANDS)
    return F.when(has_thousands, F.replace(text, F.lit(","), F.lit(""))).otherwise(text).try_cast("double")


def text_columns(names: str) -> str:
    return ", ".join(f"{name} string" for name in (*names.split(), MALFORMED))


def _read_alike(spark: SparkSession, files: Sequence[str], names: Sequence[str]) -> DataFrame:
    schema = StructType([StructField(name, StringType()) for name in (*names, MALFORMED)])
    rows = (
        spark.read.schema(schema)
        .option("header", True)
        .option("escape", '"')
        .option("columnNameOfCorruptRecord", MALFORMED)
        .csv(list(files))
    )
    # A row of nothing but commas says nothing, however many they are.
    says_something = ~F.col(MALFORMED).rlike(_NOTHING_BUT_COMMAS)
    return rows.withColumn(MALFORMED, F.when(says_something, F.col(MALFORMED)))


def _head(file: str) -> bytes:
    open_file = gzip.open if file.endswith(".gz") else open
    try:
        with open_file(file, "rb") as handle:
            return bytes(handle.read(_HEAD_BYTES))
    except OSError as error:
        raise SourceError(f"{file}: cannot be read ({error}); wanted a CSV file") from None


def _text(file: str, head: bytes) -> str:
    if not head.strip():
        raise SourceError(f"{file}: empty; wanted a line of column names and rows")
    if head.startswith((_ZIP, _GZIP)):
        raise SourceError(f"{file}: a packed file; wanted it unpacked, or named .gz where gzip packed it")
    if head.startswith(_UTF_16):
        raise SourceError(f"{file}: text in UTF-16; wanted UTF-8")
    if b"\0" in head:
        raise SourceError(f"{file}: not text (a zero byte at {head.index(0)}); wanted a CSV file")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        raise SourceError(f"{file}: byte {error.start} is not UTF-8 text; wanted the file in UTF-8") from None


def _require_columns(file: str, names: Sequence[str], wanted: Sequence[str]) -> None:
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
