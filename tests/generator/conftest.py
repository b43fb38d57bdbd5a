import pytest
from pyspark.sql import SparkSession

from generator_readers import Made
from shelfcast.generator.chain import Chain, load_chain
from shelfcast.generator.generate import generate


@pytest.fixture(scope="session")
def tiny() -> Chain:
    """The chain of conf/chains/tiny.yaml."""
    return load_chain("tiny")


@pytest.fixture(scope="session")
def made(spark: SparkSession, tiny: Chain, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The tiny chain, generated once for all tests."""
    out = tmp_path_factory.mktemp("generated") / "tiny"
    return Made(tiny, out, generate(spark, tiny, out))
