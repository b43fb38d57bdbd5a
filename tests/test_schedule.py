"""The schedules that ship: each is read as its scheduler reads it, and what it runs is a command that there is."""

import configparser
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from shelfcast import config
from shelfcast.arguments import SCHEDULED, command_parser
from shelfcast.cli import INTERRUPTED, WRONG_USAGE
from shelfcast.command import ALERTED
from shelfcast.errors import TransientError
from shelfcast.flags import parser

ROOT = Path(__file__).parents[1]
SCHEDULE = ROOT / "conf" / "schedule"
DAG = SCHEDULE / "shelfcast_dag.py"
UNITS = sorted([*SCHEDULE.glob("*.service"), *SCHEDULE.glob("*.timer")])
# When cron runs each job, and when systemd does.
TIMES = {
    "daily": ("15 5-8 * * *", "*-*-* 05..08:15"),
    "check_deadline": ("0 9 * * *", "*-*-* 09:00"),
    "backup": ("0 11 * * *", "*-*-* 11:00"),
    "maintain": ("30 12 * * 0", "Sun 12:30"),
}
# A time and a day of each field of crontab(5), or several of them.
CRON_FIELDS = [r"[0-5]?\d", r"1?\d|2[0-3]", r"[1-2]?\d|3[01]", r"\d|1[0-2]", r"[0-7]"]


def require_command(words: list[str]) -> dict[str, object]:
    """The parsed flags of a command line that `shelfcast`, and the job that it submits, take; fails for any other."""
    assert words[0].endswith(".venv/bin/shelfcast")
    arguments, rest = command_parser().parse_known_args(words[1:])
    assert arguments.command in SCHEDULED
    flags = parser(arguments.command).parse_args(rest)
    assert config.load(ROOT / flags.config).region == Path(flags.config).stem
    return {**vars(arguments), **vars(flags)}


def crontab_lines() -> list[str]:
    lines = (SCHEDULE / "crontab").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("line", crontab_lines())
def test_a_line_of_the_crontab_has_five_fields_and_a_command(line: str) -> None:
    *fields, rest = line.split(maxsplit=5)
    for field, value in zip(fields, CRON_FIELDS, strict=True):
        assert re.fullmatch(rf"\*|({value})(-({value}))?", field)
    # cron takes a bare % for the end of the line
    assert re.search(r"(?<!\\)%", rest) is None
    folder, run = rest.split(" && ")
    assert folder == "cd /opt/shelfcast"
    job = require_command(shlex.split(run.split(" >> ")[0]))["command"]
    assert TIMES[str(job)][0] == " ".join(fields)


def test_cron_runs_each_job_once() -> None:
    assert len(crontab_lines()) == len(TIMES)


def unit(suffix: str, name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(SCHEDULE / f"{name}.{suffix}", encoding="utf-8")
    return parser


@pytest.mark.parametrize("job", TIMES)
def test_a_service_runs_its_job_with_what_the_environment_is_to_tell_it(job: str) -> None:
    service = unit("service", f"shelfcast-{job}@")["Service"]
    words = shlex.split(service["ExecStart"].replace("%i", "complete_journey"))
    assert words[0] == f"{service['WorkingDirectory']}/.venv/bin/shelfcast"
    assert require_command(words)["command"] == job
    assert (service["Type"], service["EnvironmentFile"]) == ("oneshot", "-/etc/shelfcast/jobs.env")


@pytest.mark.parametrize("job", TIMES)
def test_a_service_tries_again_what_is_transient(job: str) -> None:
    told = unit("service", f"shelfcast-{job}@")
    service = told["Service"]
    assert service["Restart"] == "on-failure"
    final = {1, WRONG_USAGE, *([ALERTED] if job == "check_deadline" else [])}
    assert {*map(int, service["RestartPreventExitStatus"].split())} == final
    assert int(told["Unit"]["StartLimitBurst"]) > 1


def test_the_server_is_started_again_and_stays_up() -> None:
    service = unit("service", "shelfcast-serve")["Service"]
    words = shlex.split(service["ExecStart"])
    assert words[0] == f"{service['WorkingDirectory']}/.venv/bin/shelfcast"
    arguments = command_parser().parse_args(words[1:])
    assert (arguments.command, [config.load(ROOT / path).region for path in arguments.config]) == (
        *("serve", ["complete_journey"]),
    )
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", "2")


@pytest.mark.parametrize(("job", "times"), TIMES.items())
def test_a_timer_has_cron_s_times_and_makes_up_for_a_machine_that_was_off(job: str, times: tuple[str, str]) -> None:
    timer = unit("timer", f"shelfcast-{job}@")["Timer"]
    assert (timer["OnCalendar"], timer["Persistent"]) == (times[1], "true")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this system")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    program = tmp_path / "checkout" / ".venv" / "bin" / "shelfcast"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    names = []
    for path in UNITS:
        copy = tmp_path / path.name.replace("@", "@complete_journey")
        copy.write_text(path.read_text(encoding="utf-8").replace("/opt/shelfcast", str(tmp_path / "checkout")))
        names.append(str(copy))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "shelfcast" in line]
    assert (done.returncode, said) == (0, []), done.stderr


