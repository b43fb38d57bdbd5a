"""The rules of the code's shape, read from its source: which module may know which, and what no module does."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lib" / "shelfcast"

# Along the flow: a module or folder imports those before it alone.
LAYERS = (
    "errors failures logs options flags processes locks resources storage table lineage schemas settings",
    "config reference code session folder lease turns lake_version commits properties writers lake job cleaning runner",
    "upkeep publications provenance database inbox",
    "migrations sources judging erasure events calendar weeks demand",
    "panel conditions panels plan availability encoding history pooling features",
    "retraining metrics negative_binomial models artefacts backups stored examples windows scoring training tuning",
    "modelling networks campaign ensembles registry evaluation leaderboard challengers promotion tracking",
    "forecasting inventory monitoring insights study reporting",
    "api web",
    "steps system command",
    "generator",
    "submit portable_python arguments cli",
)
ORDER = [name for layer in LAYERS for name in layer.split()]

# A dependency that one module hides from the others.
HIDDEN = {
    "delta": {"lake.py"},
    "deltalake": {"api/reader.py"},
    "horovod": {"training/distributed.py"},
    "hyperopt": {"tuning/search.py"},
    "mlflow": {"tracking.py"},
    # Where systems differ.
    "ctypes": {"processes.py"},
    "fcntl": {"locks.py"},
    "msvcrt": {"locks.py"},
    "signal": {"processes.py"},
}

# Where rows come to the driver, and why they stay few.
TO_DRIVER = {
    "campaign.py _fit_in_tasks": "a row for each model and cutoff that failed",
    "study/board.py show": "a row for each model of the study",
    "encoding.py standardize": "a row for each scaled column",
    "encoding.py vocabulary_sizes": "a row for each encoded column",
    "sources/selections.py _slices": "a row for each slice of a database's table",
    "examples.py count_examples": "a row for each week of the history",
    "forecasting/champions.py _forecast_by_baseline": "a row for each member of an ensemble",
    "insights/findings.py top": "the few rows that a topic tells of",
    "insights/segments.py describe": "a row for each segment",
    "judging/accounts.py _added": "totals, one row",
    "judging/accounts.py _tally_deliveries": "a row for each delivery",
    "judging/accounts.py write_totals": "a row for each source table",
    "judging/judged.py judge_new": "the names of the new deliveries",
    "judging/sizes.py _sizes": "a row for each delivery",
    "judging/sizes.py _taken_in": "a row for each delivery",
    "leaderboard.py show": "a row for each panel and model",
    "reporting/fans.py fans": "the weeks of the few series that the page draws",
    "reporting/gather.py _ahead": "totals, one row",
    "reporting/gather.py _days": "the first and the last day, one row",
    "reporting/gather.py _horizon_errors": "a row for each panel, model and step",
    "reporting/gather.py _sold": "counts, one row",
    "tuning/trials.py best_trials": "a row for each panel and network",
    "tracking.py tell": "a row for each panel and model",
    "sources/excel_files.py read_excel": "a row for each file",
    "sources/files.py content_hashes": "a row for each file",
    "sources/json_files.py _told": "a row for each column of each file",
    "sources/ledger.py read": "a row for each file",
    "steps/replay.py _cheapest_gaps": "a row for each cover of min/max",
    "steps/fine_tune_stores.py fine_tune_stores": "a row for each network",
    "promotion.py training_days": "a row for each evaluation",
    "publications.py failures": "a row for each day that failed",
    "publications.py published_days": "a row for each day",
    "publications.py published_in": "a row for each time that a day was published",
    "steps/retrain.py _drifted": "a row for each day since the last training was due",
    "steps/maintain.py _named": "a row for each table",
    "erasure.py files_that_name": "a row for each table",
    "steps/rollback.py rollback": "a row for each panel and purpose",
    "steps/check_deadline.py _sold_on": "the days of half a year",
    "steps/check_inputs.py _bins": "a row for each decile of a feature, and for each category",
    "steps/check_inputs.py _broken": "a row for each contract that is broken",
    "steps/check_inputs.py _days": "the days of half a year",
    "steps/check_inputs.py _shares": "a row for each month of the history",
    "steps/detect_anomalies.py _arrived": "a row for each level of the forecast",
    "monitoring/freshness.py days_until_known": "the days of a week",
    "monitoring/telling.py _tell": "the alerts that are told, as many as monitoring.most",
    "training/distributed.py run": "what each process returned: its losses",
    "reporting/queries.py fetch": "what a query has cut down to the page's rows",
}


def _sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text())


def _imports(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported, in functions too: `from a import b` is a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _top_names(tree: ast.AST) -> set[str]:
    return {name.split(".")[0] for name in _imports(tree)}


def _unit(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def test_the_order_knows_every_module_and_no_other() -> None:
    units = {_unit(path) for path, _ in _sources()} - {"__init__"}
    assert (units - set(ORDER), set(ORDER) - units) == (set(), set())


def test_imports_run_left_to_right_along_the_flow() -> None:
    wrong = []
    for path, tree in _sources():
        for name in _imports(tree):
            imported = name.split(".")[1] if name.startswith("shelfcast.") else ""
            if imported in ORDER and _unit(path) in ORDER and ORDER.index(imported) > ORDER.index(_unit(path)):
                wrong.append(f"{path} imports {name}")
    assert not wrong


def test_nothing_that_forecasts_knows_the_generator() -> None:
    knowing = {_unit(path) for path, tree in _sources() if any(map(_is_of_generator, _imports(tree)))}
    assert knowing == {"generator", "cli"}


def _is_of_generator(name: str) -> bool:
    return name.startswith("shelfcast.generator")


def test_nothing_imports_from_jobs_or_tests() -> None:
    assert not [path for path, tree in _sources() if {"jobs", "tests"} & _top_names(tree)]


@pytest.mark.parametrize("dependency", HIDDEN)
def test_a_hidden_dependency_is_named_in_its_module_alone(dependency: str) -> None:
    named = {str(path) for path, tree in _sources() if dependency in _top_names(tree)}
    assert named <= HIDDEN[dependency]


def test_only_session_opens_a_spark_session() -> None:
    trees = [*_sources(), *((path, ast.parse(path.read_text())) for path in (ROOT / "jobs").glob("*.py"))]
    openers = {str(path) for path, tree in trees if {"getOrCreate", "builder"} & set(_attributes(tree))}
    assert openers == {"session.py"}


def _attributes(tree: ast.AST) -> Iterator[str]:
    return (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))


def test_rows_come_to_the_driver_only_where_they_are_few() -> None:
    found = {
        f"{path} {function}"
        for path, tree in _sources()
        for function, body in _functions(tree)
        if {"collect", "toPandas", "toLocalIterator"} & set(_attributes(body))
    }
    assert (found - TO_DRIVER.keys(), TO_DRIVER.keys() - found) == (set(), set())


def _functions(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node


def test_files_functions_and_jobs_stay_short() -> None:
    long = [f"{path}: {lines} lines" for path, lines in _lengths(PACKAGE) if lines > 250]
    long += [f"{path}: {lines} lines" for path, lines in _lengths(ROOT / "jobs") if lines > 60]
    long += [
        f"{path} {name}: {lines} lines"
        for path, tree in _sources()
        for name, body in _functions(tree)
        if (lines := _code_lines(body)) > 50
    ]
    assert not long


def _lengths(folder: Path) -> list[tuple[Path, int]]:
    return [(path.relative_to(ROOT), len(path.read_text().splitlines())) for path in folder.rglob("*.py")]


def _code_lines(function: ast.AST) -> int:
    """Lines of a function less its docstring."""
    assert isinstance(function, ast.FunctionDef)
    assert function.end_lineno is not None
    docstring = function.body[0] if ast.get_docstring(function) else None
    hidden = docstring.end_lineno - docstring.lineno + 1 if docstring and docstring.end_lineno else 0
    return function.end_lineno - function.lineno + 1 - hidden


def test_each_job_has_its_step_of_the_same_name() -> None:
    jobs = {path.stem for path in (ROOT / "jobs").glob("*.py")} - {"pipeline"}
    steps = {path.stem for path in (PACKAGE / "steps").glob("*.py")} - {"__init__"}
    assert jobs == steps


@pytest.mark.parametrize("unit", ["api", "web"])
def test_what_serves_runs_without_spark_and_horovod(unit: str) -> None:
    modules = [".".join(("shelfcast", *path.with_suffix("").parts)) for path, _ in _sources() if _unit(path) == unit]
    named = [name.removesuffix(".__init__") for name in modules if not name.endswith("__main__")]
    code = f"import sys, {', '.join(named)}; print({{'pyspark', 'py4j', 'horovod', 'tensorflow'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, check=True, capture_output=True, text=True)
    assert len(named) > 5
    assert done.stdout == "set()\n"


def test_the_command_starts_without_loading_spark_or_pandas() -> None:
    code = "import sys; import shelfcast.cli; print({'pyspark', 'pandas', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
