from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfcast.reporting import formats

NOTHING = (None, float("nan"), float("inf"))


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u2212", "-")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(formats.count(1469307), "1,469,307", id="thousands"),
        pytest.param(formats.count(-3), "-3", id="a-negative-count"),
        pytest.param(formats.compact(1469307), "1.47 M", id="millions"),
        pytest.param(formats.compact(36042), "36 k", id="thousands-in-short"),
        pytest.param(formats.compact(9999), "9,999", id="below-ten-thousand-in-full"),
        pytest.param(formats.compact(2.5e9), "2.5 bn", id="billions"),
        pytest.param(formats.compact(0), "0", id="nothing-sold"),
        pytest.param(formats.amount(3.217), "3.22", id="three-digits"),
        pytest.param(formats.amount(1234.4), "1,234", id="whole-above-a-thousand"),
        pytest.param(formats.precise(11), "11.0", id="the-zeros-of-a-column"),
        pytest.param(formats.precise(912), "912", id="no-point-without-decimals"),
        pytest.param(formats.money(36042.5, "$"), "$36 k", id="money"),
        pytest.param(formats.share(0.3365), "33.7 %", id="a-share"),
        pytest.param(formats.share(1), "100 %", id="all-of-it"),
        pytest.param(formats.share(0.99996, 3), "99.996 %", id="nearly-all"),
        pytest.param(formats.signed_share(0.021), "+2.1 %", id="a-bias-upward"),
        pytest.param(formats.signed_share(-0.021), "-2.1 %", id="a-bias-downward"),
        pytest.param(formats.points(-0.08), "-8.0 points", id="points"),
        pytest.param(formats.ratio(0.9123), "0.912", id="a-ratio"),
        pytest.param(formats.seconds(0.84), "0.8 s", id="seconds"),
        pytest.param(formats.seconds(133), "2 min 13 s", id="minutes"),
        pytest.param(formats.seconds(59.97), "1 min 0 s", id="nearly-a-minute"),
        pytest.param(formats.words("seasonal_naive"), "seasonal naive", id="a-name-in-code"),
    ],
)
def test_numbers_as_people_read_them(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    "write",
    [
        *(formats.count, formats.compact, formats.amount, formats.precise, formats.share, formats.signed_share),
        *(formats.points, formats.ratio, formats.seconds, lambda number: formats.money(number, "$")),
    ],
)
def test_what_is_missing_is_a_dash(write: Callable[[float | None], str]) -> None:
    assert {write(number) for number in NOTHING} == {formats.MISSING}


@given(st.floats(-1e12, 1e12))
def test_three_digits_are_never_off_by_more_than_a_part_in_two_hundred(number: float) -> None:
    shown = float(plain(formats.amount(number)).replace(",", ""))
    assert shown == pytest.approx(number, rel=0.005, abs=1e-300) or abs(number) < 0.001
