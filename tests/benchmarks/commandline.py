"""What the command lines of the benchmarks have in common."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def make_parser(doc: str | None, **counts: int) -> argparse.ArgumentParser:
    """A parser with --out, and a whole number with a default for each of `counts`. doc: of the benchmark."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in counts.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--out", type=Path, help="write what was measured as JSON")
    return parser


def command(
    file: str, contestant: str | int, arguments: argparse.Namespace, *names: str, **others: object
) -> list[str]:
    """What starts a contestant in a process of its own, with the `names` of the benchmark's own arguments."""
    told = {"play": contestant, **{name: getattr(arguments, name) for name in names}, **others}
    return [sys.executable, file, *[part for name, value in told.items() for part in (f"--{name}", str(value))]]


def write_json(found: Mapping[str, Any], out: Path | None) -> None:
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=2) + "\n")
