import ast
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from pyspark.sql import SparkSession

from shelfcast import config
from shelfcast.runner import Runner
from shelfcast.steps import plan_inventory
from shop import SUNDAY

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What each shows, somewhere.
SHOWN = {
    "explore_data": ["impossible_quantity", "Series of store and product", "Share of revenue by share of products"],
    "compare_models": ["moving_average", "Difference in WAPE", "WAPE by weeks ahead", "Calibration"],
    "plan_store": ["store 1, planned on 2016-11-27: 3 products", "suggested", "Position, reorder point", "overstock"],
}


@pytest.fixture(scope="module")
def planned(spark: SparkSession, shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The runner of a shop with its plan."""
    root = tmp_path_factory.mktemp("planned") / "lake"
    shutil.copytree(shop, root)
    settings = [f"lake={root}", "runtime.buckets=1", "inventory.samples=200"]
    runner = Runner(spark, config.load(ROOT / "conf" / "tiny.yaml", settings), SUNDAY)
    runner.run(plan_inventory.job(runner.config))
    return runner


def run(name: str, runner: Runner) -> NotebookNode:
    """The notebook after it has run on a lake of the tests."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert '["lake=../lake"]' in notebook.cells[1].source
    notebook.cells[1].source = notebook.cells[1].source.replace('["lake=../lake"]', f'["lake={runner.lake.root}"]')
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    return notebook


def shown(notebook: NotebookNode) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    data = [output.get("data", {}) for output in outputs]
    return "\n".join(
        [*(output.get("text", "") for output in outputs), *("".join(map(str, one.values())) for one in data)]
    )


def test_every_notebook_is_run_by_a_test() -> None:
    assert {path.stem for path in NOTEBOOKS} == {*SHOWN}


@pytest.mark.parametrize(
    ("name", "lake"),
    [
        pytest.param("explore_data", "ran", marks=pytest.mark.slow),
        pytest.param("compare_models", "ran", marks=pytest.mark.slow),
        ("plan_store", "planned"),
    ],
)
def test_a_notebook_runs_end_to_end(name: str, lake: str, request: pytest.FixtureRequest) -> None:
    text = shown(run(name, request.getfixturevalue(lake)))
    assert [words for words in SHOWN[name] if words not in text] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_printed(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_nothing_that_a_job_needs(path: Path) -> None:
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    nodes = [node for source in cells for node in ast.walk(ast.parse(source))]
    assert not [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert "write" not in {node.attr for node in nodes if isinstance(node, ast.Attribute)}
