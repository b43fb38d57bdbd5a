from html import unescape

from report_builders import Page
from shelfcast.reporting.blocks import Block, Sentence
from shelfcast.reporting.notebook import show


def test_a_cell_shows_blocks_in_a_page_of_their_own() -> None:
    shown = show(Block(title="What & why", sentences=[Sentence("9 days", "A vendor is late.")]))._repr_html_()
    (frame,) = Page(shown).all("iframe")
    inner = Page(unescape(str(frame["srcdoc"])))
    assert "What & why 9 days A vendor is late." in inner.text
    assert inner.is_balanced
    assert inner.open == []
