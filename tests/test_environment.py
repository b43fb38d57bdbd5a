import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
REQUIREMENTS = (ROOT / "environment" / "requirements.txt").read_text()
LISTS = sorted(path.name for path in (ROOT / "environment").glob("*.txt"))
# What a bare system has, as far as the set-up comes on one that lacks something.
TOOLS = ("bash", "basename", "cat", "cut", "dirname", "env", "flock", "mktemp", "readlink", "rm", "sha256sum")


def _pins() -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", REQUIREMENTS, flags=re.MULTILINE))


@pytest.mark.parametrize("name", LISTS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    pinned = (ROOT / "environment" / name).read_text()
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", pinned, flags=re.MULTILINE).strip())
    assert all(re.match(r"[\w.-]+==\S+ .*\\\n\s+--hash=sha256:[0-9a-f]{64}", f"{entry} ") for entry in entries)


@pytest.mark.parametrize("vulnerable", [[], ["audit.txt"], LISTS], ids=["none", "one", "all"])
def test_an_audit_asks_about_each_list_and_fails_where_one_is_vulnerable(tmp_path: Path, vulnerable: list[str]) -> None:
    shutil.copytree(ROOT / "environment", tmp_path / "environment")
    (tmp_path / "environment" / "apart.sh").write_text(f"#!/bin/sh\necho {tmp_path}/python\n")
    auditor = tmp_path / "pip-audit"
    auditor.write_text('#!/bin/sh\nfor list; do :; done\ngrep -q "${list##*/}" vulnerable && exit 1 || echo asked\n')
    auditor.chmod(0o755)
    (tmp_path / "vulnerable").write_text("\n".join([*vulnerable, ""]))
    done = subprocess.run([tmp_path / "environment" / "audit.sh"], capture_output=True, text=True)
    assert len(LISTS) > 5
    told = [line for name in LISTS for line in (f"environment/{name}", *["asked"] * (name not in vulnerable))]
    assert (done.stdout.splitlines(), done.returncode) == (told, 1 if vulnerable else 0)


def test_the_pins_are_what_setup_py_asks_for() -> None:
    pins = _pins()
    asked = [Requirement(text) for text in re.findall(r'^ +"([\w-]+[=<>~]=.*)",$', _setup_lists(), flags=re.MULTILINE)]
    assert len(asked) > 25
    for requirement in asked:
        pin = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pin), f"{requirement}: pinned to {pin}; run make lock"


def _setup_lists() -> str:
    """setup.py with each requirement on a line of its own."""
    return re.sub(r'"([\w-]+[=<>~]=[^"]*)"', r'\n    "\1",\n', (ROOT / "setup.py").read_text())


