"""What came before is judged anew where what came since has a say in it."""

import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from corner import line
from promised import shop

PRODUCTS = (
    "source.tables.products={files: products*.csv, received: [product, kind], "
    "columns: {product_id: product, category_id: kind}}"
)
LISTED = {
    "table": "sales",
    "severity": "quarantine",
    "reference": {"column": "product_id", "table": "products"},
}


@pytest.mark.slow
def test_a_sale_that_comes_again_once_its_product_is_listed_is_a_sale(spark: SparkSession, tmp_path: Path) -> None:
    corner = shop(spark, tmp_path, {"is_listed": LISTED}, PRODUCTS)
    corner.deliver("products-1.csv", "milk,food", header="product,kind")
    corner.deliver("sales-1.csv", line("a", "2017-01-02", 1), line("b", "2017-01-02", 2, product="rum"))
    corner.take_in()
    assert corner.sold() == {"a": 1}
    corner.deliver("products-2.csv", "rum,drink", header="product,kind")
    corner.deliver("sales-2.csv", line("b", "2017-01-02", 2, product="rum"), line("c", "2017-01-03", 1))
    corner.take_in()
    assert corner.sold() == {"a": 1, "b": 2, "c": 1}
    apart = corner.hashes()
    del apart["monitoring/contracts"]
    shutil.rmtree(Path(corner.runner.lake.path("clean")))
    corner.clean()
    assert {name: each for name, each in corner.hashes().items() if name in apart} == apart