class Again(Exception):
    """A failure after which Airflow tries again."""


class ForGood(Exception):
    """One after which it does not."""


@pytest.fixture
def dag_file(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The DAG file, run without Airflow: its names, the DAGs' schedules, their tasks, how commands end, and what
    was asked of them."""
    schedules, tasks, done, asked = {}, [], SimpleNamespace(exit_code=0, output="the last line"), []

    class Operator:
        def __init__(self, **_: object) -> None:
            tasks.append(self)

    @contextmanager
    def dag(name: str, *, schedule: str | None, **_: object) -> Iterator[None]:
        schedules[name] = schedule
        yield

    class Hook:
        def run_command(self, words: list[str], **_: object) -> SimpleNamespace:
            self.words = words
            return done

        def send_sigterm(self) -> None:
            asked.append(self.words)

    parts = {
        "airflow.providers.standard.hooks.subprocess": {"SubprocessHook": Hook},
        "airflow.sdk": {"DAG": dag, "BaseOperator": Operator, "Param": lambda *_, **__: None},
        "airflow.sdk.exceptions": {"AirflowException": Again, "AirflowFailException": ForGood},
    }
    for name, told in parts.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(**told))
    names = runpy.run_path(str(DAG))
    return SimpleNamespace(names=names, schedules=schedules, tasks=tasks, done=done, asked=asked)


def filled(template: str) -> str:
    values = {
        "macros.ds_add(dag_run.run_after | ds, -1)": "2026-02-28",
        "params.first": "2026-01-01",
        "params.last": "2026-01-31",
        "params.reprocess": "failed",
    }
    for name, value in values.items():
        template = template.replace(f"{{{{ {name} }}}}", value)
    return template.replace("{{ ' --dry-run' if params.dry_run else '' }}", " --dry-run")


def test_each_command_of_the_dags_is_one_that_there_is(dag_file: SimpleNamespace) -> None:
    flags = [require_command(shlex.split(filled(task.command))) for task in dag_file.tasks]
    by_command = {found["command"]: found for found in flags}
    assert {*by_command} == {*TIMES, "backfill"}
    assert by_command["daily"]["as_of"] == date(2026, 2, 28)
    backfill = by_command["backfill"]
    assert (backfill["first"], backfill["last"]) == (date(2026, 1, 1), date(2026, 1, 31))
    assert (backfill["reprocess"], backfill["dry_run"]) == ("failed", True)


def test_airflow_has_cron_s_times(dag_file: SimpleNamespace) -> None:
    cron = {f"shelfcast_{job}_complete_journey": times[0] for job, times in TIMES.items()}
    assert dag_file.schedules == {**cron, "shelfcast_backfill_complete_journey": None}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(1, ForGood, id="a-permanent-failure"),
        pytest.param(WRONG_USAGE, ForGood, id="wrong-usage"),
        pytest.param(ALERTED, ForGood, id="done-with-alerts"),
        pytest.param(TransientError.exit_status, Again, id="transient"),
        *(pytest.param(each, Again, id=f"ended-by-{each}") for each in (*INTERRUPTED, 137, -9)),
    ],
)
def test_airflow_tries_again_what_goes_on(status: int, kind: type, dag_file: SimpleNamespace) -> None:
    operator = dag_file.names["ShelfcastOperator"](task_id="daily", command="shelfcast daily")
    dag_file.done.exit_code = status
    with pytest.raises(kind, match=f"shelfcast daily: exit status {status}: the last line"):
        operator.execute({})


def test_a_task_that_airflow_stops_asks_its_command_to_end(dag_file: SimpleNamespace) -> None:
    operator = dag_file.names["ShelfcastOperator"](task_id="daily", command="shelfcast daily")
    operator.execute({})
    operator.on_kill()
    assert dag_file.asked == [["shelfcast", "daily"]]


@pytest.mark.slow
def test_airflow_loads_the_dags_and_renders_every_task(tmp_path: Path) -> None:
    """In Airflow's own environment, which the first time is downloaded."""
    made = subprocess.run([ROOT / "environment" / "apart.sh", "airflow"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AIRFLOW"))}
    done = subprocess.run(
        [made.stdout.strip(), ROOT / "tests" / "render_dags.py", SCHEDULE, "2026-03-01T05:15"],
        env={**outside, "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rendered = json.loads(done.stdout.splitlines()[-1])
    assert rendered["errors"] == {}
    assert {*rendered["commands"]} == {f"shelfcast_{job}_complete_journey.{job}" for job in (*TIMES, "backfill")}
    flags = {name: require_command(shlex.split(words)) for name, words in rendered["commands"].items()}
    assert flags["shelfcast_daily_complete_journey.daily"]["as_of"] == date(2026, 2, 28)
    assert flags["shelfcast_backfill_complete_journey.backfill"]["dry_run"] is True
