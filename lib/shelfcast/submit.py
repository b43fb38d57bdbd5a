"""Hands a job to spark-submit: the archive of the package, and the command."""

import hashlib
import importlib.util
import io
import os
import re
import shlex
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from shelfcast.code import COMMIT_FILE, git_commit
from shelfcast.errors import ConfigError
from shelfcast.options import read_options
from shelfcast.processes import run_to_end
from shelfcast.resources import resource_folder

# The earliest that a zip can hold: the same source gives the same bytes, whenever it is built.
_DATE = (1980, 1, 1, 0, 0, 0)
_SETTINGS = "spark-defaults.conf"
_PROGRAM = "spark-submit.cmd" if sys.platform == "win32" else "spark-submit"
_WANTED_CACHE = "wanted a folder of this user's own, or XDG_CACHE_HOME to name another place"
# What Spark shows in place of a secret's value.
_REDACTED = r"\1*********(redacted)"
# What setup.py lays into the package of a wheel: jobs are not imported, and of conf/ a session reads Spark's settings.
_SHIPPED = ("shelfcast/jobs/", "shelfcast/conf/")


@dataclass(frozen=True)
class Submission:
    """A spark-submit command, and the environment variables that it needs on top of the present ones."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    def __str__(self) -> str:
        """As a shell would run it, but that secrets are not shown: terminals and schedulers keep what is printed."""
        variables = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        secret = _secret()
        return " ".join([*variables, shlex.join(secret.sub(_REDACTED, word) for word in self.command)])


def job_files() -> dict[str, Path]:
    """The jobs by name, in alphabetical order."""
    scripts = (Path(str(entry)) for entry in resource_folder("jobs").iterdir())
    return {path.stem: path for path in sorted(scripts) if path.suffix == ".py" and path.stem != "__init__"}


def package_bytes() -> bytes:
    """The package as a zip for executors, with Spark's settings and the commit: the same bytes for the same source."""
    entries = {
        name: entry.read_bytes()
        for name, entry in _walk(files("shelfcast"), "shelfcast/")
        if not name.startswith(_SHIPPED)
    }
    entries[f"shelfcast/conf/{_SETTINGS}"] = (resource_folder("conf") / _SETTINGS).read_bytes()
    if commit := git_commit():
        entries[f"shelfcast/{COMMIT_FILE}"] = commit.encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, content in sorted(entries.items()):
            zipped.writestr(zipfile.ZipInfo(name, _DATE), content)
    return archive.getvalue()


def write_package(path: Path | None = None) -> Path:
    """Write the archive to `path`, else into the build folder under the name of its content.

    An archive that a running job has open never changes under it: other content is another file.
    """
    content = package_bytes()
    if path is None:
        path = _build_folder() / f"shelfcast-{hashlib.sha256(content).hexdigest()[:12]}.zip"
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
            part.write(content)
        os.chmod(part.name, 0o644)
        os.replace(part.name, path)
    return path


def settings_in(file: Path) -> list[str]:
    """The settings `KEY=VALUE` in a file of Spark's. Raises ConfigError where there is none."""
    if not file.is_file():
        raise ConfigError(f"{file}: not there; wanted a file of Spark's settings, a key and its value a line")
    return [f"{key}={value}" for key, value in read_options(file.read_text(encoding="utf-8")).items()]


def submission(
    script: Path, arguments: Sequence[str], master: str | None = None, spark_conf: Sequence[str] = ()
) -> Submission:
    """The command that runs the job `script` with `arguments`, and Spark on `master` with settings `KEY=VALUE`, of
    which the last one of a key counts."""
    options = ["--properties-file", str(resource_folder("conf") / _SETTINGS)]
    options += ["--master", master] if master else []
    options += [word for setting in spark_conf for word in ("--conf", setting)]
    command = (_spark_submit(), *options, "--py-files", str(write_package()), str(script), *arguments)
    return Submission(command, spark_environment(master))


def run(submitted: Submission) -> int:
    """Run the command to its end and return its exit status; an interrupt stops it and all its workers."""
    return run_to_end(submitted.command, submitted.environment)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield prefix + entry.name, entry


def _build_folder() -> Path:
    """build/ beside lib/ in a checkout that may be written to, else a folder of this user's own cache."""
    checkout = Path(str(resource_folder("jobs"))).parent
    if (checkout / "lib").is_dir() and os.access(checkout, os.W_OK):
        return checkout / "build"
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return _own_folder((named if named.is_absolute() else Path.home() / ".cache") / "shelfcast")


def _own_folder(folder: Path) -> Path:
    """The folder, made where it is not there, closed to others: who may write to it could swap the code of a job.

    Raises ConfigError where it, or the link that leads to it, is another user's.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if sys.platform == "win32":
            # The folders of a user's profile are the user's own there.
            return folder
        user = os.getuid()
        others = {folder.lstat().st_uid, folder.stat().st_uid} - {user}
        if not others:
            folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made ({error.strerror}); {_WANTED_CACHE}") from None
    if others:
        raise ConfigError(f"{folder}: belongs to user {others.pop()}, not to {user}; {_WANTED_CACHE}")
    return folder


def _secret() -> re.Pattern[str]:
    """A word NAME=VALUE of a command whose name is a secret's, by the rule that Spark's own pages and logs keep."""
    rule = read_options((resource_folder("conf") / _SETTINGS).read_text(encoding="utf-8"))["spark.redaction.regex"]
    return re.compile(rf"({rule}[^=]*=).+", re.DOTALL)


def _spark_submit() -> str:
    """Of SPARK_HOME, else of this Python's own pyspark."""
    if home := os.environ.get("SPARK_HOME"):
        return f"{home}/bin/{_PROGRAM}"
    beside = Path(sys.executable).with_name(_PROGRAM)
    if beside.exists():
        return str(beside)
    pyspark = importlib.util.find_spec("pyspark")
    if pyspark is None or pyspark.origin is None:
        raise ConfigError("pyspark: not installed; wanted shelfcast[spark], or SPARK_HOME to name a Spark")
    return str(Path(pyspark.origin).parent / "bin" / _PROGRAM)


def spark_environment(master: str | None = None) -> dict[str, str]:
    """Driver and workers use this Python. In one process Spark needs no address that others reach. TensorFlow's lines
    are none of the log; executors are told so by Spark's settings."""
    environment = {
        "PYSPARK_PYTHON": os.environ.get("PYSPARK_PYTHON", sys.executable),
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
    }
    if (master or "local").startswith("local"):
        environment["SPARK_LOCAL_IP"] = os.environ.get("SPARK_LOCAL_IP", "127.0.0.1")
    return environment
