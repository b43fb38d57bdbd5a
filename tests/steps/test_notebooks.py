from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from shelfcast.runner import Runner

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_a_lake_that_the_pipeline_has_made(path: Path, ran: Runner) -> None:
    notebook = nbformat.read(path, as_version=4)
    of_this_lake = f'["lake={ran.lake.root}"]'
    assert '["lake=../lake"]' in notebook.cells[1].source
    notebook.cells[1].source = notebook.cells[1].source.replace('["lake=../lake"]', of_this_lake)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    printed = [output["text"] for cell in notebook.cells[3:] for output in cell.get("outputs", []) if "text" in output]
    assert len(printed) == sum(cell.cell_type == "code" for cell in notebook.cells[3:])
    assert "moving_average" in printed[0]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_printed(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
