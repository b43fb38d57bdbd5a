import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfcast.insights.items import FEATURES
from shelfcast.insights.labels import PLAIN, advice, name_segments

CENTRES = st.lists(st.fixed_dictionaries({name: st.floats(-3, 3) for name in FEATURES}), min_size=1, max_size=8)


@given(CENTRES, st.sampled_from(["product", "store"]))
def test_no_two_segments_have_the_same_name_and_each_asks_for_something(centres, kind: str) -> None:
    names = name_segments(kind, centres)
    assert len(set(names)) == len(names) == len(centres)
    assert all(advice(name) for name in names)


def test_a_segment_is_named_by_what_it_is_farthest_from_the_mean_in() -> None:
    assert name_segments("store", [{"level": 0.5, "breadth": -2.0, "price": 0.1}]) == ["narrow range, large"]


def test_a_segment_near_the_mean_is_like_the_average() -> None:
    assert name_segments("product", [{"level": 0.1}, {"level": -2.0}]) == [PLAIN, "slow"]
    assert advice(PLAIN) == "plan them as the average"


def test_segments_that_would_be_called_alike_are_told_apart() -> None:
    alike = {"level": 2.0, "cv2": -1.5, "adi": -1.2, "price": 0.9}
    names = name_segments("product", [alike, {**alike, "price": -0.9}, alike])
    assert names == [
        "fast, steady, sold most weeks, dear (1)",
        "fast, steady, sold most weeks, cheap",
        "fast, steady, sold most weeks, dear (2)",
    ]
    assert advice(names[0]) == "see that they never run out"


@pytest.mark.parametrize("kind", ["product", "store"])
def test_every_feature_has_a_word_for_much_and_for_little_and_advice_for_both(kind: str) -> None:
    for name in FEATURES:
        much, little = (name_segments(kind, [{name: value}])[0] for value in (1.0, -1.0))
        assert much != little
        assert advice(much) != advice(PLAIN) != advice(little)
