"""conf/security on a standalone cluster of the loopback: who knows the secret computes, who does not is turned away."""

import subprocess
from pathlib import Path

import pytest

from benchmarks import standalone
from shelfcast.options import read_options
from shelfcast.session import default_options

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SUM = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("sum", spark.range(1000).repartition(4).groupBy().sum("id").first()[0], spark.conf.get("spark.authenticate"))
"""


def settings() -> dict[str, str]:
    return read_options((ROOT / "conf" / "security" / "spark-security.conf").read_text(encoding="utf-8"))


def store(folder: Path, password: str) -> Path:
    """A key and its certificate for the loopback."""
    made = folder / "store.p12"
    subprocess.run(
        ["keytool", "-genkeypair", "-alias", "rpc", "-keyalg", "RSA", "-validity", "2", "-storetype", "PKCS12",
         "-keystore", made, "-storepass", password, "-dname", "CN=localhost", "-ext", "SAN=ip:127.0.0.1,dns:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


def encrypted(how: str, folder: Path, secret: str) -> dict[str, str]:
    """The file's settings with a secret; with TLS in place of AES where that is how."""
    chosen = {**settings(), "spark.authenticate.secret": secret}
    if how == "aes":
        return chosen
    kept = {key: value for key, value in chosen.items() if not key.startswith("spark.network.crypto")}
    file = folder / "store.p12"
    names = {f"{kind}Store": str(file if file.exists() else store(folder, "certain")) for kind in ("key", "trust")}
    passwords = {f"{kind}Password": "certain" for kind in ("keyStore", "trustStore", "key")}
    tls = {"enabled": "true", "protocol": "TLSv1.3", **names, **passwords}
    return kept | {f"spark.ssl.rpc.{name}": value for name, value in tls.items()}


def computed(address: str, script: Path, options: dict[str, str]) -> subprocess.CompletedProcess[str]:
    every = {**default_options(), "spark.driver.memory": "1g", "spark.executor.memory": "512m",
             "spark.log.level": "WARN", **options}  # fmt: skip
    conf = [word for key, value in every.items() for word in ("--conf", f"{key}={value}")]
    command = [standalone.BIN / "spark-submit", "--master", address, *conf, script]
    return subprocess.run(command, env=standalone.ENVIRONMENT, text=True, capture_output=True, timeout=500)


@pytest.mark.parametrize("how", ["aes", "tls"])
def test_who_knows_the_secret_computes_and_who_does_not_is_turned_away(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "sum.py"
    script.write_text(SUM)
    options = encrypted(how, tmp_path, "known-to-few")
    daemons = " ".join(f"-D{key}={value}" for key, value in options.items())
    monkeypatch.setitem(standalone._DAEMONS, "SPARK_DAEMON_JAVA_OPTS", daemons)
    with standalone.cluster("512m", tmp_path / "work", workers=1) as address:
        done = computed(address, script, options)
        assert done.stdout == f"sum {sum(range(1000))} true\n", done.stderr[-3000:]
        stranger = computed(address, script, encrypted(how, tmp_path, "a-guess"))
    assert stranger.returncode != 0
    assert [line for line in stranger.stdout.splitlines() if line.startswith("sum")] == []
    assert "All masters are unresponsive" in stranger.stderr, stranger.stderr[-3000:]
