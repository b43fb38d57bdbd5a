import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from sklearn.neighbors import NearestNeighbors

from shelfcast.study import neighbours
from shelfcast.study.neighbours import nearest, nearest_of_all
from shelfcast.study.representation import Encoder, Inputs, one_hot
from study_builders import encoded, random_rows, row

K = 5


def encode(train: list[dict[str, object]], *queries: dict[str, object]) -> tuple[Inputs, Inputs]:
    encoder = Encoder.fit(pd.DataFrame(train))
    return encoder.encode(pd.DataFrame(train)), encoder.encode(pd.DataFrame(queries))


@settings(deadline=None)
@given(encoded())
def test_distances_are_those_of_brute_force_on_the_one_hot_matrix(both: tuple[Inputs, Inputs]) -> None:
    train, queries = both
    brute = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(one_hot(train).toarray())
    wanted, _ = brute.kneighbors(one_hot(queries).toarray())
    _, found = nearest(train, queries, K)
    np.testing.assert_allclose(found, wanted**2, atol=1e-9)


@settings(deadline=None)
@given(encoded())
def test_of_equally_near_rows_the_earlier_is_taken_wherever_it_is_found(both: tuple[Inputs, Inputs]) -> None:
    for found, wanted in zip(nearest(*both, K), nearest_of_all(*both, K), strict=True):
        np.testing.assert_array_equal(found, wanted)


@settings(deadline=None)
@given(encoded())
def test_each_neighbour_counts_once(both: tuple[Inputs, Inputs]) -> None:
    rows, _ = nearest(*both, K)
    assert all(len(set(found)) == K for found in rows.tolist())


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many queries each search measured against every row."""
    counts: list[int] = []

    def count(train: Inputs, queries: Inputs, k: int) -> tuple[np.ndarray, np.ndarray]:
        counts.append(len(queries))
        return nearest_of_all(train, queries, k)

    monkeypatch.setattr(neighbours, "nearest_of_all", count)
    return counts


CASES = [
    pytest.param([row()] * 5, row(), 0, id="five-rows-of-the-product-are-proof"),
    pytest.param(
        [row(product_id=str(n)) for n in range(5)], row(product_id="0"), 0, id="so-are-five-of-store-and-vendor"
    ),
    pytest.param([row()] * 4 + [row(store_id="2")], row(), 0, id="a-fifth-in-another-store-is-too"),
    pytest.param(
        [row()] * 4 + [row(product_id="11", store_id="2")], row(), 1, id="a-fifth-that-shares-neither-is-no-proof"
    ),
    pytest.param(
        [row(price=9.0), *[row(price=1.0)] * 20], row(price=9.0), 1, id="a-fifth-that-is-far-in-price-is-no-proof"
    ),
    pytest.param([row()] * 5, row(store_id="never seen"), 1, id="an-unseen-category-is-no-proof"),
]


@pytest.mark.parametrize(("train", "query", "unproven"), CASES)
def test_all_rows_are_measured_only_where_the_groups_are_no_proof(
    train: list[dict[str, object]], query: dict[str, object], unproven: int, measured: list[int]
) -> None:
    nearest(*encode(train, query), K)
    assert measured == [unproven]


def test_parts_that_do_not_fit_in_memory_at_once_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, asked = random_rows(80, seed=1), random_rows(40, seed=2)
    encoder = Encoder.fit(rows)
    train, queries = encoder.encode(rows), encoder.encode(asked)
    whole = nearest(train, queries, K)
    monkeypatch.setattr(neighbours, "_PAIRS", 7)
    for found, wanted in zip(nearest(train, queries, K), whole, strict=True):
        np.testing.assert_array_equal(found, wanted)
