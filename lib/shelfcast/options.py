"""What command lines and Spark's files of settings give as text."""

from argparse import ArgumentTypeError
from datetime import date


def parse_day(text: str) -> date:
    """A day of a command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"found {text!r}, wanted a day such as 2017-08-01") from None


def read_options(text: str) -> dict[str, str]:
    """Key and value of each line of Spark's settings, as spark-submit reads them.

    >>> read_options("# the reason\\nspark.driver.memory  2g")
    {'spark.driver.memory': '2g'}
    """
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)
