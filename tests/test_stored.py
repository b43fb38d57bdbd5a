import io
import json
import pickle
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits

from panel_builders import axis, poisson_series, training_frame
from shelfcast import stored
from shelfcast.errors import ArtefactError
from shelfcast.models.encoder import fit_encoder
from shelfcast.models.sklearn_models import REGRESSORS, FittedModel, fit, predict

NAME = "models/_artefacts/here/run-1/product-linear.skops"
FOREST, BOOSTING = "random_forest", "hist_gradient_boosting"


@pytest.fixture(autouse=True)
def _nothing_loaded() -> None:
    stored.load.cache_clear()


@cache
def examples() -> pd.DataFrame:
    return training_frame(poisson_series(20, 20), axis(20), range(6, 18)).assign(counted=True)


@cache
def fitted(name: str = "linear") -> FittedModel:
    # more threads than idle cores would wait for one another
    with threadpool_limits(1):
        return fit(name, examples(), fit_encoder(examples()), seed=3)


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_model_comes_back_from_its_bytes_as_it_was(name: str) -> None:
    again = stored.loads(stored.dumps(fitted(name)), NAME)
    np.testing.assert_array_equal(predict(again, examples()), predict(fitted(name), examples()))
    assert (again.name, again.seasonal, again.non_negative) == (name, fitted(name).seasonal, True)


def test_a_model_is_read_as_it_was_written_and_nothing_else_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "models" / "run-1" / "product-linear.skops"
    stored.save(fitted(), str(path))
    np.testing.assert_array_equal(predict(stored.load(str(path)), examples()), predict(fitted(), examples()))
    assert list(path.parent.iterdir()) == [path]


def test_a_process_reads_a_model_once(tmp_path: Path) -> None:
    uri = str(tmp_path / "model.skops")
    stored.save(fitted(), uri)
    first = stored.load(uri)
    Path(uri).unlink()
    assert stored.load(uri) is first


def test_a_model_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        stored.load(str(tmp_path / "nowhere.skops"))


class Payload:
    """Unpickled it makes a file: what a stranger's pickle may do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("dump", [pickle.dump, joblib.dump])
def test_a_pickle_is_refused_by_the_name_of_its_file_and_not_run(dump: Any, tmp_path: Path) -> None:
    harm, file = tmp_path / "harm", tmp_path / "model.skops"
    with file.open("wb") as stream:
        dump(Payload(harm), stream)
    pickle.loads(file.read_bytes())
    assert harm.exists(), "the payload is none"
    harm.unlink()
    with pytest.raises(ArtefactError, match=f"^{file}: found no archive of skops; wanted a model as this package"):
        stored.load(str(file))
    assert not harm.exists()


def changed(packed: bytes, **changes: object) -> bytes:
    """The archive with changes in its tree of types: keys of the root, or of the `estimator`."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(made, "w") as new:
        schema = json.loads(old.read("schema.json"))
        schema["content"]["content"].update({k: v for k, v in changes.items() if k == "estimator"})
        schema.update({k: v for k, v in changes.items() if k != "estimator"})
        for name in old.namelist():
            new.writestr(name, json.dumps(schema) if name == "schema.json" else old.read(name))
    return made.getvalue()


@pytest.mark.parametrize(
    ("kind", "loader"),
    [
        pytest.param("os.system", "FunctionNode", id="a-function"),
        pytest.param("builtins.exec", "TypeNode", id="a-function-said-to-be-a-type"),
        pytest.param("operator.call", "OperatorFuncNode", id="what-calls-a-function"),
        pytest.param("sklearn.linear_model._base.LinearRegression", "MethodNode", id="a-method-of-a-known-type"),
        pytest.param("subprocess.Popen", "ConstructorFromReduceNode", id="a-constructor"),
    ],
)
def test_a_type_that_is_never_stored_is_refused_by_its_name(kind: str, loader: str) -> None:
    module, _, name = kind.rpartition(".")
    node = {"__module__": module, "__class__": name, "__loader__": loader, "content": {}}
    with pytest.raises(ArtefactError, match=rf"^{NAME}: found the type {kind} \({loader}\); wanted a model"):
        stored.loads(changed(stored.dumps(fitted()), estimator=node), NAME)


def test_an_estimator_that_skops_itself_trusts_is_refused_where_none_of_ours_is_of_its_type() -> None:
    packed = skops.io.dumps(replace(fitted(), estimator=SVR()))
    with pytest.raises(ArtefactError, match=r"found the type sklearn.svm._classes.SVR \(ObjectNode\)"):
        stored.loads(packed, NAME)


def test_a_file_that_older_and_laxer_code_would_read_is_refused() -> None:
    with pytest.raises(ArtefactError, match=f"^{NAME}: found protocol 0 of skops, wanted 2"):
        stored.loads(changed(stored.dumps(fitted()), protocol=0), NAME)


def test_an_archive_of_something_else_is_refused() -> None:
    with pytest.raises(ArtefactError, match=f"^{NAME}: found a list; wanted a model"):
        stored.loads(skops.io.dumps([1, 2]), NAME)
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(ArtefactError, match=f"^{NAME}: found no archive of skops"):
        stored.loads(empty.getvalue(), NAME)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("left", 10_000, id="to-a-node-that-is-not-there"),
        pytest.param("right", 0, id="back-to-the-root"),
        pytest.param("feature_idx", 500, id="by-a-column-that-is-not-there"),
        pytest.param("is_categorical", 1, id="by-a-table-that-is-not-there"),
    ],
)
def test_a_tree_of_boosting_whose_branch_leads_out_of_it_is_refused(column: str, value: int) -> None:
    model = stored.loads(stored.dumps(fitted(BOOSTING)), NAME)
    nodes = next(each.nodes for (each,) in model.estimator._predictors if len(each.nodes) > 1)
    nodes[column][0] = value
    with pytest.raises(ArtefactError, match=f"^{NAME}: found a tree whose branches lead out of it"):
        stored.loads(stored.dumps(model), NAME)


@pytest.mark.parametrize(("column", "value"), [("children_left", 10_000), ("children_right", 0), ("feature", 500)])
def test_a_tree_of_a_forest_whose_branch_leads_out_of_it_is_refused(column: str, value: int) -> None:
    model = stored.loads(stored.dumps(fitted(FOREST)), NAME)
    tree = next(each.tree_ for each in model.estimator.estimators_ if each.tree_.node_count > 1)
    getattr(tree, column)[0] = value
    with pytest.raises(ArtefactError, match=f"^{NAME}: found a tree whose branches lead out of it"):
        stored.loads(stored.dumps(model), NAME)
