import io
import json
import os
import py_compile
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from shelfcast import submit
from shelfcast.errors import ConfigError
from shelfcast.submit import Submission, package_bytes, run, submission, write_package

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}

# Runs its arguments as the submitted command.
SUBMITTER = """
import sys
from shelfcast.submit import Submission, run
sys.exit(run(Submission(tuple(sys.argv[1:]), {})))
"""

Submit = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def submit_it() -> Iterator[Submit]:
    """Starts a process that runs a command as a submission; none outlives its test."""
    started: list[subprocess.Popen[str]] = []

    def start(*command: str, cwd: Path = ROOT, **variables: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", SUBMITTER, *command]
        environment = {**ENVIRONMENT, **variables}
        started.append(subprocess.Popen(words, cwd=cwd, env=environment, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_archive_has_the_same_bytes_whenever_it_is_built() -> None:
    before = package_bytes()
    (ROOT / "lib" / "shelfcast" / "errors.py").touch()
    assert package_bytes() == before


def test_the_archive_holds_the_package_and_sparks_settings(tmp_path: Path) -> None:
    py_compile.compile(str(ROOT / "lib" / "shelfcast" / "errors.py"))
    with zipfile.ZipFile(write_package(tmp_path / "x.zip")) as archive:
        names = set(archive.namelist())
    sources = {str(path.relative_to(ROOT / "lib")) for path in (ROOT / "lib" / "shelfcast").rglob("*.py")}
    assert sources | {"shelfcast/conf/spark-defaults.conf", "shelfcast/web/static/vendor/record.json"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(("shelfcast/jobs", "jobs"))]


@pytest.mark.parametrize(("commit", "told"), [("4392fc4", [b"4392fc4"]), (None, [])])
def test_the_archive_brings_the_commit_along_where_it_is_known(
    commit: str | None, told: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "git_commit", lambda: commit)
    with zipfile.ZipFile(io.BytesIO(package_bytes())) as archive:
        assert [archive.read(name) for name in archive.namelist() if name.endswith("commit.txt")] == told


def test_an_archive_that_a_job_may_have_open_is_not_written_again() -> None:
    path = write_package()
    before = path.stat()
    assert write_package() == path
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_other_source_is_another_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(submit, "_build_folder", lambda: tmp_path)
    first = write_package()
    monkeypatch.setattr(submit, "package_bytes", lambda: b"other source")
    assert write_package() != first
    assert len(list(tmp_path.iterdir())) == 2


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The package as in site-packages, where there is no build folder beside it; a home without a cache."""
    monkeypatch.setattr(submit, "resource_folder", lambda name: tmp_path / "site-packages" / name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(submit, "package_bytes", lambda: b"source")


@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        pytest.param(None, "home/.cache/shelfcast", id="in-the-home-folder"),
        pytest.param("{}/named", "named/shelfcast", id="where-the-variable-says"),
        pytest.param("", "home/.cache/shelfcast", id="an-empty-variable-says-nothing"),
        pytest.param("named", "home/.cache/shelfcast", id="nor-does-a-relative-one"),
    ],
)
@pytest.mark.usefixtures("installed")
def test_an_installed_package_s_archive_lies_in_the_user_s_own_cache(
    variable: str | None, folder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if variable is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", variable.format(tmp_path))
    made = write_package().parent
    assert made == tmp_path / folder
    assert made.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("installed")
def test_a_cache_that_others_may_write_to_is_closed_to_them(tmp_path: Path) -> None:
    cache = tmp_path / "home" / ".cache" / "shelfcast"
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    write_package()
    assert cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("installed")
def test_a_cache_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    owner = os.getuid()
    (tmp_path / "home" / ".cache" / "shelfcast").mkdir(parents=True)
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(ConfigError, match=f"shelfcast: belongs to user {owner}, not to {owner + 1}; wanted"):
        write_package()
    assert not list(tmp_path.rglob("*.zip"))


@pytest.mark.usefixtures("installed")
def test_a_link_of_this_user_s_own_is_followed(tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir()
    (tmp_path / "home" / ".cache").mkdir(parents=True)
    (tmp_path / "home" / ".cache" / "shelfcast").symlink_to(tmp_path / "large disk")
    write_package()
    assert list((tmp_path / "large disk").glob("*.zip"))


@pytest.mark.usefixtures("installed")
def test_a_cache_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(ConfigError, match=r"shelfcast: cannot be made .*XDG_CACHE_HOME"):
        write_package()


def test_the_printed_command_is_what_a_shell_runs() -> None:
    submitted = submission(Path("/jobs/x.py"), ["--set", "name=it's here"], spark_conf=["spark.x=a b"])
    words = shlex.split(str(submitted))
    split = len(submitted.environment)
    assert dict(word.split("=", 1) for word in words[:split]) == dict(submitted.environment)
    assert words[split:] == list(submitted.command)


def test_paths_of_the_command_hold_from_any_folder() -> None:
    command = submission(Path("/jobs/x.py"), []).command
    for flag in ("--properties-file", "--py-files"):
        path = Path(command[command.index(flag) + 1])
        assert path.is_absolute()
        assert path.is_file()


@pytest.mark.parametrize(
    ("master", "is_local"),
    [
        (None, True),
        ("local[2]", True),
        ("local-cluster[2,1,1024]", True),
        ("spark://host:7077", False),
        ("yarn", False),
    ],
)
def test_only_a_local_run_stays_on_the_loopback_address(
    master: str | None, is_local: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPARK_LOCAL_IP", raising=False)
    submitted = submission(Path("/jobs/x.py"), [], master)
    assert ("SPARK_LOCAL_IP" in submitted.environment) == is_local
    assert (master is None) == ("--master" not in submitted.command)


def test_tensorflow_is_silent_in_the_driver_as_in_executors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    of_executors = submit.read_options((ROOT / "conf" / "spark-defaults.conf").read_text(encoding="utf-8"))
    level = submission(Path("/jobs/x.py"), []).environment["TF_CPP_MIN_LOG_LEVEL"]
    assert level == of_executors["spark.executorEnv.TF_CPP_MIN_LOG_LEVEL"]
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    assert submission(Path("/jobs/x.py"), []).environment["TF_CPP_MIN_LOG_LEVEL"] == "0"


def test_spark_home_names_the_spark_that_submits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", "/opt/spark")
    assert submission(Path("/jobs/x.py"), []).command[0] == "/opt/spark/bin/spark-submit"


def test_without_spark_home_the_packages_own_spark_submits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_HOME", raising=False)
    assert os.access(submission(Path("/jobs/x.py"), []).command[0], os.X_OK)
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert os.access(submission(Path("/jobs/x.py"), []).command[0], os.X_OK)


@pytest.mark.parametrize("status", [0, 1, 2, 3, 75])
def test_the_exit_status_of_the_job_survives(status: int) -> None:
    assert run(Submission(("sh", "-c", f"exit {status}"), {})) == status


def test_a_job_that_a_signal_ends_exits_as_in_a_shell() -> None:
    assert run(Submission(("sh", "-c", "kill -KILL $$"), {})) == 137


def test_the_job_sees_the_variables_of_the_submission() -> None:
    assert run(Submission(("sh", "-c", 'test "$GREETING" = hello'), {"GREETING": "hello"})) == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_job_and_its_children_without_a_word(
    number: signal.Signals, status: int, submit_it: Submit
) -> None:
    submitter = submit_it("sh", "-c", "sleep 300 & sleep 300")
    descendants = _descendants(submitter.pid, 3)
    submitter.send_signal(number)
    _, stderr = submitter.communicate(timeout=60)
    assert (submitter.returncode, stderr) == (status, "")
    assert not _survivors(descendants)


def test_a_signal_that_comes_before_the_job_has_started_is_kept_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    popen = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        os.kill(os.getpid(), signal.SIGINT)
        return popen(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    assert run(Submission(("sleep", "300"), {})) == 130


def test_a_second_interrupt_ends_a_job_that_does_not_listen(submit_it: Submit, tmp_path: Path) -> None:
    deaf = "trap '' TERM; touch deaf; while true; do sleep 1; done"
    submitter = submit_it("sh", "-c", deaf, cwd=tmp_path)
    _wait_for(lambda: (tmp_path / "deaf").exists(), 60)
    descendants = _descendants(submitter.pid, 1)
    submitter.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        submitter.wait(2)
    submitter.send_signal(signal.SIGINT)
    assert submitter.wait(60) == 130
    assert not _survivors(descendants)


def test_a_job_does_not_outlive_a_submitter_that_is_killed(submit_it: Submit) -> None:
    submitter = submit_it("sleep", "300")
    descendants = _descendants(submitter.pid, 1)
    submitter.kill()
    submitter.wait(60)
    assert not _survivors(descendants)


def test_a_run_under_nohup_stays_deaf_to_the_hang_up() -> None:
    code = "import os, signal; signal.signal(1, signal.SIG_IGN)" + SUBMITTER
    submitter = subprocess.Popen([sys.executable, "-c", code, "sleep", "2"], env=ENVIRONMENT)
    _descendants(submitter.pid, 1)
    submitter.send_signal(signal.SIGHUP)
    assert submitter.wait(60) == 0


PROBE = """
import json, sys
from pyspark.sql import functions as F
import shelfcast
from shelfcast.resources import resource_folder
from shelfcast.session import open_session

def where(frames):
    import shelfcast
    for frame in frames:
        yield frame.assign(file=shelfcast.__file__)

spark = open_session("probe")
worker = spark.range(1).mapInPandas(where, "id long, file string").first()["file"]
found = {"driver": shelfcast.__file__, "worker": worker, "arguments": sys.argv[1:]}
keys = ("spark.sql.shuffle.partitions", "spark.sql.session.timeZone", "spark.app.name")
found |= {key: spark.conf.get(key) for key in keys}
spark.range(3).write.format("delta").save(sys.argv[1])
found["rows"] = spark.read.format("delta").load(sys.argv[1]).count()
print("FOUND " + json.dumps(found))
sys.exit(75)
"""


@pytest.mark.slow
def test_a_job_runs_from_the_archive_in_driver_and_workers_with_the_settings_given(tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(PROBE)
    arguments = [str(tmp_path / "table"), "--config", "a b.yaml"]
    settings = ["spark.sql.shuffle.partitions=3", f"spark.local.dir={tmp_path}"]
    submitted = submission(tmp_path / "probe.py", arguments, "local[2]", settings)
    done = subprocess.run(str(submitted), shell=True, cwd=tmp_path, capture_output=True, text=True, env=_outside())
    assert done.returncode == 75, done.stderr
    found = json.loads(done.stdout.partition("FOUND ")[2])
    archive = submitted.command[submitted.command.index("--py-files") + 1]
    assert found["driver"].startswith(archive)
    assert Path(archive).name in found["worker"]
    assert found["arguments"] == arguments
    assert found["rows"] == 3
    assert found["spark.sql.shuffle.partitions"] == "3"
    assert found["spark.sql.session.timeZone"] == "UTC"
    assert found["spark.app.name"] == "probe"


BUSY = """
import sys, time
from shelfcast.session import open_session

started = sys.argv[1]

def wait(frames):
    for frame in frames:
        open(started, "w").close()
        time.sleep(300)
        yield frame

open_session("busy").range(2, numPartitions=2).mapInPandas(wait, "id long").count()
"""


@pytest.mark.slow
def test_an_interrupt_ends_spark_and_its_workers_without_a_stack_trace(tmp_path: Path, submit_it: Submit) -> None:
    (tmp_path / "busy.py").write_text(BUSY)
    submitted = submission(
        tmp_path / "busy.py", [str(tmp_path / "started")], "local[2]", [f"spark.local.dir={tmp_path}"]
    )
    submitter = submit_it(*submitted.command, cwd=tmp_path, **submitted.environment)
    _wait_for(lambda: (tmp_path / "started").exists() or submitter.poll() is not None, 120)
    descendants = _descendants(submitter.pid, 4)
    submitter.send_signal(signal.SIGINT)
    _, stderr = submitter.communicate(timeout=60)
    assert submitter.returncode == 130
    assert not _survivors(descendants)
    assert "Traceback" not in stderr
    assert "\tat " not in stderr


def _outside() -> dict[str, str]:
    """The environment of a shell that knows nothing of the checkout."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "SPARK_HOME"}}


def _descendants(pid: int, at_least: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    _wait_for(lambda: len(process.children(recursive=True)) >= at_least, 60)
    return process.children(recursive=True)


def _survivors(processes: list[psutil.Process]) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=60)[1]


def _wait_for(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
