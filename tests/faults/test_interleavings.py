"""Two writers of one table, of which the one stands still within Delta's own transaction while the other commits: what
is there then is what they would have left one after the other, or one is told to try again and the other's is there.

The method is that of Delta's own suites, whose barriers (`PhaseLockingTransactionExecutionObserver`) it brings along.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from pyspark.sql import SparkSession

from faults.committing import TAKINGS
from faults.processes import wait_for
from shelfcast import upkeep
from shelfcast.errors import TransientError
from shelfcast.lake import Lake

pytestmark = pytest.mark.faults

Row = tuple[str, int]
Content = dict[str, list[Row]]
BEFORE: Content = {"north": [("before", 1), ("before", 2)], "south": [("before", 3)]}
# Each writes these rows, one of which is there before.
ROWS: dict[str, list[Row]] = {"first": [("before", 1), ("first", 4)], "second": [("before", 1), ("second", 5)]}


class Writer:
    """One of the two, in a region of the table."""

    def __init__(self, lake: Lake, name: str, region: str) -> None:
        self.lake, self.name, self.region = lake, name, region
        self.scope, self.note = {"region": region}, {"run_key": name, "job": "takings"}

    def _frame(self) -> Any:
        rows = [(self.region, *row) for row in ROWS[self.name]]
        return self.lake.spark.createDataFrame(rows, TAKINGS.schema).coalesce(1)

    def replace(self) -> None:
        self.lake.replace(TAKINGS, self._frame(), self.scope, self.note)

    def merge(self) -> None:
        self.lake.merge(TAKINGS, self._frame(), ["writer", "number"], self.scope, self.note)

    def append(self) -> None:
        self.lake.append_once(TAKINGS, self._frame(), self.scope, self.note)

    def compact(self) -> None:
        upkeep.optimize(self.lake, TAKINGS.name, self.region)


# What each leaves of the rows that it finds.
LEAVES: dict[str, Callable[[list[Row], list[Row]], list[Row]]] = {
    "replace": lambda _, own: own,
    "merge": lambda found, own: [*found, *[row for row in own if row not in found]],
    "append": lambda found, own: [*found, *own],
    "compact": lambda found, _: found,
}
# Who stands, and who writes meanwhile. Two merges of one process take turns, and OPTIMIZE begins a transaction anew
# where another was first.
PAIRS = [pair for pair in product(LEAVES, repeat=2) if pair != ("merge", "merge") and pair[0] != "compact"]
# Delta's phases in their order. The first writer stands in front of one of them: of a commit that is made Delta holds a
# lock of this process until the last one is over.
PHASES = ("initialPhase", "preparePhase", "commitPhase", "backfillPhase", "postCommitPhase")
STANDS = {
    "before-it-reads": "initialPhase",
    "once-it-has-read": "preparePhase",
    "before-it-commits": "commitPhase",
}


@contextmanager
def standing(spark: SparkSession, write: Callable[[], None], phase: str) -> Iterator[Future[None]]:
    """A write that stands in front of the phase while the block lasts, and goes on then."""
    jvm: Any = spark.sparkContext._jvm
    delta = jvm.org.apache.spark.sql.delta
    phases = delta.fuzzer.OptimisticTransactionPhases.forName("first")
    barriers = {name: getattr(phases, name)().entryBarrier() for name in PHASES}
    place = PHASES.index(phase)

    def watched() -> None:
        # Of this thread alone: each has one in the JVM for itself.
        observed = delta.fuzzer.PhaseLockingTransactionExecutionObserver(phases)
        delta.TransactionExecutionObserver.setObserver(observed)
        write()

    for name in PHASES[:place]:
        barriers[name].unblock()
    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(watched)
        try:
            wait_for(lambda: getattr(phases, phase)().hasReached() or writing.done())
            assert not writing.done(), writing.exception()
            yield writing
        finally:
            for name in PHASES[place:]:
                barriers[name].unblock()


def after(content: Content, *writes: tuple[Writer, str]) -> Content:
    """What is there once they have written, one after the other."""
    for writer, kind in writes:
        content = content | {writer.region: LEAVES[kind](content[writer.region], ROWS[writer.name])}
    return {region: sorted(rows) for region, rows in content.items()}


def found_in(lake: Lake) -> Content:
    rows = {region: lake.read(TAKINGS, region).collect() for region in BEFORE}
    return {region: sorted((row.writer, row.number) for row in found) for region, found in rows.items()}


@pytest.fixture
def lake(spark: SparkSession, lake_root: Any) -> Lake:
    lake = Lake(spark, str(lake_root))
    for region, rows in BEFORE.items():
        # Two files in the north, so that there is something to compact.
        for number, row in enumerate(rows):
            note = {"run_key": f"{region} {number}", "job": "takings"}
            lake.append_once(TAKINGS, spark.createDataFrame([(region, *row)], TAKINGS.schema), {"region": region}, note)
    return lake


@pytest.mark.parametrize("region", ["north", "south"], ids=["of-one-region", "of-two"])
@pytest.mark.parametrize("phase", STANDS.values(), ids=STANDS)
@pytest.mark.parametrize(("own", "others"), PAIRS, ids=[f"{own}-while-{others}" for own, others in PAIRS])
def test_two_writers_leave_what_they_would_one_after_the_other_or_one_is_told_to_try_again(
    own: str, others: str, phase: str, region: str, spark: SparkSession, lake: Lake
) -> None:
    first, second = Writer(lake, "first", "north"), Writer(Lake(spark, lake.root), "second", region)
    with standing(spark, getattr(first, own), phase) as writing:
        getattr(second, others)()
    is_refused = isinstance(writing.exception(), TransientError)
    if not is_refused:
        writing.result()
    one, two = (first, own), (second, others)
    orders = [after(BEFORE, two)] if is_refused else [after(BEFORE, one, two), after(BEFORE, two, one)]
    assert found_in(lake) in orders
    overlap = region == "north" and phase in ("preparePhase", "commitPhase")
    assert overlap or not is_refused
    assert is_refused or not (overlap and (own, others) == ("replace", "replace"))
