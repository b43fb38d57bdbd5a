"""What the code does not do, read from its source; and inputs that are meant ill."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shelfcast import config
from shelfcast.errors import ConfigError

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "conf" / "complete_journey.yaml"
# Modules that run what their input says. The one exception sends the driver's own function to its tasks.
RUN_THEIR_INPUT = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "jsonpickle", "marshal", "shelve"}
EXCEPTIONS = {("lib/shelfcast/training/distributed.py", "cloudpickle")}
# Calls that do so, by the last part of their name.
CALLS = {"eval", "exec", "compile", "read_pickle", "unsafe_load", "full_load", "load_all", "from_pickle", "system"}
# A regular expression is compiled too, here and in Java.
OF_PATTERNS = {"re.compile", "jvm.java.util.regex.Pattern.compile"}
YAML_LOADERS = {"BoundedLoader", "_UniqueKeyLoader", "_IncludingLoader"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("lib", "jobs", "conf", "environment"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST) -> Iterator[tuple[str, str, dict[str, ast.expr]]]:
    """What is called, its last part, and the named arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            whole = ast.unparse(node.func)
            yield whole, whole.rpartition(".")[2], {each.arg: each.value for each in node.keywords if each.arg}


def test_nothing_imports_a_module_that_runs_its_input() -> None:
    found = {
        (path, name.split(".")[0])
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert {each for each in found if each[1] in RUN_THEIR_INPUT} == EXCEPTIONS


def test_nothing_calls_what_runs_its_input() -> None:
    wrong = [(path, whole) for path, tree in sources() for whole, last, _ in calls(tree) if last in CALLS]
    assert [each for each in wrong if each[1] not in OF_PATTERNS] == []


@pytest.mark.parametrize(
    ("name", "flag", "value"),
    [
        pytest.param("load_model", "safe_mode", "True", id="keras-in-safe-mode"),
        pytest.param("np.load", "allow_pickle", "False", id="arrays-alone"),
    ],
)
def test_what_could_run_its_input_is_told_not_to(name: str, flag: str, value: str) -> None:
    found = [named for _, tree in sources() for whole, _, named in calls(tree) if whole.endswith(name)]
    assert found
    assert all(ast.unparse(named[flag]) == value for named in found)


def test_yaml_is_read_by_safe_loaders_alone() -> None:
    loads = [named for _, tree in sources() for whole, _, named in calls(tree) if whole == "yaml.load"]
    composed = [named for _, tree in sources() for whole, _, named in calls(tree) if whole == "yaml.compose"]
    assert loads
    assert all(ast.unparse(named["Loader"]).rpartition(".")[2] in YAML_LOADERS for named in loads + composed)


def test_no_process_is_started_by_a_shell() -> None:
    assert not [path for path, tree in sources() for _, _, named in calls(tree) if "shell" in named]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("lake: &a x\nregion: *a\n", r":2: not valid YAML: found an alias", id="alias"),
        pytest.param(
            "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", r":2: not valid YAML: found an alias", id="a-billion-laughs"
        ),
        pytest.param("lake: " + "[" * 40 + "]" * 40, r":1: not valid YAML: nested deeper than 32", id="nested"),
        pytest.param("lake: " + "x" * 1_000_001, r"found 1,000,007 characters, wanted 1,000,000", id="too-long"),
        pytest.param("lake: !!python/object/apply:os.system [id]", r"not valid YAML: could not determine", id="code"),
        pytest.param("lake: [", r"not valid YAML", id="cut-short"),
    ],
)
def test_a_configuration_that_is_meant_ill_is_refused_in_a_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "ill.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=told) as refused:
        config.load(file)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("region=x' or '1'='1", id="a-condition"),
        pytest.param("region=../../etc", id="a-path"),
        pytest.param("region=A`B", id="a-quoted-name"),
        pytest.param("region=''", id="nothing"),
        pytest.param("source.name=../../etc", id="a-source-that-is-a-path"),
        pytest.param("monitoring.webhook=$(id)", id="a-variable-that-is-a-command"),
        pytest.param("lake=!!python/object/apply:os.system [id]", id="code"),
    ],
)
def test_what_becomes_a_condition_a_path_or_a_name_is_checked_before(change: str) -> None:
    with pytest.raises(ConfigError, match=r"region|source\.name|monitoring\.webhook|not valid YAML"):
        config.load(CONFIG, [change])
