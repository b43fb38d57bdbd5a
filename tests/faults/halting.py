"""A job that stands still at a phase: `halting.py PHASE FOLDER JOB FLAGS...`.

There it makes the file `halted` in the folder, and goes on once there is the file `go`.
"""

import importlib
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from shelfcast.command import run_job
from shelfcast.job import Run
from shelfcast.lake import Lake
from shelfcast.lease import Lease
from shelfcast.runner import Runner

# The phase: it begins with the end of that function, or with its start.
PHASES: dict[str, tuple[type, str, str]] = {
    "leased": (Lease, "_take", "end"),
    "staged": (Run, "stage", "end"),
    "a page written": (Lake, "write_text", "end"),
    "a table committed": (Lake, "_commit_of", "end"),
    "all committed": (Runner, "_record", "start"),
    "recorded": (Runner, "_record", "end"),
}


def stand_still(folder: Path) -> None:
    if not (folder / "go").exists():
        (folder / "halted").touch()
    while not (folder / "go").exists():
        time.sleep(0.05)


def halt_at(phase: str, folder: Path) -> None:
    owner, name, edge = PHASES[phase]
    whole = getattr(owner, name)

    def halting(self: Any, *arguments: Any, **named: Any) -> Any:
        go_on = partial(whole, self, *arguments, **named)
        if edge == "start":
            stand_still(folder)
            return go_on()
        made = go_on()
        stand_still(folder)
        return made

    setattr(owner, name, halting)


def main(phase: str, folder: str, job: str, *flags: str) -> int:
    step = importlib.import_module(f"shelfcast.steps.{job}")
    halt_at(phase, Path(folder))
    return run_job("", step.job, flags)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
