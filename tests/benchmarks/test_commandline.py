import json
from pathlib import Path

from benchmarks.commandline import command, make_parser, write_json


def test_a_contestant_is_started_with_the_benchmark_s_own_arguments() -> None:
    arguments = make_parser("races", runs=3, threads=2).parse_args(["--runs", "5"])
    _, *told = command("race.py", "pandas", arguments, "runs", "threads", scratch="here")
    assert told == ["race.py", "--play", "pandas", "--runs", "5", "--threads", "2", "--scratch", "here"]


def test_what_was_found_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "bench" / "found.json"
    for path in (None, make_parser("races").parse_args(["--out", str(out)]).out):
        write_json({"seconds": 1.5}, path)
    assert json.loads(out.read_text()) == {"seconds": 1.5}
