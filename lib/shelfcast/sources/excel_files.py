"""Excel workbooks (xlsx, xlsm, xlsb, xls) and OpenDocument sheets: read by Spark's workers, a task a file, as text."""

import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from shelfcast.errors import SourceError
from shelfcast.sources.csv_files import MALFORMED, require_columns, require_once
from shelfcast.sources.raw import METADATA, file_name
from shelfcast.storage import literally

# Beside the columns of the file, whatever they are named.
_FILE = "_file"
_OF_THIS_MACHINE = re.compile(r"^file:/+")


def read_excel(
    spark: SparkSession, files: Sequence[str], wanted: Sequence[str], sheet: str | None = None, decimal: str = "."
) -> list[DataFrame]:
    """The rows of `files` as text, a frame for each header among them, and MALFORMED. sheet: its name, else the first.

    Numbers have `decimal` before their fractions, days are yyyy-MM-dd. Raises SourceError or SchemaError, naming the
    file, where it is no workbook with the columns `wanted` in that sheet.
    """
    books = (
        spark.read.format("binaryFile")
        .load([*map(literally, files)])
        .select("path", file_name().alias("file_name"), "content")
    )
    by_header: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in _headers(books, sheet).collect():
        file = _OF_THIS_MACHINE.sub("/", row["path"])
        if row["problem"]:
            raise SourceError(f"{file}: {row['problem']}; wanted a workbook{f' with a sheet {sheet}' if sheet else ''}")
        names = json.loads(row["names"])
        require_once(file, [name for name in names if name])
        require_columns(file, names, wanted)
        by_header[tuple(names)].append(row["path"])
    return [_rows(books.where(F.col("path").isin(*paths)), names, sheet, decimal) for names, paths in by_header.items()]


def cells_of(content: bytes, sheet: str | None) -> list[list[Any]]:
    """The rows of a sheet. Raises ValueError, saying what was found, where the content is no workbook that has it."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        if sheet is not None and sheet not in book.sheet_names:
            raise ValueError(f"sheets {', '.join(book.sheet_names)}")
        found = book.get_sheet_by_name(sheet) if sheet is not None else book.get_sheet_by_index(0)
        return list(found.to_python(skip_empty_area=True))
    except CalamineError as error:
        raise ValueError(f"cannot be read ({str(error).splitlines()[0]})") from None


def as_text(cell: Any, decimal: str = ".") -> str | None:
    """A cell as it would stand in a text file; None where it is empty.

    >>> as_text(7.0), as_text(1049.5, ","), as_text(datetime(2016, 12, 24)), as_text(True), as_text("")
    ('7', '1049,5', '2016-12-24', 'TRUE', None)
    """
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() else repr(cell).replace(".", decimal)
    if isinstance(cell, datetime):
        return str(cell.date() if cell.time() == time() else cell)
    return str(cell) if cell is not None and cell != "" else None


def _headers(books: DataFrame, sheet: str | None) -> DataFrame:
    """path, names (JSON) or problem: of each file."""

    def header(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            for path, content in zip(frame["path"], frame["content"], strict=True):
                yield pd.DataFrame([(path, *_header(content, sheet))], columns=["path", "names", "problem"])

    return books.select("path", "content").mapInPandas(header, "path string, names string, problem string")


def _header(content: bytes, sheet: str | None) -> tuple[str | None, str | None]:
    try:
        rows = cells_of(content, sheet)
    except ValueError as error:
        return None, str(error)
    if not rows:
        return None, "an empty sheet"
    return json.dumps([(as_text(cell) or "").strip() for cell in rows[0]]), None


def _rows(books: DataFrame, names: Sequence[str], sheet: str | None, decimal: str) -> DataFrame:
    named = [name for name in names if name]

    def rows(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            for name, content in zip(frame["file_name"], frame["content"], strict=True):
                texts = [[as_text(cell, decimal) for cell in row] for row in cells_of(content, sheet)[1:]]
                yield pd.DataFrame(
                    [(*_under(names, row), _beyond(names, row), name) for row in texts],
                    columns=[*named, MALFORMED, _FILE],
                    dtype=object,
                )

    columns = ", ".join(f"`{name}` string" for name in (*named, MALFORMED, _FILE))
    read = books.select("file_name", "content").mapInPandas(rows, columns)
    return read.withColumn(METADATA, F.struct(F.col(_FILE).alias("file_name"))).drop(_FILE)


def _under(names: Sequence[str], row: Sequence[str | None]) -> list[str | None]:
    """The cells that stand under a name."""
    return [cell for name, cell in zip(names, row, strict=False) if name]


def _beyond(names: Sequence[str], row: Sequence[str | None]) -> str | None:
    """The row, where a cell of it stands under no name."""
    stray = any(cell for name, cell in zip(names, row, strict=False) if not name) or any(row[len(names) :])
    return json.dumps(row) if stray else None
