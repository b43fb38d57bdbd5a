"""The OpenAPI document, held against what is served: Schemathesis asks what it allows, and what it does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from api.test_server import Address, serving

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
ROUTES = 40


@pytest.fixture(scope="module")
def served(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Address, str]]:
    folder = tmp_path_factory.mktemp("served")
    changes = (f"source.path={folder / 'inbox'}", "serving.limits.requests=1000000")
    with serving(lake, folder, *changes, role="admin", reach="*") as found:
        yield found


@pytest.mark.parametrize("examples", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_nothing_that_is_asked_ends_in_an_error_of_ours(served: tuple[Address, str], examples: int) -> None:
    (host, port), token = served
    schema = schemathesis.openapi.from_url(f"http://{host}:{port}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= ROUTES
    for operation in operations:
        ask(operation, token, examples)


def ask(operation: Any, token: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=HealthCheck)
    @given(case=operation.as_strategy())
    def holds(case: Any) -> None:
        answer = case.call(headers={"authorization": token})
        case.validate_response(answer, checks=CHECKS)

    holds()


def test_each_route_is_described(served: tuple[Address, str]) -> None:
    (host, port), _ = served
    document = schemathesis.openapi.from_url(f"http://{host}:{port}/openapi.json").raw_schema
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            assert told["tags"], (method, path)
            assert {"200", "201", "204"} & {*told["responses"]}, (method, path)
            assert "application/problem+json" in told["responses"]["default"]["content"], (method, path)
