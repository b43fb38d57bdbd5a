from pathlib import Path

import numpy as np

from shelfcast.training.checkpoint import Checkpoint


def test_a_state_read_back_is_the_one_written_in_its_order_and_types(tmp_path: Path) -> None:
    state = [np.array(3), *(np.arange(n, dtype="float32") for n in range(12)), np.array([1, 2], dtype="int64")]
    checkpoint = Checkpoint(f"{tmp_path}/deep/state.npz")
    checkpoint.write([np.zeros(2)])
    checkpoint.write(state)
    found = checkpoint.read()
    assert found is not None
    assert [(a.dtype, a.tolist()) for a in found] == [(a.dtype, a.tolist()) for a in state]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["state.npz"]


def test_where_nothing_was_written_there_is_no_state(tmp_path: Path) -> None:
    assert Checkpoint(str(tmp_path / "none.npz")).read() is None
