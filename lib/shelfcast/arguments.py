"""What the console command `shelfcast` takes."""

import argparse
import ast
from pathlib import Path
from typing import NoReturn

from shelfcast import __version__, flags
from shelfcast.submit import job_files

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

_ABOUT = "Lists the jobs and submits them, serves what they made, and makes chains to try them on."


def command_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shelfcast", description=_ABOUT, allow_abbrev=False)
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
    commands.add_parser("settings", help="list every setting of a configuration, as Markdown")
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
        parents=[_spark_flags()],
        add_help=False,
    )
    parser.add_argument(
        "-h",
        "--help",
        action=_Help,
        nargs=0,
        dest=argparse.SUPPRESS,
        help="show the flags of the command, and of its job",
    )
    return parser


def _spark_flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--master", help="where Spark runs (default: local[*])")
    parser.add_argument(
        "--spark-settings", action="append", default=[], type=Path, metavar="FILE", help="Spark's settings, one a line"
    )
    parser.add_argument("--spark-conf", action="append", default=[], metavar="KEY=VALUE", help="a setting of Spark's")
    return parser


class _Help(argparse.Action):
    """The flags of the job beside those of Spark, where the job is known by then; else those of the command."""

    def __call__(self, parser: argparse.ArgumentParser, arguments: argparse.Namespace, *_: object) -> NoReturn:
        # A person's hash is no flag that one gives to `forget ID`.
        script = job_files().get(arguments.job) if hasattr(arguments, "job") and arguments.job != "forget" else None
        (flags_of_job(script, parser.prog) if script else parser).print_help()
        parser.exit()


def flags_of_job(script: Path, command: str) -> argparse.ArgumentParser:
    prog = command if command.split()[-1] == script.stem else f"{command} {script.stem}"
    return flags.parser(docstring_of(script), prog, [_spark_flags()])


def docstring_of(script: Path) -> str:
    return ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
