"""The console command `shelfcast`: lists the jobs and submits them, and makes chains to try them on."""

import argparse
import ast
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from shelfcast import __version__, logs
from shelfcast.errors import ShelfcastError
from shelfcast.submit import job_files, run, settings_in, spark_environment, submission, write_package

WRONG_USAGE = 2
INTERRUPTED = (130, 143)
# Jobs that are commands of their own, as schedules call them.
SCHEDULED = {
    "daily": "make and publish a day, and those missed before it",
    "backfill": "make the days of a range",
    "retrain": "backtest champion and challenger anew, where that is due",
    "rollback": "restore the champions before the last promotions",
    "check_deadline": "tell where a day is not published in time",
    "backup": "copy the lake to another place, or what is new in it",
    "restore": "make the lake from such a copy",
    "maintain": "put small files together and let old versions go",
    "migrate": "bring a lake of an earlier version to this one's",
    "lineage": "print every table version, setting and commit behind a forecast",
}
USER_DEEDS = {
    "add": "a user, who chooses a password by a one-time link",
    "list": "the users, and what they reach",
    "link": "a new one-time link, for a lost password",
    "token": "an API token",
    "disable": "shut the account: its sessions end and its tokens are revoked",
    "enable": "open it again",
}
_NOT_WHOLE = "is not whole: remove it before you try again"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is the job's, or 2 for wrong usage."""
    parser = _parser()
    # what it does not know is the job's own, as it comes
    arguments, job_arguments = parser.parse_known_args(argv)
    if arguments.command not in ("submit", "forget", *SCHEDULED) and job_arguments:
        parser.error(f"unrecognized arguments: {' '.join(job_arguments)}")
    try:
        return _COMMANDS[arguments.command](arguments, job_arguments)
    except ShelfcastError as error:
        print(f"shelfcast: {error}", file=sys.stderr)
        return error.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shelfcast", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"shelfcast {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    submit = _add_submitting(
        commands, "submit JOB", "run a job by spark-submit", "Print the spark-submit command of a job, and run it."
    )
    submit.add_argument("job", metavar="JOB", help="`shelfcast jobs` lists them")
    for name, what in SCHEDULED.items():
        _add_submitting(commands, name, what, f"As `shelfcast submit {name}`: {what}.").set_defaults(job=name)
    forget = _add_submitting(
        commands,
        "forget ID",
        "delete a person's rows, purge and prove it",
        "Hash the identifier with the key in SHELFCAST_PERSON_KEY, and submit job forget with the hash.",
    )
    forget.add_argument("person", metavar="ID", help="the person's identifier, as the source has it")
    forget.set_defaults(job="forget")
    commands.add_parser("jobs", help="list the jobs")
    generate = commands.add_parser("generate", help="write a chain whose truth is known", allow_abbrev=False)
    generate.add_argument("chain", metavar="CHAIN", help="a chain file, or the name of one in conf/chains/")
    generate.add_argument("out", type=Path, metavar="OUT", help="the folder to make, or an empty one")
    generate.add_argument("--rows", type=int, metavar="N", help="sales rows, instead of the chain file's")
    generate.add_argument("--seed", type=int, metavar="S", help="another chain of the same kind")
    _add_serving(commands)
    package = commands.add_parser("package", help="write the archive that spark-submit ships to executors")
    package.add_argument("--output", type=Path, default=Path("build/shelfcast.zip"), metavar="FILE")
    package.add_argument("--environment", type=Path, metavar="FILE", help="write the executors' Python too (tar.gz)")
    package.add_argument("--training", action="store_true", help="and in it what trains networks")
    return parser


def _add_serving(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser("serve", help="serve forecasts and orders over HTTP", allow_abbrev=False)
    _add_configs(serve)
    user = commands.add_parser("user", help="let users in, or out", allow_abbrev=False)
    deeds = user.add_subparsers(dest="deed", required=True, metavar="DEED")
    for name, what in USER_DEEDS.items():
        deed = deeds.add_parser(name, help=what, allow_abbrev=False)
        _add_configs(deed)
        if name != "list":
            deed.add_argument("name", metavar="NAME")
        if name == "add":
            deed.add_argument("--role", choices=["viewer", "planner", "admin"], default="viewer")
            deed.add_argument(
                "--reach",
                action="append",
                default=[],
                metavar="REGION[/STORE]",
                help="a region, or a store of it; * for all",
            )
        if name == "token":
            deed.add_argument("--label", default="command line")
            deed.add_argument("--days", type=int, default=90)


def _add_configs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", action="append", required=True, type=Path, metavar="FILE", help="once for each region of the lake"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of all of them"
    )


def _add_submitting(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", usage: str, what: str, description: str
) -> argparse.ArgumentParser:
    """A command that hands a job to Spark, as it is called."""
    parser = commands.add_parser(
        usage.split()[0],
        help=what,
        usage=f"shelfcast {usage} [--master M] [--spark-settings FILE ...] [--spark-conf KEY=VALUE ...] --config FILE "
        "[the job's other flags]",
        description=f"{description} All other flags are the job's.",
        allow_abbrev=False,
    )
    parser.add_argument("--master", help="where Spark runs (default: local[*])")
    parser.add_argument(
        "--spark-settings", action="append", default=[], type=Path, metavar="FILE", help="Spark's settings, one a line"
    )
    parser.add_argument("--spark-conf", action="append", default=[], metavar="KEY=VALUE", help="a setting of Spark's")
    return parser


def _submit(arguments: argparse.Namespace, job_arguments: Sequence[str]) -> int:
    jobs = job_files()
    if arguments.job not in jobs:
        print(f"shelfcast: job {arguments.job!r}: unknown; wanted one of {', '.join(jobs)}", file=sys.stderr)
        return WRONG_USAGE
    settings = [setting for file in arguments.spark_settings for setting in settings_in(file)]
    submitted = submission(jobs[arguments.job], job_arguments, arguments.master, [*settings, *arguments.spark_conf])
    is_json = _log_form(job_arguments) == "json"
    logs.configure("json" if is_json else "text")
    if is_json:
        logs.say(str(submitted))
    else:
        print(submitted, file=sys.stderr, flush=True)
    status = run(submitted)
    if status in INTERRUPTED:
        logs.end("shelfcast", "interrupted; the same command goes on after the last finished commit", status)
    return status


def _log_form(job_arguments: Sequence[str]) -> str | None:
    """What the job is told of its log."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--log")
    form: str | None = parser.parse_known_args(job_arguments)[0].log
    return form


def _forget(arguments: argparse.Namespace, job_arguments: Sequence[str]) -> int:
    """The identifier itself reaches no command line of Spark's, no log and no process list but this one's."""
    import pandas as pd

    from shelfcast.sources.raw import keyed_hashes, person_key

    (person,) = keyed_hashes(pd.Series([arguments.person]), person_key())
    return _submit(arguments, ["--person", person, *job_arguments])


def _list_jobs(_: argparse.Namespace, __: Sequence[str]) -> int:
    jobs = job_files()
    width = max(map(len, jobs), default=0)
    for name, path in jobs.items():
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        print(f"{name:{width}}  {docstring.partition(chr(10))[0].removeprefix(f'{name}: ')}")
    return 0


def _package(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    print(write_package(arguments.output))
    if arguments.environment:
        from shelfcast.portable_python import write_environment

        print(write_environment(arguments.environment, ["spark", "train"] if arguments.training else ["spark"]))
    return 0


def _generate(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    # Spark is loaded by the one command that runs it in this process.
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    from shelfcast.command import in_a_line
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
    "generate": _generate,
    "package": _package,
    **dict.fromkeys(SCHEDULED, _submit),
}
