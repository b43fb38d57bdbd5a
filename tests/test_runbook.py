"""Whatever a run can end with and whatever an alert can say stands in the runbook, and nothing else."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from shelfcast import arguments, cli, command, errors
from shelfcast.submit import job_files

ROOT = Path(__file__).parents[1]
RUNBOOK = (ROOT / "docs" / "RUNBOOK.md").read_text(encoding="utf-8")
MONITORING = ROOT / "lib" / "shelfcast" / "monitoring"
# Where a check's name stands in what makes a finding.
PLACES = {"Finding": 1, "about": 0, "_finding": 1, "findings": 1}


def first_cells(heading: str) -> list[str]:
    """The first cell of each row of the table under a heading."""
    section = RUNBOOK.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def checks() -> Iterator[str]:
    """The name of every check, read from the calls that make findings."""
    for path in sorted(MONITORING.glob("*.py")):
        module = importlib.import_module(f"shelfcast.monitoring.{path.stem}")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PLACES:
                name = node.args[PLACES[node.func.id]]
                # In lower case it is what the function was given.
                if isinstance(name, ast.Name) and name.id.isupper():
                    yield str(getattr(module, name.id))


def statuses() -> set[int]:
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    of_errors = {each.exit_status for each in kinds if issubclass(each, errors.ShelfcastError)}
    return {0, command.ALERTED, command.INTERRUPTED, cli.WRONG_USAGE, *cli.INTERRUPTED, *of_errors}


def test_every_exit_status_has_its_row() -> None:
    assert {int(cell) for cell in first_cells("Exit statuses")} == statuses()


def test_every_check_has_its_row() -> None:
    found = {*checks()}
    assert len(found) > 10
    assert {cell.strip("`") for cell in first_cells("Alerts")} == found


def test_every_command_that_it_names_is_there() -> None:
    named = set(re.findall(r"`shelfcast (\w+)", RUNBOOK))
    assert named <= {*arguments.SCHEDULED, *job_files(), "submit", "forget"}
