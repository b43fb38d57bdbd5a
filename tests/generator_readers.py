"""Read a generated chain back as its user would: rows as text, dates and numbers parsed here, by other means."""

import csv
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from shelfcast.generator.chain import Chain


@dataclass(frozen=True)
class Made:
    """A generated chain: its chain file, its folder and the counts that the command told."""

    chain: Chain
    out: Path
    counts: Counter[str]

    def parts(self, name: str) -> list[Path]:
        return sorted(self.out.glob(f"{name}*.csv"))

    def truth(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.out / "truth" / f"{name}.parquet")

    @cached_property
    def dirty(self) -> pd.DataFrame:
        return self.truth("dirty")

    def clean(self, name: str) -> pd.DataFrame:
        """The rows of a file that say what happened, as text: without those that the truth calls dirty and untrue."""
        untrue = self.dirty[~self.dirty["is_true"]].groupby("file")["line"].agg(set).to_dict()
        rows = []
        for part in self.parts(name):
            with part.open(newline="") as file:
                header, *lines = csv.reader(file)
            rows += [row for line, row in enumerate(lines, start=2) if line not in untrue.get(part.name, ())]
        return pd.DataFrame(rows, columns=header)


def units(column: pd.Series) -> pd.Series:
    return column.astype(int)


def cents(column: pd.Series) -> pd.Series:
    return (column.str.replace(",", "").astype(float) * 100).round().astype(int)


def days(column: pd.Series, form: str) -> pd.Series:
    return pd.to_datetime(column, format=form)
