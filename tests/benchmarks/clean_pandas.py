"""The chain's sales with pandas: read with Arrow's reader file by file, judge, keep the first of each key, sum by week;
three Parquet files."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import reduce
from operator import and_, or_
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from chain_rules import COLUMNS, FIRST_DAY, LAST_DAY, MAX_PRICE, MAX_QUANTITY, REPLACEMENT, THOUSANDS

_KEY = ["store_id", "product_id", "sold_on"]
_CONTENT = ["source_quantity", "unit_price", "revenue", "excise_tax"]
_FORMS = ("%m/%d/%Y", "%m-%d-%Y", "%Y-%m-%d")
_TEXT = pd.ArrowDtype(pa.string())
_NUMBERS = {
    "source_quantity": "SalesQuantity",
    "unit_price": "SalesPrice",
    "revenue": "SalesDollars",
    "excise_tax": "ExciseTax",
}


def open_engine(threads: int, _: Path) -> Callable[[Sequence[str], Path], Mapping[str, int]]:
    pa.set_cpu_count(threads)
    return run


def run(files: Sequence[str], out: Path) -> Mapping[str, int]:
    parts = [_judged(file) for file in files]
    refused = pd.concat([refused for _, refused, _ in parts], ignore_index=True)
    kept, counts = _without_repeated(pd.concat([kept for kept, _, _ in parts], ignore_index=True))
    kept.assign(known_from=kept["sold_on"]).to_parquet(out / "sales.parquet", index=False)
    refused.assign(source_table="sales").to_parquet(out / "quarantine.parquet", index=False)
    _weekly(kept).to_parquet(out / "weekly.parquet", index=False)
    blank = sum(blank for _, _, blank in parts)
    return {"clean": len(kept), "quarantined": len(refused), **counts, "blank": blank}


def _judged(file: str) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """The rows that no rule refuses, the refused ones whole with their rule, and how many are blank."""
    malformed: list[str] = []

    def keep(row: pa.csv.InvalidRow) -> str:
        malformed.append(row.text)
        return "skip"

    received = pd.read_csv(file, engine="pyarrow", dtype=_TEXT, keep_default_na=False, on_bad_lines=keep)
    parsed = _parsed(received)
    rule = _rules(received, parsed)
    is_refused = rule.notna() & (rule != "blank")
    odd = pd.DataFrame({"malformed_row": [text for text in malformed if text.strip(' ,"\t\r\n')]}, dtype=_TEXT)
    refused = [("malformed_row", odd), (rule[is_refused], received[is_refused])]
    rows = [pd.DataFrame({"rule": rules, "row": _as_json(frame)}) for rules, frame in refused if len(frame)]
    blank = int((rule == "blank").sum()) + len(malformed) - len(odd)
    return parsed[rule.isna()], pd.concat(rows) if rows else pd.DataFrame({"rule": [], "row": []}), blank


def _as_json(rows: pd.DataFrame) -> list[str]:
    return rows.to_json(orient="records", lines=True).splitlines()


def _parsed(received: pd.DataFrame) -> pd.DataFrame:
    columns = {
        "store_id": _name(received["Store"]),
        "product_id": _name(received["Brand"]),
        "sold_on": _day(received["SalesDate"].str.strip(" ")),
        **{name: _number(received[column]) for name, column in _NUMBERS.items()},
    }
    return pd.DataFrame(columns)


def _day(text: pd.Series) -> pd.Series:
    dates = [pd.to_datetime(text, format=form, errors="coerce") for form in _FORMS]
    read = reduce(lambda known, other: known.fillna(other), dates)
    # The year 9999 is beyond what pandas counts in nanoseconds, and all the same a date.
    return read.fillna(text[read.isna()].map(_last_if_a_day).astype(read.dtype))


def _last_if_a_day(text: str) -> pd.Timestamp | None:
    for form in _FORMS:
        with suppress(ValueError):
            datetime.strptime(text, form)
            return pd.Timestamp.max
    return None


def _name(text: pd.Series) -> pd.Series:
    trimmed = text.str.strip(" ")
    return trimmed.mask(trimmed == "")


def _number(text: pd.Series) -> pd.Series:
    trimmed = text.str.strip(" ")
    grouped = trimmed.str.contains(",", regex=False) & trimmed.str.match(THOUSANDS)
    plain = trimmed.mask(grouped, trimmed.str.replace(",", "", regex=False))
    return pd.to_numeric(plain, errors="coerce").astype("float64")


def _rules(received: pd.DataFrame, parsed: pd.DataFrame) -> pd.Series:
    """The first rule that refuses each row, null where none does."""
    quantity, revenue, price = parsed["source_quantity"], parsed["revenue"], parsed["unit_price"]
    rules = {
        "blank": reduce(and_, [received[name].str.strip(" ") == "" for name in COLUMNS]),
        "repeated_header": received[COLUMNS[0]].str.strip(" ") == COLUMNS[0],
        "undecodable_text": reduce(or_, [received[name].str.contains(REPLACEMENT, regex=False) for name in COLUMNS]),
        "missing_store": parsed["store_id"].isna(),
        "missing_product": parsed["product_id"].isna(),
        "missing_or_unreadable_date": parsed["sold_on"].isna(),
        "missing_or_unreadable_quantity": quantity.isna(),
        "missing_or_unreadable_revenue": revenue.isna(),
        "date_out_of_range": ~parsed["sold_on"].between(pd.Timestamp(FIRST_DAY), pd.Timestamp(LAST_DAY)),
        "impossible_quantity": quantity.abs() > MAX_QUANTITY,
        "impossible_price": (price < 0) | (price > MAX_PRICE),
        "contradictory_signs": quantity * revenue < 0,
    }
    found = np.select([rule.to_numpy(dtype=bool) for rule in rules.values()], list(rules), default="")
    return pd.Series(found, index=received.index, dtype=object).where(found != "")


def _without_repeated(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    twice = rows.duplicated(_KEY, keep=False)
    repeated = rows[twice].sort_values([*_KEY, *_CONTENT])
    is_first = ~repeated.duplicated(_KEY)
    first = repeated[is_first]
    same = int(repeated[~is_first].merge(first, on=[*_KEY, *_CONTENT]).shape[0])
    kept = pd.concat([rows[~twice], first], ignore_index=True)
    return kept, {"duplicates": same, "superseded": int((~is_first).sum()) - same}


def _weekly(kept: pd.DataFrame) -> pd.DataFrame:
    sold = kept[kept["source_quantity"] > 0]
    week = sold["sold_on"] - pd.to_timedelta(sold["sold_on"].dt.weekday, unit="D")
    grouped = sold.assign(week=week).groupby(["store_id", "product_id", "week"], sort=False)
    return grouped.agg(
        quantity=("source_quantity", "sum"), revenue=("revenue", "sum"), sales=("revenue", "size")
    ).reset_index()
