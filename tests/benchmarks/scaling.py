"""Where the time of an application goes, and how long it would take on other numbers of cores, from Spark's event log.

    python tests/benchmarks/scaling.py LOG [--cores 1 2 4]

A stage's tasks are laid on so many cores in the order in which they began, each stage once those that it waits for are
done; between the stages is what the driver does alone, which more cores do not shorten. That tasks beside one another
are slower, as for memory or the disk, is not known on paper: `cluster.py --workers` measures it.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from event_log import Task, busy_seconds, on_paper, read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2, 4])
    arguments = parser.parse_args()
    log = read(arguments.log)
    whole, busy = log.ended - log.started, busy_seconds(log.tasks)
    print(f"{whole:.0f} s, of which {whole - busy:.0f} s no task ran; tasks: {sum(map(_seconds, log.tasks)):.0f} s")
    for cores in arguments.cores:
        print(f"{cores} cores: {on_paper(log, cores):.0f} s")
    by_job: dict[str, list[Task]] = defaultdict(list)
    for task in log.tasks:
        by_job[task.job].append(task)
    for job, tasks in sorted(by_job.items(), key=lambda item: -sum(map(_seconds, item[1]))):
        longest = max(map(_seconds, tasks))
        print(f"{job:20} {sum(map(_seconds, tasks)):7.0f} s in {len(tasks)} tasks, the longest {longest:.1f} s")


def _seconds(task: Task) -> float:
    return task.seconds


if __name__ == "__main__":
    main()
