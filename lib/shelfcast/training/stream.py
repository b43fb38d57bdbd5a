"""Windows streamed from Parquet into training: each process reads its own row groups, a few at a time.

Memory does not grow with the table: at most _GROUPS_AT_ONCE row groups, and a few batches ahead of the training.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tensorflow as tf
from numpy.typing import NDArray

from shelfcast import storage
from shelfcast.features import LEVEL_FEATURES
from shelfcast.models.mlp.windows import AHEAD, BASES, HISTORY
from shelfcast.training.batch import Batch, map_batch
from shelfcast.training.communicator import Communicator

_GROUPS_AT_ONCE = 4
_BATCHES_AHEAD = 4
_NUMBERS = ("history", "level", "ahead", "base")


class RowGroup(NamedTuple):
    file: str
    number: int


@dataclass(frozen=True)
class Source:
    """What a network learns from: windows of one panel in `files`, as features/windows keeps them.

    words: identity column -> its words. learn_until: weeks known to the training, targets too. known: weeks known to
    the validation, which forecasts from `learn_until` on; where it is no more than that, nothing is held back.
    """

    files: tuple[str, ...]
    words: Mapping[str, Sequence[str]]
    horizon: int
    learn_until: int
    known: int


class Stream:
    """A process's share of the windows, in batches. total: the training windows of all processes. mean_scale: of these;
    errors then count in multiples of it. non_negative: whether demand never was below 0 in them."""

    def __init__(self, source: Source, batch_size: int, seed: int, communicator: Communicator) -> None:
        self.source, self.batch_size, self.seed = source, batch_size, seed
        self._groups = _row_groups(source.files)[communicator.rank :: communicator.size]
        self.total, self.mean_scale, self.non_negative = self._survey(communicator)
        self.empty = map_batch(lambda spec: tf.zeros((0, *spec.shape[1:]), spec.dtype), self._signature())

    def training(self, epoch: int) -> Iterable[Batch]:
        """Every window once, in an order that depends on the seed and the epoch."""
        draw = np.random.default_rng((self.seed, epoch))
        groups = [self._groups[place] for place in draw.permutation(len(self._groups))]
        until = self.source.learn_until
        return self._ahead(_in_batches(self._blocks(groups, (0, until - 1), until, draw), self.batch_size))

    def validation(self) -> Iterable[Batch]:
        """The windows from `learn_until` on, in their order."""
        first, known = self.source.learn_until, self.source.known
        if known <= first:
            return ()
        return self._ahead(_in_batches(self._blocks(self._groups, (first, first), known), self.batch_size))

    def _ahead(self, batches: Iterator[Batch]) -> Iterable[Batch]:
        """The batches, read in a thread of their own while the last ones are learned from."""
        dataset = tf.data.Dataset.from_generator(lambda: batches, output_signature=tuple(self._signature()))
        return (Batch(*parts) for parts in dataset.prefetch(_BATCHES_AHEAD))

    def _blocks(
        self, groups: Sequence[RowGroup], origins: tuple[int, int], known: int, draw: np.random.Generator | None = None
    ) -> Iterator[Batch]:
        """The windows of some row groups at a time whose origin lies within `origins`, mixed where `draw` is given."""
        for start in range(0, len(groups), _GROUPS_AT_ONCE):
            table = pa.concat_tables(_read(group) for group in groups[start : start + _GROUPS_AT_ONCE])
            table = table.filter((pc.field("origin") >= origins[0]) & (pc.field("origin") <= origins[1]))
            rows = np.arange(len(table)) if draw is None else draw.permutation(len(table))
            if len(rows):
                yield self._batch(table.take(rows), known)

    def _batch(self, table: pa.Table, known: int) -> Batch:
        columns = {name: _flat(table, name).reshape(len(table), -1) for name in _NUMBERS}
        inputs: dict[str, NDArray[Any]] = {name: columns[name] for name in ("history", "level")}
        inputs["codes"] = self._codes(table)
        inputs |= {name: columns[name].reshape(len(table), self.source.horizon, -1) for name in ("ahead", "base")}
        return Batch(
            inputs, self._targets(table, known), (_column(table, "scale") / self.mean_scale).astype(np.float32)
        )

    def _targets(self, table: pa.Table, known: int) -> NDArray[np.float32]:
        """The weeks ahead, NaN where they come after the first `known` ones."""
        weeks = _column(table, "origin")[:, None] + np.arange(1, self.source.horizon + 1)
        y = _flat(table, "y").reshape(weeks.shape)
        return np.where(weeks <= known, y, np.float32("nan"))

    def _codes(self, table: pa.Table) -> NDArray[np.int32]:
        """A word's code is its place + 1; 0 is for the never seen."""
        found = [pc.index_in(table[name], value_set=pa.array(known)) for name, known in self.source.words.items()]
        codes = [pc.add(pc.fill_null(places, -1), 1).to_numpy() for places in found]
        return np.stack(codes, axis=1).astype(np.int32)

    def _survey(self, communicator: Communicator) -> tuple[int, float, bool]:
        """One look at the few columns that tell how many windows there are, and of what size."""
        sums = np.zeros(3)
        for group in self._groups:
            table = _read(group, ["origin", "scale", "y"])
            table = table.filter(pc.field("origin") < self.source.learn_until)
            targets = self._targets(table, self.source.learn_until)
            # NaN is below nothing.
            sums += [len(table), _column(table, "scale").sum(), (targets < 0).sum()]
        count, scale, negative = (float(part) for part in communicator.all_reduce([tf.constant(s) for s in sums]))
        return int(count), scale / max(count, 1.0), negative == 0

    def _signature(self) -> Batch:
        horizon = self.source.horizon
        shapes = {
            "history": (HISTORY,),
            "level": (len(LEVEL_FEATURES),),
            "codes": (len(self.source.words),),
            "ahead": (horizon, len(AHEAD)),
            "base": (horizon, len(BASES)),
        }
        types = {"codes": tf.int32}
        inputs = {name: tf.TensorSpec((None, *shape), types.get(name, tf.float32)) for name, shape in shapes.items()}
        return Batch(inputs, tf.TensorSpec((None, horizon), tf.float32), tf.TensorSpec((None,), tf.float32))


