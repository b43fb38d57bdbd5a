"""What a table's rows come from: the runs behind them, back to the source, as the notes of their commits tell."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from shelfcast.commits import Commit
from shelfcast.lake import Lake
from shelfcast.table import Table

_UNKNOWN = "not known"


@dataclass
class Origin:
    """A run that counts, and the versions of the tables that it wrote: name -> version."""

    commit: Commit
    wrote: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Lines: the run and its code, then what it wrote, read and was set to."""
        note = self.commit.note
        made = f"as of {note.get('as_of') or 'every day'}, written {self.commit.made_at:%Y-%m-%d %H:%M:%S} UTC"
        code = f"code {note.get('code_version', _UNKNOWN)}, commit {note.get('git_commit') or _UNKNOWN}"
        lines = [f"{note.get('job', 'a change by hand')}: run {self.commit.run_key}, {made}, {code}"]
        lines += [f"  wrote {_versions(self.wrote)}"]
        lines += [f"  read {_versions(note['reads'])}" if note.get("reads") else "  read the source"]
        settings = note.get("settings", {})
        lines += [f"  {name}: {json.dumps(settings[name], sort_keys=True)}" for name in sorted(settings)]
        return "\n".join(lines)


def runs_behind(lake: Lake, region: str, table: str, commit: Commit) -> list[Origin]:
    """The runs that a commit of a region rests on, its own first, each before those whose tables it read."""
    found: dict[str, Origin] = {}
    waiting = deque([(table, commit)])
    while waiting:
        name, made = waiting.popleft()
        origin = found.setdefault(made.run_key, Origin(made))
        if name in origin.wrote:
            continue
        origin.wrote[name] = made.version
        waiting += _read_by(lake, region, made)
    return list(found.values())


def _read_by(lake: Lake, region: str, commit: Commit) -> Iterator[tuple[str, Commit]]:
    for name, version in commit.note.get("reads", {}).items():
        made = lake.last_commit(Table(name, "", key=()), {"region": region}, until=version)
        if made is not None:
            yield name, made


def _versions(tables: dict[str, int]) -> str:
    return ", ".join(f"{name} version {version}" for name, version in sorted(tables.items()))
