"""Run by Airflow's own Python: loads the DAGs of a folder and says each task's command, as JSON, as of a given time."""

import json
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.execution_time import macros


def main(folder: str, run_after: str) -> None:
    bag = DagBag(folder)
    commands = {}
    for name, dag in bag.dags.items():
        at = datetime.fromisoformat(run_after).replace(tzinfo=UTC)
        context = {"dag_run": SimpleNamespace(run_after=at), "macros": macros, "params": dag.params.dump()}
        for task in dag.tasks:
            task.render_template_fields(context)
            commands[f"{name}.{task.task_id}"] = task.command
    sys.stdout.write(json.dumps({"errors": bag.import_errors, "commands": commands}))


if __name__ == "__main__":
    main(*sys.argv[1:])
