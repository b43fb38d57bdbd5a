"""The console command `shelfcast`: lists the jobs and submits them, and makes chains to try them on."""

import argparse
import os
import sys
from collections.abc import Sequence

from shelfcast import logs
from shelfcast.arguments import SCHEDULED, command_parser, docstring_of, flags_of_job
from shelfcast.errors import ConfigError, ShelfcastError
from shelfcast.submit import job_files, run, settings_in, spark_environment, submission, write_package

WRONG_USAGE = 2
INTERRUPTED = (130, 143)
_NOT_WHOLE = "is not whole: remove it before you try again"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is the job's, or 2 for wrong usage."""
    parser = command_parser()
    # what it does not know is the job's own, as it comes
    arguments, job_arguments = parser.parse_known_args(argv)
    if arguments.command not in ("submit", "forget", *SCHEDULED) and job_arguments:
        parser.error(f"unrecognized arguments: {' '.join(job_arguments)}")
    try:
        return _COMMANDS[arguments.command](arguments, job_arguments)
    except ShelfcastError as error:
        print(f"shelfcast: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("shelfcast: interrupted", file=sys.stderr)
        return INTERRUPTED[0]


def _submit(arguments: argparse.Namespace, job_arguments: Sequence[str]) -> int:
    jobs = job_files()
    if arguments.job not in jobs:
        print(f"shelfcast: job {arguments.job!r}: unknown; wanted one of {', '.join(jobs)}", file=sys.stderr)
        return WRONG_USAGE
    # What the job would refuse is refused before Spark has started.
    told = flags_of_job(jobs[arguments.job], f"shelfcast {arguments.command}").parse_args(job_arguments)
    settings = [setting for file in arguments.spark_settings for setting in settings_in(file)]
    submitted = submission(jobs[arguments.job], job_arguments, arguments.master, [*settings, *arguments.spark_conf])
    logs.configure(told.log)
    if told.log == "json":
        logs.say(str(submitted))
    else:
        print(submitted, file=sys.stderr, flush=True)
    status = run(submitted)
    if status in INTERRUPTED:
        logs.end("shelfcast", "interrupted; the same command goes on after the last finished commit", status)
    return status


def _forget(arguments: argparse.Namespace, job_arguments: Sequence[str]) -> int:
    """The identifier itself reaches no command line of Spark's, no log and no process list but this one's."""
    import pandas as pd

    from shelfcast.sources.person_key import person_key
    from shelfcast.sources.raw import keyed_hashes

    (person,) = keyed_hashes(pd.Series([arguments.person]), person_key())
    return _submit(arguments, ["--person", person, *job_arguments])


def _list_jobs(_: argparse.Namespace, __: Sequence[str]) -> int:
    jobs = job_files()
    width = max(map(len, jobs), default=0)
    for name, path in jobs.items():
        print(f"{name:{width}}  {docstring_of(path).partition(chr(10))[0].removeprefix(f'{name}: ')}")
    return 0


def _list_settings(_: argparse.Namespace, __: Sequence[str]) -> int:
    from shelfcast.reference import reference

    print(reference(), end="")
    return 0


def _package(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    try:
        print(write_package(arguments.output))
        if arguments.environment:
            from shelfcast.portable_python import write_environment

            print(write_environment(arguments.environment, ["spark", "train"] if arguments.training else ["spark"]))
    except OSError as error:
        raise ConfigError(
            f"{error.filename}: cannot be written ({error.strerror}); wanted a folder that this user may write to"
        ) from None
    return 0


def _generate(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    # Spark is loaded by the one command that runs it in this process.
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    from shelfcast.failures import in_a_line
    from shelfcast.generator.chain import load_chain
    from shelfcast.generator.generate import generate
    from shelfcast.session import open_session

    chain = load_chain(arguments.chain, arguments.rows, arguments.seed)
    os.environ.update(spark_environment())
    try:
        rows = generate(open_session(f"shelfcast generate {chain.name}"), chain, arguments.out)
    except KeyboardInterrupt:
        print(f"shelfcast: interrupted; {arguments.out} {_NOT_WHOLE}", file=sys.stderr)
        return INTERRUPTED[0]
    except (PySparkException, Py4JJavaError) as error:
        print(f"shelfcast: {arguments.out} {_NOT_WHOLE}: {in_a_line(error)}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"shelfcast: {arguments.out} {_NOT_WHOLE}: {error}", file=sys.stderr)
        return 1
    for name, count in sorted(rows.items()):
        print(f"{name:24}  {count:>12,} rows")
    return 0


def _serve(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    # What serves is loaded by the commands that need it.
    from shelfcast.api.server import serve
    from shelfcast.config import load_unadjusted
    from shelfcast.web.install import install_pages

    try:
        return serve([load_unadjusted(path, arguments.set) for path in arguments.config], install_pages)
    except KeyboardInterrupt:
        # It has shut down in order, and said so in its log.
        return INTERRUPTED[0]


def _user(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    from shelfcast.api.command import carry_out
    from shelfcast.config import load

    for line in carry_out([load(path, arguments.set) for path in arguments.config], arguments):
        print(line)
    return 0


_COMMANDS = {
    "serve": _serve,
    "user": _user,
    "submit": _submit,
    "forget": _forget,
    "jobs": _list_jobs,
    "settings": _list_settings,
    "generate": _generate,
    "package": _package,
    **dict.fromkeys(SCHEDULED, _submit),
}
