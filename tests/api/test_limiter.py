import threading
from collections.abc import Callable

import pytest

from shelfcast.api.limiter import Limiter, SlidingCounter
from shelfcast.api.problems import Problem
from shelfcast.settings.serving import Limits

Clock = Callable[[float], None]
# Seconds at which four a minute are asked for, and whether each is let through.
ASKED = [
    pytest.param([0, 1, 2, 3, 4], [1, 1, 1, 1, 0], id="the fifth of a minute is one too many"),
    pytest.param([50, 51, 52, 53, 61], [1, 1, 1, 1, 1], id="of four before, three and a bit are within a minute"),
    pytest.param([50, 51, 52, 53, 61, 62], [1, 1, 1, 1, 1, 0], id="and with that one there are four again"),
    pytest.param([0, 1, 2, 3, 90, 91, 92, 93], [1] * 7 + [0], id="half a minute later fewer than two of four count"),
    pytest.param([0, 1, 2, 3, 120, 121, 122, 123], [1] * 8, id="two minutes later none does"),
]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    def set_to(seconds: float) -> None:
        monkeypatch.setattr("shelfcast.api.limiter.time.monotonic", lambda: 6000.0 + seconds)

    return set_to


@pytest.mark.parametrize(("seconds", "wanted"), ASKED)
def test_so_many_a_minute_and_no_more(at: Clock, seconds: list[int], wanted: list[int]) -> None:
    counter, found = SlidingCounter(4), []
    for each in seconds:
        at(each)
        found.append(int(counter.hit("a")))
    assert found == wanted


def test_clients_are_counted_apart_and_forgotten_with_their_minutes(at: Clock) -> None:
    counter = SlidingCounter(1)
    at(0)
    assert [counter.hit(client) for client in ("a", "b", "a")] == [True, True, False]
    at(130)
    assert counter.hit("c")
    assert counter.clients == {"c"}


def test_one_too_many_is_told_what_was_wanted(at: Clock) -> None:
    at(0)
    kinds = Limiter(Limits(requests=1, sign_ins=1))
    for kind, name in (("requests", "requests"), ("sign_ins", "sign-ins")):
        kinds.count(kind, "a")
        with pytest.raises(Problem) as refused:
            kinds.count(kind, "a")
        assert refused.value.detail == f"more than 1 {name} a minute; wanted fewer"


def test_counting_starts_no_thread() -> None:
    kinds = Limiter(Limits())
    before = threading.active_count()
    for client in range(50):
        kinds.count("requests", str(client))
        assert threading.active_count() == before
