import numpy as np

from shelfcast.inventory.classes import Borders, abc, xyz

BORDERS = Borders()


def test_the_product_that_reaches_over_a_border_still_belongs_to_the_class_before() -> None:
    assert abc([79.0, 2.0, 14.0, 5.0], BORDERS).tolist() == ["A", "C", "A", "B"]


def test_what_is_worth_nothing_is_c() -> None:
    assert abc([0.0, 0.0], BORDERS).tolist() == ["C", "C"]
    assert abc([1.0, 0.0], BORDERS).tolist() == ["A", "C"]


def test_equal_values_rank_in_their_given_order() -> None:
    assert abc(np.full(20, 5.0), BORDERS).tolist() == ["A"] * 16 + ["B"] * 3 + ["C"]


def test_variation_on_a_border_belongs_to_the_steadier_class() -> None:
    assert xyz([0.5, 1.0, 1.01], BORDERS).tolist() == ["X", "Y", "Z"]
