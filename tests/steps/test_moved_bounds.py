"""Bounds of quantities that a new catalogue moves, and older quantities with them."""

import json
import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from corner import KEY, REGION, Corner, line
from shelfcast import schemas
from shelfcast.cleaning import quantities
from shelfcast.job import Run

GOODS = {
    "files": "goods*.csv",
    "received": ["article", "kind"],
    "columns": {"product_id": "article", "category_id": "kind"},
}


class Killed(Exception):
    """What a run dies of."""


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Corner:
    """Its rum is bounded as what else is in its category: one piece of milk, or a hundred of gin."""
    corner = Corner(
        spark, tmp_path, KEY, f"source.tables.products={json.dumps(GOODS)}", "cleaning.outliers.min_sales=2"
    )
    many = [line(f"m{n}", "2016-12-05", 1) for n in range(3)]
    many += [line(f"g{n}", "2016-12-05", 100, product="gin") for n in range(3)]
    corner.deliver("sales-1.csv", *many, line("r", "2017-01-02", 90, product="rum"))
    corner.deliver("goods-1.csv", "milk,dairy", "gin,spirits", "rum,dairy", header="article,kind")
    corner.take_in()
    return corner


def capped(shop: Corner) -> float:
    (row,) = shop.runner.lake.read(schemas.SALES, REGION).where("product_id = 'rum'").collect()
    return float(row.capped_quantity)


@pytest.mark.slow
def test_a_run_killed_once_the_bounds_are_written_caps_older_quantities_by_them_when_it_is_made_again(
    shop: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert capped(shop) < 90
    shop.deliver("goods-2.csv", "rum,spirits", header="article,kind")
    shop.ingest()
    whole = Run.write

    def dying(run: Run, table: object, *arguments: object, **told: object) -> None:
        whole(run, table, *arguments, **told)  # type: ignore[arg-type]
        if table == schemas.QUANTITY_BOUNDS:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Run, "write", dying)
        with pytest.raises(Killed):
            shop.clean()
    assert shop.clean()
    assert capped(shop) == 90
    again = shop.hashes()
    shutil.rmtree(Path(shop.runner.lake.path("clean")))
    assert shop.clean()
    assert shop.hashes() == again


@pytest.mark.slow
def test_bounds_are_learned_once_where_new_sales_move_none(shop: Corner, monkeypatch: pytest.MonkeyPatch) -> None:
    learned = []
    learn = quantities.learn_quantity_bounds
    monkeypatch.setattr(quantities, "learn_quantity_bounds", lambda *told: learned.append(1) or learn(*told))
    shop.deliver("sales-2.csv", line("n", "2017-01-03", 1), line("s", "2017-01-03", 2, product="sake"))
    assert shop.take_in() == (True, True)
    assert shop.operations("clean/sales")[-1] == "MERGE"
    bounds = shop.runner.lake.read(schemas.QUANTITY_BOUNDS, REGION).collect()
    found = {row.product_id: row.learned_from for row in bounds}
    assert found == {"milk": "product", "gin": "product", "rum": "category", "sake": "all"}
    assert len(learned) == 1
