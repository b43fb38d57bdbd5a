"""YAML that says what it is in so many bytes: no aliases, which let a few lines stand for more than fits into memory,
and no deep nesting, which ends in a RecursionError."""

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
