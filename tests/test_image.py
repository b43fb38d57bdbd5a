"""The image of driver and executors: what it is made from, and what it takes in."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLUSTERS = ROOT / "conf" / "clusters"


def test_the_image_is_of_a_python_and_a_spark_that_the_project_has() -> None:
    text = (CLUSTERS / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert {line.split()[0] for line in lines} <= {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "ENTRYPOINT"}
    asked = (ROOT / "setup.py").read_text(encoding="utf-8")
    (spark,) = re.findall(r"^FROM apache/spark:(\S+) AS spark$", text, flags=re.MULTILINE)
    assert f'"pyspark=={spark}"' in asked
    minor = int(re.findall(r"^FROM python:3\.(\d+)-", text, flags=re.MULTILINE)[0])
    first, beyond = map(int, re.findall(r'python_requires=">=3\.(\d+),<3\.(\d+)"', asked)[0])
    assert first <= minor < beyond
    assert f"/lib/python3.{minor}/site-packages/pyspark" in text
    assert {"setup", "s3"} <= {*re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)}


def patterns(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def for_docker(pattern: str) -> str:
    """A pattern of .gitignore as Docker reads it, to whom one without ** is of the first folder alone."""
    mark, path = ("!" if pattern.startswith("!") else ""), pattern.removeprefix("!").rstrip("/")
    return f"{mark}{path[1:] if path.startswith('/') else f'**/{path}'}"


def test_the_image_takes_in_nothing_that_the_repository_ignores() -> None:
    """The users' database and what people decided among it."""
    wanted = [for_docker(pattern) for pattern in patterns(ROOT / ".gitignore")]
    assert {"serving", "decisions", "adjustments"} < {*wanted}
    # In order: of several that fit the last one counts.
    assert patterns(CLUSTERS / "Dockerfile.dockerignore") == [".git", *wanted]
