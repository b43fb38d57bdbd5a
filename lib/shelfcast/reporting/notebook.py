"""Parts of the report in a notebook's cell, as the page draws them."""

from dataclasses import dataclass

from markupsafe import Markup, escape

from shelfcast.reporting.blocks import Block
from shelfcast.reporting.page import render_blocks

# The frame is as high as what is in it, which it knows when it has been drawn.
_GROW = "this.style.height=this.contentDocument.documentElement.scrollHeight+8+'px'"


@dataclass(frozen=True)
class Shown:
    """What a cell shows: a page of its own, so that its style is not the notebook's."""

    page: str

    def _repr_html_(self) -> Markup:
        frame = Markup('<iframe srcdoc="{}" onload="{}" style="width:100%;border:0" title="shelfcast"></iframe>')
        return frame.format(escape(self.page), Markup(_GROW))


def show(*blocks: Block) -> Shown:
    """The blocks under one another; the last value of a cell is drawn."""
    return Shown(render_blocks(blocks))
