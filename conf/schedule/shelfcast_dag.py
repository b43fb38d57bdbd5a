"""Airflow: the daily run of each region and what goes with it, and its backfill by hand.

Lay this file into Airflow's dags folder. SHELFCAST_HOME names the checkout (default /opt/shelfcast), SHELFCAST_MASTER
the cluster (default: this machine). A day that was missed is made by the next run, so that Airflow need not catch up.
"""

import os
import shlex
from datetime import datetime, timedelta
from functools import cached_property

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import DAG, BaseOperator, Param
from airflow.sdk.exceptions import AirflowException, AirflowFailException

# A file conf/{region}.yaml each.
REGIONS = ("complete_journey",)
HOME = os.environ.get("SHELFCAST_HOME", "/opt/shelfcast")
MASTER = os.environ.get("SHELFCAST_MASTER", "local[*]")
# What fails for good, was called wrongly, or is done, with alerts, ends the same way again. After any other status,
# a killed run's too, the same command goes on.
FINAL = (1, 2, 3)
# The world as known at the end of the day before; a run by hand has no logical date.
YESTERDAY = "{{ macros.ds_add(dag_run.run_after | ds, -1) }}"
# When each job runs, and with what. A day that is made is made again where files have come late since. `backup` copies
# the whole lake: of its regions all but the first find little new. These hours are Airflow's, UTC as a rule, while the
# deadline is one by the stores' clock.
JOBS = {
    "daily": ("15 5-8 * * *", f"--as-of {YESTERDAY}"),
    "check_deadline": ("0 9 * * *", "--set \"daily.deadline='09:00'\""),
    "backup": ("0 11 * * *", "/backups/lake"),
    "maintain": ("30 12 * * 0", ""),
}


class ShelfcastOperator(BaseOperator):
    """Runs a command in the checkout."""

    template_fields = ("command",)

    def __init__(self, *, command: str, **named) -> None:
        super().__init__(**named)
        self.command = command

    @cached_property
    def hook(self) -> SubprocessHook:
        return SubprocessHook()

    def execute(self, context) -> None:  # noqa: ARG002
        done = self.hook.run_command(shlex.split(self.command), cwd=HOME)
        if done.exit_code:
            kind = AirflowFailException if done.exit_code in FINAL else AirflowException
            raise kind(f"{self.command}: exit status {done.exit_code}: {done.output}")

    def on_kill(self) -> None:
        # The command is in a session of its own, which the end of the task does not reach.
        self.hook.send_sigterm()


for region in REGIONS:
    for job, (schedule, flags) in JOBS.items():
        with DAG(
            f"shelfcast_{job}_{region}",
            schedule=schedule,
            start_date=datetime(2026, 1, 1),
            catchup=False,
            max_active_runs=1,
            default_args={"retries": 6, "retry_delay": timedelta(minutes=10)},
            tags=["shelfcast"],
        ):
            ShelfcastOperator(
                task_id=job,
                command=f".venv/bin/shelfcast {job} --master {MASTER} --config conf/{region}.yaml {flags}",
            )

    with DAG(
        f"shelfcast_backfill_{region}",
        schedule=None,
        start_date=datetime(2026, 1, 1),
        max_active_runs=1,
        params={
            "first": Param("2026-01-01", type="string", format="date"),
            "last": Param("2026-01-31", type="string", format="date"),
            "reprocess": Param("none", enum=["none", "failed", "all"]),
            "dry_run": Param(True, type="boolean", description="say which days would run and why, and run none"),
        },
        tags=["shelfcast"],
    ):
        ShelfcastOperator(
            task_id="backfill",
            command=f".venv/bin/shelfcast backfill --master {MASTER} --config conf/{region}.yaml "
            "--from {{ params.first }} --to {{ params.last }} --reprocess {{ params.reprocess }}"
            "{{ ' --dry-run' if params.dry_run else '' }}",
        )
