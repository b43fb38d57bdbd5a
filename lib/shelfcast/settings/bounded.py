"""YAML that says what it is in so many bytes: no aliases, which let a few lines stand for more than fits into memory,
and no deep nesting, which ends in a RecursionError."""

from datetime import date

import yaml

MOST_BYTES = 1_000_000
_MOST_DEPTH = 32


class BoundedLoader(yaml.SafeLoader):
    """Plain values alone, of bounded depth. Raises yaml.MarkedYAMLError."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="found an alias, wanted the value itself", problem_mark=mark)
        if self._depth == _MOST_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {_MOST_DEPTH} levels", problem_mark=mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> date:
        try:
            day: date = super().construct_yaml_timestamp(node)
        except ValueError as error:
            problem = f"found {node.value}, wanted a day of the calendar ({error})"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None
        return day


# PyYAML knows its constructors as the functions that they were when its own class was made.
BoundedLoader.add_constructor("tag:yaml.org,2002:timestamp", BoundedLoader.construct_yaml_timestamp)


def problem_of(error: yaml.YAMLError) -> str:
    """What is wrong, without the place and the text around it."""
    return str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