def test_git_ignores_what_is_made_and_no_source() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    sources = ["lib/shelfcast/cli.py", "jobs/pipeline.py", "environment/setup.sh", ".coveragerc"]
    made = [".venv/x", ".venv.part/x", "build/x", "lake/raw/x", ".coverage.host.1", "lib/shelfcast/__pycache__/x.pyc"]
    done = subprocess.run(["git", "check-ignore", *sources, *made], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == made


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout on a system without Java, compiler and apt-get: its tools alone are in bin/."""
    shutil.copytree(ROOT / "environment", tmp_path / "environment")
    shutil.copy(ROOT / "setup.py", tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def _program(bare: Path, name: str, script: str) -> None:
    path = bare / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _set_up(bare: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(bare / "bin"), "HOME": str(bare), "TMPDIR": str(bare), **variables}
    before = sorted(bare.iterdir())
    done = subprocess.run(["environment/setup.sh"], cwd=bare, env=environment, capture_output=True, text=True)
    assert sorted(bare.iterdir()) == before, "something half-done is left"
    return done


def test_a_python_that_the_pins_do_not_support_is_refused_by_its_version(bare: Path) -> None:
    _program(bare, "python3", "echo 3.10")
    done = _set_up(bare)
    assert done.returncode == 1
    assert done.stderr.startswith("set-up: python3 is Python 3.10; wanted Python 3.11, 3.12 or 3.13")
    assert done.stderr.count("\n") == 1


def test_a_python_that_is_not_there_is_named(bare: Path) -> None:
    done = _set_up(bare, PYTHON="python3.12")
    assert done.returncode == 1
    assert done.stderr.startswith("set-up: no python3.12 on PATH; wanted")


def test_without_java_nor_the_right_to_install_the_command_is_printed(bare: Path) -> None:
    done = _set_up(bare, PYTHON=sys.executable)
    assert done.returncode == 1
    assert done.stderr == (
        "set-up: missing: openjdk-17-jre-headless g++. Install them, then run make again: "
        "sudo apt-get update && sudo apt-get install -y openjdk-17-jre-headless g++\n"
    )


@pytest.mark.parametrize(
    "modules",
    [
        pytest.param("java.base@11.0.2\njdk.incubator.vector@11.0.2", id="too-old"),
        pytest.param("java.base@17.0.2\njava.sql@17.0.2", id="trimmed-of-the-vector-module"),
    ],
)
def test_a_java_that_spark_does_not_start_on_is_none(bare: Path, modules: str) -> None:
    _program(bare, "java", f"echo '{modules}'")
    done = _set_up(bare, PYTHON=sys.executable)
    assert done.returncode == 1
    assert "openjdk-17-jre-headless" in done.stderr


def test_a_java_home_that_names_no_fitting_java_is_told(bare: Path) -> None:
    done = _set_up(bare, PYTHON=sys.executable, JAVA_HOME="/opt/java11")
    assert done.returncode == 1
    assert done.stderr.startswith("set-up: JAVA_HOME=/opt/java11: found no Java 17 or later")


def test_a_wheel_brings_jobs_and_settings_with_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "build", "lake", "tests", "*.egg-info"))
    build = [sys.executable, "setup.py", "-q", "bdist_wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    shutil.rmtree(source)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    code = "import sys; from shelfcast.cli import main; sys.exit(main(['jobs']))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    jobs = sorted(path.stem for path in (ROOT / "jobs").glob("*.py"))
    assert [line.split()[0] for line in done.stdout.splitlines()] == jobs
    conf = ("spark-defaults.conf", "complete_journey.yaml", "chains/tiny.yaml")
    for name in (*(f"conf/{name}" for name in conf), "reporting/templates/page.html", "py.typed"):
        assert (tmp_path / "site" / "shelfcast" / name).is_file()


def test_each_benchmark_whose_figures_stand_in_the_readme_is_one_that_make_bench_runs() -> None:
    told = (ROOT / "README.md").read_text().partition("\n## What it reaches\n")[2].partition("`make bench`")[0]
    named = {*re.findall(r"tests/benchmarks/\w+\.py", told)}
    assert len(named) > 2
    bench = (ROOT / "Makefile").read_text().partition("\nbench:")[2].partition("\n\n")[0]
    assert named <= {*re.findall(r"tests/benchmarks/\w+\.py", bench)}


def test_make_bench_takes_as_long_in_the_readme_as_in_its_help() -> None:
    (told,) = re.findall(r"`make bench` prints all of this \(about (\w+) hours", (ROOT / "README.md").read_text())
    assert re.search(rf"^bench:.*\({told} hours\)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="not in the environment that the set-up makes")
class TestTheEnvironmentMade:
    def test_the_jars_fetched_lie_beside_sparks_own(self) -> None:
        spec = find_spec("pyspark")
        assert spec is not None
        assert spec.origin is not None
        listed = (ROOT / "environment" / "spark-jars.sha256").read_text().split()[1::2]
        assert set(listed) <= {path.name for path in (Path(spec.origin).parent / "jars").iterdir()}

    def test_horovod_is_there_where_there_is_a_compiler(self) -> None:
        if not any(map(shutil.which, ("g++", "c++", "clang++"))):
            pytest.skip("no C++ compiler")
        assert find_spec("horovod")

    def test_a_second_set_up_finds_it_ready_within_two_seconds(self) -> None:
        done = subprocess.run(["environment/setup.sh"], cwd=ROOT, capture_output=True, text=True, timeout=2)
        assert (done.returncode, done.stdout.partition(":")[0]) == (0, "==> environment ready")