def _row_groups(files: Sequence[str]) -> list[RowGroup]:
    """All row groups, file after file."""
    counts = [(file, _open(file).num_row_groups) for file in sorted(files)]
    return [RowGroup(file, number) for file, count in counts for number in range(count)]


def _read(group: RowGroup, columns: list[str] | None = None) -> pa.Table:
    return _open(group.file).read_row_group(group.number, columns=columns)


def _open(file: str) -> pq.ParquetFile:
    """A file as Spark names it."""
    filesystem, (path,) = storage.locate_all([file])
    return pq.ParquetFile(path, filesystem=filesystem)


def _in_batches(blocks: Iterable[Batch], size: int) -> Iterator[Batch]:
    """The rows of the blocks, cut anew: batches of `size`, but for the last."""
    left: Batch | None = None
    for block in blocks:
        rows = block if left is None else _join(left, block)
        whole = len(rows.weight) // size * size
        for start in range(0, whole, size):
            yield _cut(rows, slice(start, start + size))
        left = _cut(rows, slice(whole, None))
    if left is not None and len(left.weight):
        yield left


def _cut(batch: Batch, rows: slice) -> Batch:
    return map_batch(lambda values: values[rows], batch)


def _join(one: Batch, other: Batch) -> Batch:
    inputs = {name: np.concatenate([values, other.inputs[name]]) for name, values in one.inputs.items()}
    return Batch(inputs, np.concatenate([one.y, other.y]), np.concatenate([one.weight, other.weight]))


def _column(table: pa.Table, name: str) -> NDArray[Any]:
    return np.asarray(table[name].to_numpy())


def _flat(table: pa.Table, name: str) -> NDArray[np.float32]:
    """A column of lists, one behind the other."""
    return np.asarray(pc.list_flatten(table[name]).to_numpy(), dtype=np.float32)
