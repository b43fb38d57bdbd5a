import pytest

from panel_builders import week
from shelfcast.errors import NotEnoughHistoryError
from shelfcast.plan import Plan
from shelfcast.settings.inventory import Replay
from shelfcast.steps.replay import first_replayed


def first_of(weeks: int, cutoff: int, **changes: int) -> int:
    settings = Replay.model_construct(weeks=26, warm_up=2, **changes)
    return first_replayed(Plan(tuple(week(n) for n in range(weeks)), (cutoff,), 8, 52), settings)


@pytest.mark.parametrize(
    ("weeks", "cutoff", "first"),
    [
        pytest.param(60, 40, 40, id="all-that-is-held-out"),
        pytest.param(104, 40, 76, id="of-more-the-last-weeks-and-their-warm-up"),
        pytest.param(60, 29, 32, id="a-week-to-tune-on-is-left"),
    ],
)
def test_the_last_weeks_are_replayed(weeks: int, cutoff: int, first: int) -> None:
    assert first_of(weeks, cutoff) == first


@pytest.mark.parametrize(
    ("weeks", "cutoff", "said"),
    [
        pytest.param(42, 40, "2 weeks are held out; wanted more than the 2 of the warm-up", id="nothing-held-out"),
        pytest.param(52, 20, "24 weeks come before .* wanted more than 28", id="nothing-to-tune-on"),
        pytest.param(40, 28, "28 weeks come before .* wanted more than 28", id="no-more-than-a-warm-up-to-tune-on"),
    ],
)
def test_too_little_history_is_told(weeks: int, cutoff: int, said: str) -> None:
    with pytest.raises(NotEnoughHistoryError, match=said):
        first_of(weeks, cutoff)
