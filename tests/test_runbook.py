"""Whatever a run can end with and whatever an alert can say stands in the runbook, and nothing else."""

import ast
import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shelfcast import cli, command, errors
from shelfcast.api.access.accounts import add_user, list_users
from shelfcast.api.access.database import Database
from shelfcast.api.access.principal import Grant, Role
from shelfcast.settings.serving import Serving
from shelfcast.submit import job_files

ROOT = Path(__file__).parents[1]
RUNBOOK = (ROOT / "docs" / "RUNBOOK.md").read_text(encoding="utf-8")
MONITORING = ROOT / "lib" / "shelfcast" / "monitoring"
# Where a check's name stands in what makes a finding.
PLACES = {"Finding": 1, "about": 0, "_finding": 1, "findings": 1}

FOLDERS = ("raw", "clean", "demand", "features", "forecasts", "inventory", "insights", "models", "monitoring")


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
    assert named <= {*cli._COMMANDS, *job_files()}


def named_by_the_api() -> set[str]:
    """Each table of the lake that the code of the API names."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "lib" / "shelfcast" / "api").rglob("*.py")]
    literals = [node.value for source in sources for node in ast.walk(ast.parse(source)) if is_text(node)]
    return {text for text in literals if re.fullmatch(f"({'|'.join(FOLDERS)})/[a-z_]+", text)}


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_the_server_may_read_what_it_reads_and_nothing_else() -> None:
    (row,) = [line for line in RUNBOOK.splitlines() if line.startswith("| server ")]
    granted = re.findall(r"`([a-z]+/[a-z_]*)`", row.split("|")[2])
    needed = named_by_the_api()
    assert len(needed) > 30
    by_grant = {
        right: {name for name in needed if name == right or (right.endswith("/") and name.startswith(right))}
        for right in granted
    }
    assert needed == set().union(*by_grant.values())
    assert not [right for right, names in by_grant.items() if not names]


def test_a_copy_of_the_server_s_database_is_whole_and_nobody_else_s(tmp_path: Path) -> None:
    """What is in its log alone is in the copy too."""
    if shutil.which("sqlite3") is None:
        pytest.skip("no sqlite3 on this system")
    (command,) = re.findall(r"`(umask 077; sqlite3 [^`]+)`", RUNBOOK)
    database = Database(Serving(folder=str(tmp_path)))
    with database.begin() as connection:
        add_user(connection, "ada", Role.VIEWER, [Grant("north")])
    (tmp_path / "out").mkdir()
    command = command.replace("SERVING", str(tmp_path)).replace("OUT", str(tmp_path / "out"))
    subprocess.run(["bash", "-euc", command], check=True)
    database.close()
    copy = Database(Serving(folder=str(tmp_path / "out")))
    with copy.read() as connection:
        assert [user["name"] for user in list_users(connection)] == ["ada"]
    copy.close()


def test_every_setting_that_it_names_is_there() -> None:
    for name in {*re.findall(r"`(serving(?:\.\w+)+)`", RUNBOOK)}:
        section: Any = Serving()
        for part in name.split(".")[1:]:
            assert hasattr(section, part), name
            section = getattr(section, part)
