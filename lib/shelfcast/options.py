"""Spark's settings as files have them: a key and its value a line, as spark-submit reads them."""


def read_options(text: str) -> dict[str, str]:
    """Key and value of each line.

    >>> read_options("# the reason\\nspark.driver.memory  2g")
    {'spark.driver.memory': '2g'}
    """
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)
