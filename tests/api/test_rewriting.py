"""Answers while the tables under them are rewritten, rearranged and cleared up."""

import threading
import time
from pathlib import Path

import pytest
from deltalake import DeltaTable
from fastapi.testclient import TestClient

from api.conftest import add, running, service_of, token_of
from api.lake import TABLES, mean_of, publish, put, write_lake, write_region
from shelfcast import schemas

SERIES = ("1", "p1")


def read(client: TestClient, headers: dict[str, str]) -> tuple[float, float, str]:
    """What is forecast of a product, of its store, and by which publication."""
    product = client.get("/v1/forecasts", params={"store_id": SERIES[0], "product_id": SERIES[1]}, headers=headers)
    store = client.get("/v1/forecasts", params={"store_id": SERIES[0], "level": "store"}, headers=headers)
    assert (product.status_code, store.status_code) == (200, 200), (product.text, store.text)
    run = client.get("/v1/regions", headers=headers).json()[0]["run_id"]
    return product.json()["items"][0]["weeks"][0]["mean"], store.json()["items"][0]["weeks"][0]["mean"], run


def rearrange(root: Path, table: str) -> None:
    """OPTIMIZE, and VACUUM of all that the newest version does not name."""
    delta = DeltaTable(str(root / table))
    delta.optimize.compact()
    delta.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)


@pytest.mark.slow
def test_answers_go_on_while_tables_are_committed_optimized_and_vacuumed(tmp_path: Path) -> None:
    """Each round forecasts a factor more than the one before: an answer is of one round, and rounds only go up."""
    root = write_lake(tmp_path / "lake")
    usual = mean_of("north", *SERIES)
    with running(root, tmp_path / "served") as client:
        headers = token_of(client, add(client, "viewer", "viewer", "north"))
        done, found, failures = threading.Event(), [], []

        def poll() -> None:
            while not done.is_set():
                try:
                    found.append((read(client, headers)[0] / usual, time.monotonic()))
                except AssertionError as error:
                    failures.append(str(error))

        readers = [threading.Thread(target=poll) for _ in range(3)]
        for reader in readers:
            reader.start()
        try:
            for number in range(2, 12):
                write_region(root, "north", float(number), f"round {number}", minute=number)
                # What is rearranged is not what is published, until it is published anew.
                rearrange(root, schemas.FORECASTS.name)
                rearrange(root, schemas.PUBLICATIONS.name)
                versions = {table.name: DeltaTable(str(root / table.name)).version() for table, _ in TABLES}
                publish(root, "north", versions, f"round {number}, rearranged", minute=number + 20)
            until = time.monotonic() + 60
            while not found or round(found[-1][0]) != 11:
                assert time.monotonic() < until, (found[-1:], service_of(client).refresh.problem)
                time.sleep(0.1)
        finally:
            done.set()
            for reader in readers:
                reader.join()
    factors = [round(factor, 6) for factor, _ in sorted(found, key=lambda entry: entry[1])]
    assert not failures
    assert {*factors} <= {float(number) for number in range(1, 12)}
    assert factors[-1] == 11.0
    assert len(factors) > 20


def test_what_is_vacuumed_under_an_index_is_still_served(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake")
    with running(root, tmp_path / "served") as client:
        headers = token_of(client, add(client, "viewer", "viewer", "north"))
        before = read(client, headers)
        put(root, schemas.FORECASTS, [{**row, "mean": 0.0} for row in _forecasts()])
        rearrange(root, schemas.FORECASTS.name)
        time.sleep(0.5)
        assert read(client, headers) == before
        assert service_of(client).refresh.problem is None


def _forecasts() -> list[dict[str, object]]:
    (made,) = [of_region("north", 1.0) for table, of_region in TABLES if table == schemas.FORECASTS]
    return made
