"""The flags of each job: parsed by the job, and before it by the command that submits it, for which nothing is loaded
that the job itself needs."""

import argparse
from collections.abc import Callable, Sequence
from re import fullmatch

from shelfcast import logs
from shelfcast.options import parse_day

SEVERITIES = ("info", "warning", "critical")
REPROCESS = ("none", "failed", "all")
FORECAST_ID = "DATE/LEVEL/STORE/ITEM/STEP, such as 2017-08-01/product/367/1082185/1"


def parser(
    docstring: str, prog: str | None = None, parents: Sequence[argparse.ArgumentParser] = ()
) -> argparse.ArgumentParser:
    """The flags of the job whose docstring is given, which begins with its name. `--set` changes one key of the
    configuration and may be given often."""
    flags = argparse.ArgumentParser(prog, description=docstring, parents=parents)
    flags.add_argument("--config", required=True, metavar="FILE", help="the YAML configuration of the region")
    flags.add_argument("--region", help="another name for the region than the configuration's")
    flags.add_argument("--as-of", type=parse_day, metavar="DATE", help="the world as known on that day")
    flags.add_argument(
        "--log", choices=logs.FORMATS, default="text", help="the form of the lines that tell of progress and failure"
    )
    flags.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="such as backtest.horizon=4")
    job = docstring.partition(":")[0]
    if job in _OWN:
        _OWN[job](flags)
    return flags


def _of_alerts(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("--fail-on", choices=SEVERITIES[1:], help="end with 3 where there is such an alert, or worse")


def _of_backfill(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("--from", dest="first", type=parse_day, required=True, metavar="DATE", help="the first day")
    flags.add_argument("--to", dest="last", type=parse_day, required=True, metavar="DATE", help="the last day")
    flags.add_argument("--dry-run", action="store_true", help="say which days would run and why, and run none")
    flags.add_argument(
        "--reprocess",
        choices=REPROCESS,
        default="none",
        help="besides the days that were never made: none, those that failed, or all (default: none)",
    )


def _of_backup(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("place", metavar="OUT", help="where the copy is to be, or an earlier one to bring up to date")


def _of_restore(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("place", metavar="FROM", help="what `shelfcast backup` has made")


def _of_forget(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("--person", type=_hash, required=True, metavar="HASH", help="as it stands in the lake")


def _hash(text: str) -> str:
    if not fullmatch("[0-9a-f]{64}", text):
        raise argparse.ArgumentTypeError(
            "wanted 64 hexadecimal digits; `shelfcast forget ID` makes them of an identifier"
        )
    return text


def _of_lineage(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("forecast", metavar="FORECAST_ID", help=FORECAST_ID)


def _of_retrain(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("--now", action="store_true", help="whether or not it is due")


_OWN: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    **dict.fromkeys(("check_inputs", "daily", "detect_anomalies", "pipeline"), _of_alerts),
    "backfill": _of_backfill,
    "backup": _of_backup,
    "forget": _of_forget,
    "lineage": _of_lineage,
    "restore": _of_restore,
    "retrain": _of_retrain,
}
