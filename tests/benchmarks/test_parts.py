from pathlib import Path

import numpy as np
import pytest

from benchmarks.parts import Parts, TimeIsUpError


def test_a_part_is_made_once_and_anew_with_other_settings(tmp_path: Path) -> None:
    made = []

    def make() -> np.ndarray:
        made.append(1.0)
        return np.array(made)

    parts = Parts(tmp_path / "parts", minutes=1)
    assert [parts.get("a", settings, make).tolist() for settings in (1, 1, 2)] == [[1.0], [1.0], [1.0, 1.0]]
    assert Parts(tmp_path / "parts", minutes=0).get("a", 2, make).tolist() == [1.0, 1.0]
    assert len(made) == 2


def test_no_part_is_begun_when_the_time_is_up_nor_left_half(tmp_path: Path) -> None:
    def fail() -> np.ndarray:
        raise ValueError("stopped")

    with pytest.raises(TimeIsUpError, match="b: not made yet"):
        Parts(tmp_path, minutes=-1).get("b", 1, fail)
    with pytest.raises(ValueError, match="stopped"):
        Parts(tmp_path, minutes=1).get("b", 1, fail)
    assert not list(tmp_path.iterdir())
