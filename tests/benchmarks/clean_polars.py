"""The chain's sales with Polars: read, judge, keep the first of each key, sum by week; three Parquet files."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
from chain_rules import COLUMNS, FIRST_DAY, LAST_DAY, MAX_PRICE, MAX_QUANTITY, REPLACEMENT, THOUSANDS

_KEY = ["store_id", "product_id", "sold_on"]
_CONTENT = ["source_quantity", "unit_price", "revenue", "excise_tax"]
# Polars pads short rows and must be told of longer ones: two fields more than the header are room for those that occur.
_ROOM = ("_15", "_16")


def open_engine(threads: int, _: Path) -> Callable[[Sequence[str], Path], Mapping[str, int]]:
    # It reads POLARS_MAX_THREADS when it is imported, and never again.
    assert pl.thread_pool_size() == threads
    return run


def run(files: Sequence[str], out: Path) -> Mapping[str, int]:
    judged = _judged(files).collect(engine="streaming")
    texts = _texts_of_suspects(files, judged)
    malformed = pl.col("_number").is_in(list(texts))
    judged = judged.with_columns(pl.when(malformed).then(pl.lit("malformed_row")).otherwise("rule").alias("rule"))
    kept, counts = _without_repeated(judged.lazy().filter(pl.col("rule").is_null()).select(*_KEY, *_CONTENT).collect())
    refused = judged.filter(pl.col("rule").is_not_null() & (pl.col("rule") != "blank"))
    rows = [
        json.dumps({"malformed_row": texts[number]}) if number in texts else json.dumps(row)
        for number, row in zip(refused["_number"], refused["_raw"], strict=True)
    ]
    quarantine = refused.select(pl.lit("sales").alias("source_table"), "rule", pl.Series("row", rows, pl.String))
    kept.with_columns(known_from="sold_on").write_parquet(out / "sales.parquet")
    quarantine.write_parquet(out / "quarantine.parquet")
    _weekly(kept).write_parquet(out / "weekly.parquet")
    blank = judged.filter(pl.col("rule") == "blank").height
    return {"clean": kept.height, "quarantined": quarantine.height, **counts, "blank": blank}


def _judged(files: Sequence[str]) -> pl.LazyFrame:
    """The canonical columns, each row's number and rule, and the received row where it is refused or its form is in
    doubt."""
    received = pl.scan_csv(
        list(files),
        has_header=False,
        skip_lines=1,
        schema=dict.fromkeys((*COLUMNS, *_ROOM), pl.String),
        missing_columns="insert",
        row_index_name="_number",
    )
    day = pl.col("SalesDate").str.strip_chars(" ")
    parsed = received.with_columns(
        _name("Store").alias("store_id"),
        _name("Brand").alias("product_id"),
        pl.coalesce(
            day.str.to_date(form, strict=False, cache=True) for form in ("%-m/%-d/%Y", "%m-%d-%Y", "%Y-%m-%d")
        ).alias("sold_on"),
        _number("SalesQuantity").alias("source_quantity"),
        _number("SalesPrice").alias("unit_price"),
        _number("SalesDollars").alias("revenue"),
        _number("ExciseTax").alias("excise_tax"),
    )
    # A short row has nothing in its last place; whether it is one, its line must say.
    in_doubt = pl.col(COLUMNS[-1]).is_null() | pl.any_horizontal(pl.col(name).is_not_null() for name in _ROOM)
    return parsed.with_columns(_rule().alias("rule"), in_doubt.alias("_in_doubt")).select(
        "_number",
        *_KEY,
        *_CONTENT,
        "rule",
        "_in_doubt",
        pl.when(pl.col("rule").is_not_null()).then(pl.struct(COLUMNS)).alias("_raw"),
    )


def _name(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars(" ")
    return pl.when(text != "").then(text)


def _number(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars(" ")
    plain = pl.when(text.str.contains(THOUSANDS)).then(text.str.replace_all(",", "", literal=True)).otherwise(text)
    return plain.cast(pl.Float64, strict=False)


def _rule() -> pl.Expr:
    quantity, revenue, price, day = (pl.col(n) for n in ("source_quantity", "revenue", "unit_price", "sold_on"))
    rules = {
        "blank": pl.all_horizontal(pl.col(n).str.strip_chars(" ").fill_null("") == "" for n in (*COLUMNS, *_ROOM)),
        "repeated_header": pl.col(COLUMNS[0]).str.strip_chars(" ") == COLUMNS[0],
        "undecodable_text": pl.any_horizontal(pl.col(n).str.contains(REPLACEMENT, literal=True) for n in COLUMNS),
        "missing_store": pl.col("store_id").is_null(),
        "missing_product": pl.col("product_id").is_null(),
        "missing_or_unreadable_date": day.is_null(),
        "missing_or_unreadable_quantity": quantity.is_null() | quantity.is_nan(),
        "missing_or_unreadable_revenue": revenue.is_null() | revenue.is_nan(),
        "date_out_of_range": ~day.is_between(FIRST_DAY, LAST_DAY),
        "impossible_quantity": quantity.abs() > MAX_QUANTITY,
        "impossible_price": (price < 0) | (price > MAX_PRICE),
        "contradictory_signs": quantity * revenue < 0,
    }
    return pl.coalesce(pl.when(condition).then(pl.lit(name)) for name, condition in rules.items())


def _texts_of_suspects(files: Sequence[str], judged: pl.DataFrame) -> dict[int, str]:
    """The lines, by their rows' numbers, that have more or fewer fields than the header and say anything."""
    suspects = judged.filter(pl.col("_in_doubt") & (pl.col("rule") != "blank").fill_null(value=True))["_number"]
    lines = pl.scan_lines(list(files), row_index_name="_line", include_file_paths="_file")
    # Each file's first line is its header: rows are numbered without.
    part = pl.col("_file").rle_id().cast(pl.UInt32)
    numbered = lines.with_columns((pl.col("_line") - part - 1).alias("_number")).filter(
        pl.col("_number").is_in(suspects)
    )
    commas = pl.col("line").str.replace_all('"[^"]*"', "").str.count_matches(",", literal=True)
    odd = numbered.filter(commas != len(COLUMNS) - 1).select("_number", pl.col("line").str.strip_chars_end("\r"))
    return dict(odd.collect(engine="streaming").iter_rows())


def _without_repeated(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    twice = rows.lazy().group_by(_KEY).len().filter(pl.col("len") > 1).collect(engine="streaming")
    repeated = rows.join(twice.select(_KEY), on=_KEY, how="semi").sort(*_KEY, *_CONTENT)
    first = repeated.unique(_KEY, keep="first", maintain_order=True)
    others = repeated.height - first.height
    # Duplicates say the same as the first: that others repeat one another does not make them that.
    same = repeated.join(first, on=[*_KEY, *_CONTENT], how="semi", nulls_equal=True).height - first.height
    kept = pl.concat([rows.join(twice.select(_KEY), on=_KEY, how="anti"), first])
    return kept, {"duplicates": same, "superseded": others - same}


def _weekly(kept: pl.DataFrame) -> pl.DataFrame:
    sold = kept.lazy().filter(pl.col("source_quantity") > 0)
    week = pl.col("sold_on").dt.truncate("1w").alias("week")
    summed = sold.group_by("store_id", "product_id", week).agg(
        pl.col("source_quantity").sum().alias("quantity"), pl.col("revenue").sum(), pl.len().alias("sales")
    )
    return summed.collect(engine="streaming")
