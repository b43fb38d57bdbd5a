from collections.abc import Callable
from pathlib import Path

import pytest

from shelfcast.errors import ConfigError
from shelfcast.runner import Runner
from shelfcast.steps import ingest


def test_a_misspelt_column_of_persons_is_refused_before_anything_is_written(
    make_runner: Callable[..., Runner], lake_root: Path
) -> None:
    runner = make_runner(lake_root, "source.persons={houshold_id: drop}")
    with pytest.raises(
        ConfigError, match=r"source\.persons: no column houshold_id in the source; found .*household_id"
    ):
        runner.run(ingest.job(runner.config))
    assert not [*lake_root.glob("raw/*")]


def test_a_column_of_persons_in_another_case_does_not_reach_the_lake(
    make_runner: Callable[..., Runner], lake_root: Path
) -> None:
    runner = make_runner(lake_root, "source.persons={Household_ID: drop}")
    job = ingest.job(runner.config)
    assert runner.run(job)
    columns = {name.casefold() for table in job.writes for name in runner.lake.read(table, "complete_journey").columns}
    assert "household_id" not in columns
    assert "store_id" in columns
