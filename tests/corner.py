"""A corner shop whose sales come as small files, as its configuration maps them."""

from collections.abc import Callable, Sequence
from copy import copy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import DataFrame, SparkSession

from shelfcast import demand, schemas
from shelfcast.config import load
from shelfcast.job import Run
from shelfcast.resources import resource_folder
from shelfcast.runner import Runner
from shelfcast.sources import open_source
from shelfcast.steps import clean, ingest

CONF = Path(str(resource_folder("conf") / "walmart.yaml"))
REGION = "corner"
KEY = "{sales: [basket_id, product_id]}"
HEADER = "store,basket,product,day,pieces,money"
COLUMNS = {
    "store_id": "store",
    "basket_id": "basket",
    "product_id": "product",
    "sold_on": "day",
    "source_quantity": "pieces",
    "revenue": "money",
}


def line(basket: str, day: str, pieces: float, product: str = "milk", store: str = "s1") -> str:
    return f"{store},{basket},{product},{day},{pieces:g},{2 * pieces:g}"


class Corner:
    """Its files in `folder`, and the lake beside it. told: further keys of its table of sales."""

    def __init__(self, spark: SparkSession, folder: Path, keys: str = KEY, *changes: str, **told: Any) -> None:
        self.spark, self.folder, self._changes, self._told = spark, folder / "files", [*changes], told
        self.folder.mkdir(parents=True)
        self._base = [f"lake={folder / 'lake'}", f"region={REGION}", f"cleaning.keys={keys}"]
        self._base += ["cleaning.first_day=2016-12-01", "cleaning.last_day=2017-12-31", "cleaning.max_unit_price=1000"]
        self._base += ["cleaning.outliers.learn_until=2016-12-31"]

    def deliver(self, name: str, *rows: str, header: str = HEADER) -> None:
        (self.folder / name).write_text("\n".join((header, *rows, "")))

    def without(self, *tables: str) -> "Corner":
        """The same shop, its further tables left out of the configuration."""
        other = copy(self)
        other._changes = [
            change
            for change in self._changes
            if not change.startswith(tuple(f"source.tables.{name}=" for name in tables))
        ]
        return other

    def reading(self, **told: Any) -> "Corner":
        """The same shop, with other keys of its table of sales."""
        other = copy(self)
        other._told = {**self._told, **told}
        return other

    def received(self, name: str) -> DataFrame:
        runner = self.runner
        return runner.lake.read(open_source(runner.config).raw[name], REGION)

    @property
    def changes(self) -> list[str]:
        """What its configuration says otherwise than CONF."""
        sales = {"files": "sales*.csv", "received": HEADER.split(","), "columns": COLUMNS} | self._told
        source = {"kind": "mapped", "path": str(self.folder), "tables": {"sales": sales}}
        return [f"source={yaml.safe_dump(source)}", *self._base, *self._changes]

    @property
    def runner(self) -> Runner:
        return Runner(self.spark, load(CONF, self.changes))

    def ingest(self) -> bool:
        runner = self.runner
        return runner.run(ingest.job(runner.config))

    def clean(self) -> bool:
        runner = self.runner
        return runner.run(clean.job(runner.config))

    def killed_after(self, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
        """Run ingest, and be killed once the table is written."""
        whole: Callable[..., None] = Run.append_once

        def dying(run: Run, written: object, *arguments: object, **told: object) -> None:
            whole(run, written, *arguments, **told)
            if getattr(written, "name", "") == table:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Run, "append_once", dying)
            with pytest.raises(KeyboardInterrupt):
                self.ingest()

    def take_in(self) -> tuple[bool, bool]:
        """Whether each job had anything to do."""
        return self.ingest(), self.clean()

    def sold(self, as_of: str = "2017-12-31") -> dict[str, float]:
        """basket -> pieces, as known on that day; a basket that is there twice is named twice."""
        runner = self.runner
        key = runner.config.cleaning.key_of("sales")
        sales = demand.known_on(runner.lake.read(schemas.SALES, REGION), date.fromisoformat(as_of), key)
        rows = sorted((row.basket_id, row.source_quantity) for row in sales.collect())
        assert len({basket for basket, _ in rows}) == len(rows), rows
        return dict(rows)

    def account(self) -> dict[str, int]:
        (row,) = self.runner.lake.read(schemas.ROW_COUNTS, REGION).collect()
        counts = ("raw", "clean", "quarantined", "duplicates", "superseded", "blank")
        return {name: row[name] for name in counts if row[name]}

    def hashes(self) -> dict[str, str]:
        """Of what the clean tables hold, but for what tells of the single deliveries."""
        runner = self.runner
        tables = [table for table in clean.job(runner.config).writes if table.name != "clean/deliveries"]
        return {table.name: runner.lake.content_hash(table, REGION) for table in tables}

    def operations(self, table: str) -> Sequence[str]:
        """What each commit of a table did, oldest first."""
        history = self.spark.sql(f"describe history delta.`{self.runner.lake.path(table)}`")
        return [row.operation for row in history.orderBy("version").collect()]
