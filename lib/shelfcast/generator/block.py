"""Makes a block of products in all stores: its part of every file, and of the truth."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from shelfcast.generator import truth
from shelfcast.generator.chain import FileDirt
from shelfcast.generator.dirt import DirtyRow, Lines, spoil
from shelfcast.generator.files import (
    CATALOGUE,
    CLOSING,
    INVOICES,
    LINE_END,
    OPENING,
    PURCHASES,
    SALES,
    Layout,
    part_name,
    whole_file,
)
from shelfcast.generator.purchases import invoice_lines, purchase_lines, purchases, sums_line
from shelfcast.generator.sales import sale_lines
from shelfcast.generator.shelves import catalogue_lines, stock_lines
from shelfcast.generator.streams import stream
from shelfcast.generator.text import bytes_of
from shelfcast.generator.world import World, course

_CLEAN = FileDirt()
_SUMS = "sums_without_keys"


def write_block(world: World, block: int, out: Path) -> Counter[str]:
    """Write a block's part of each of the six files into `out`, and of the truth into out/truth.

    Returns rows by file, less headers and dirt, and the dirty rows as "dirty".
    """
    seen = course(world, world.block(block))
    bought = purchases(world, seen, block)
    dirt, opening, closing = world.chain.dirt, stock_lines(world, seen, OPENING), stock_lines(world, seen, CLOSING)
    part = _Part(world.chain.seed, block, out)
    part.write(SALES, sale_lines(world, seen), dirt.sales)
    part.write(PURCHASES, [purchase_lines(world, seen, bought)], dirt.purchases, [(_SUMS, sums_line(bought))])
    part.write(INVOICES, [_lines(invoice_lines(world, bought))], _CLEAN)
    part.write(OPENING, [_lines(opening)], dirt.stock)
    tail = round(dirt.stock_tail * len(closing))
    part.write(CLOSING, [_lines(closing)], dirt.stock, [("comma_only", "," * (len(CLOSING.columns) - 1))] * tail)
    part.write(CATALOGUE, [_lines(catalogue_lines(world, seen))], dirt.catalogue)
    truth.write_block(world, seen, part.dirty, out / "truth", block)
    return part.rows


def _lines(texts: list[str]) -> Lines:
    return Lines(pa.array(texts, pa.string()), np.zeros(len(texts), dtype=np.int64))


class _Part:
    """Writes the part files of a block, with their dirt, and keeps which rows are dirty and how many are not."""

    def __init__(self, seed: int, block: int, out: Path) -> None:
        self.seed, self.block, self.out = seed, block, out
        self.dirty: list[DirtyRow] = []
        self.rows: Counter[str] = Counter()

    def write(
        self, layout: Layout, chunks: Iterable[Lines], rates: FileDirt, tail: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Write a file: its header, the chunks with their dirt, and a tail of rows of these kinds and texts."""
        name, rng = part_name(layout, self.block), stream(self.seed, f"dirt of {layout.name}", self.block)
        line = 2
        with whole_file(self.out / name) as file:
            file.write(f"{layout.header}{LINE_END}".encode())
            for lines in chunks:
                texts, spoiled = spoil(lines, layout, rates, rng)
                file.write(bytes_of(texts))
                self._note(name, spoiled, line)
                self.rows[layout.name] += len(lines.texts)
                line += len(texts)
            last = [DirtyRow(name, number, kind, text, False) for number, (kind, text) in enumerate(tail)]
            file.write("".join(row.row + LINE_END for row in last).encode())
            self._note(name, last, line)

    def _note(self, file: str, spoiled: list[DirtyRow], first_line: int) -> None:
        self.dirty += [row._replace(file=file, line=first_line + row.line) for row in spoiled]
        self.rows["dirty"] += len(spoiled)
