"""Makes a lake older: what Delta keeps or lets go follows from the age of commits and files."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

_TIMES = ("timestamp", "deletionTimestamp", "modificationTime", "inCommitTimestamp")


def age(spark: SparkSession, root: Path, days: float) -> None:
    """All commits and files of the lake are `days` older than they were."""
    milliseconds = int(timedelta(days=days) / timedelta(milliseconds=1))
    for log in root.rglob("_delta_log/[0-9]*.json"):
        actions = [_older(json.loads(line), milliseconds) for line in log.read_text().splitlines()]
        log.write_text("".join(f"{json.dumps(action)}\n" for action in actions))
        # Hadoop's checksum of the file of before.
        log.with_name(f".{log.name}.crc").unlink(missing_ok=True)
    for file in [path for path in root.rglob("*") if path.is_file()]:
        then = file.stat().st_mtime - milliseconds / 1000
        os.utime(file, (then, then))
    jvm: Any = spark.sparkContext._jvm
    jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


def _older(action: dict[str, Any], milliseconds: int) -> dict[str, Any]:
    for told in action.values():
        for name in _TIMES:
            if name in told:
                told[name] -= milliseconds
    return action
