"""The examples for clusters, as far as they can be tried without one: against Spark itself, the client that it speaks
to Kubernetes by, Databricks' types, and the commands and jobs that there are."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.sdk.service.jobs import JobSettings
from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from shelfcast import cli, command, config, storage
from shelfcast.arguments import command_parser
from shelfcast.errors import ConfigError
from shelfcast.flags import parser
from shelfcast.lease import LASTS_SECONDS
from shelfcast.options import read_options
from shelfcast.submit import job_files
from shelfcast.training.distributed import require_settings

ROOT = Path(__file__).parents[1]
CLUSTERS = ROOT / "conf" / "clusters"
SETTINGS = sorted([*CLUSTERS.glob("*.conf"), *(ROOT / "conf" / "gpu").glob("*.conf")])
STORES = sorted((ROOT / "conf" / "stores").glob("*.conf"))
# Where Spark declares the settings that it knows.
DECLARED = (
    "org.apache.spark.internal.config.package$",
    "org.apache.spark.internal.config.Python$",
    "org.apache.spark.internal.config.UI$",
    "org.apache.spark.internal.config.Worker$",
    "org.apache.spark.sql.internal.SQLConf$",
    "org.apache.spark.deploy.k8s.Config$",
    "org.apache.spark.deploy.yarn.config.package$",
)
# Of the resources that tasks ask for any may be named.
OF_RESOURCES = re.compile(r"spark\.(worker|executor|task)\.resource\.gpu\.(amount|discoveryScript|vendor)")


def options_of(file: Path) -> dict[str, str]:
    return read_options(file.read_text(encoding="utf-8"))


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((CLUSTERS / "kubernetes.yaml").read_text(encoding="utf-8")))


def cron_job() -> dict[str, Any]:
    (found,) = [each for each in manifests() if each["kind"] == "CronJob"]
    return found


def driver() -> dict[str, Any]:
    (container,) = cron_job()["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    return container


def executor() -> dict[str, Any]:
    return yaml.safe_load((CLUSTERS / "executor.yaml").read_text(encoding="utf-8"))


def bundle() -> dict[str, Any]:
    return yaml.safe_load((CLUSTERS / "databricks.yml").read_text(encoding="utf-8"))


def require_taken(words: list[str]) -> None:
    """Fails unless `shelfcast`, and the job that it submits, take the words, and the files they name are there."""
    arguments, rest = command_parser().parse_known_args(words)
    assert arguments.job in job_files()
    assert all((ROOT / file).is_file() for file in arguments.spark_settings)
    flags = parser(arguments.job).parse_args(rest)
    assert config.load(ROOT / flags.config, flags.set).region == Path(flags.config).stem


@pytest.mark.parametrize("file", SETTINGS, ids=lambda file: file.name)
def test_spark_knows_every_setting_and_can_read_its_value(file: Path, spark: SparkSession) -> None:
    jvm: Any = spark.sparkContext._jvm
    for name in DECLARED:
        jvm.java.lang.Class.forName(name)
    for key, value in options_of(file).items():
        entry = jvm.org.apache.spark.internal.config.ConfigEntry.findEntry(key)
        assert entry is not None or OF_RESOURCES.fullmatch(key), f"{key}: unknown to Spark"
        if entry is not None:
            jvm.org.apache.spark.SparkConf(False).set(key, value).get(entry)


@pytest.mark.parametrize("file", [*SETTINGS, *STORES], ids=lambda file: file.name)
def test_each_group_of_settings_stands_under_its_reason(file: Path) -> None:
    groups = file.read_text(encoding="utf-8").strip().split("\n\n")
    assert all(group.startswith("# ") for group in groups)


@pytest.mark.parametrize("name", ["standalone", "yarn", "kubernetes"])
def test_the_command_of_the_file_s_head_is_one_that_there_is(name: str) -> None:
    text = (CLUSTERS / f"{name}.conf").read_text(encoding="utf-8")
    for line in re.findall(r"^#   \.venv/bin/shelfcast (.*)$", text, flags=re.MULTILINE):
        words = line.replace("conf/x.yaml", "conf/complete_journey.yaml").split()
        if words[0] == "package":
            assert command_parser().parse_args(words).environment == Path("build/environment.tar.gz")
        else:
            require_taken(words)


@pytest.mark.parametrize("name", ["standalone", "yarn"])
def test_the_environment_that_package_writes_is_where_executors_look_for_their_python(name: str) -> None:
    options = options_of(CLUSTERS / f"{name}.conf")
    archive, _, folder = options["spark.archives"].partition("#")
    assert archive == "build/environment.tar.gz"
    assert options["spark.pyspark.python"] == f"./{folder}/bin/python"


@pytest.mark.parametrize("name", ["standalone", "yarn", "kubernetes"])
def test_networks_are_not_trained_where_a_slow_process_is_started_again(name: str) -> None:
    options = {"spark.master": "yarn", **options_of(CLUSTERS / f"{name}.conf")}
    safe = {"spark.task.maxFailures": "1", "spark.speculation": "false", "spark.dynamicAllocation.enabled": "false"}
    with pytest.raises(ConfigError, match=r"wanted .* for processes that train together"):
        require_settings(options)
    require_settings({**options, **safe})


def require_fields(told: Any, typed: Any, place: str) -> None:
    """Fails for a field that the typed object does not have; maps of free keys are not looked into."""
    if isinstance(told, list):
        for number, each in enumerate(told):
            require_fields(each, typed[number], f"{place}[{number}]")
    if isinstance(told, dict) and "java.util" not in typed.getClass().getName():
        for key, value in told.items():
            try:
                field = getattr(typed, f"get{key[0].upper()}{key[1:]}")()
            except Py4JError:
                pytest.fail(f"{place}: no field {key}")
            assert field is not None, f"{place}.{key}: not read"
            require_fields(value, field, f"{place}.{key}")


@pytest.mark.parametrize("told", [*manifests(), executor()], ids=lambda told: told["kind"])
def test_spark_s_own_client_of_kubernetes_reads_every_field(told: dict[str, Any], spark: SparkSession) -> None:
    jvm: Any = spark.sparkContext._jvm
    typed = jvm.io.fabric8.kubernetes.client.utils.Serialization.unmarshal(yaml.safe_dump(told))
    assert typed.getClass().getSimpleName() == told["kind"]
    require_fields(told, typed, told["kind"])


def executor_s_container(spark: SparkSession) -> Any:
    """The container of an executor, as Spark makes it by the settings; no cluster is asked."""
    jvm: Any = spark.sparkContext._jvm
    conf = jvm.org.apache.spark.SparkConf(False)
    for key, value in {**options_of(CLUSTERS / "kubernetes.conf"), "spark.driver.host": "driver"}.items():
        conf.set(key, str(ROOT / value) if key.endswith(".podTemplateFile") else value)
    k8s, core = jvm.org.apache.spark.deploy.k8s, jvm.org.apache.spark.scheduler.cluster.k8s
    pod = k8s.KubernetesExecutorConf(conf, "daily", "1", jvm.scala.Option.empty(), 0)
    profile = spark.sparkContext._jsc.sc().resourceProfileManager().defaultResourceProfile()
    security = jvm.org.apache.spark.SparkEnv.get().securityManager()
    client = jvm.io.fabric8.kubernetes.client.KubernetesClientBuilder().build()
    try:
        return core.KubernetesExecutorBuilder().buildFromFeatures(pod, security, client, profile).pod().container()
    finally:
        client.close()


def test_the_job_of_kubernetes_runs_a_command_that_there_is_with_the_settings_beside_it() -> None:
    program, *words = driver()["args"]
    assert program == "shelfcast"
    require_taken([part for word in words for part in word.split("=", 1)])
    assert driver()["image"] == options_of(CLUSTERS / "kubernetes.conf")["spark.kubernetes.container.image"]
    named = {each["name"] for each in driver()["env"]}
    assert {*re.findall(r"\$\((\w+)\)", " ".join(words))} == named


def test_executors_on_kubernetes_find_the_store_by_the_secret_that_the_driver_has(spark: SparkSession) -> None:
    (secret,) = driver()["envFrom"]
    asked = {"name": secret["secretRef"]["name"], "optional": True}
    wanted = {name: {**asked, "key": name} for name in re.findall(r"\b(?:AWS|AZURE)_[A-Z_]+", str(storage.__doc__))}
    assert set(wanted) >= {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_STORAGE_KEY"}
    given = {each.getName(): each.getValueFrom() for each in executor_s_container(spark).getEnv()}
    found = {name: given[name].getSecretKeyRef() for name in wanted}
    assert {
        name: {"name": ref.getName(), "optional": ref.getOptional(), "key": ref.getKey()} for name, ref in found.items()
    } == wanted


@pytest.mark.parametrize("name", ["standalone", "yarn", "kubernetes"])
def test_no_setting_of_a_cluster_carries_a_secret(name: str) -> None:
    assert not [key for key in options_of(CLUSTERS / f"{name}.conf") if key.startswith("spark.executorEnv.")]


def test_the_job_of_kubernetes_is_tried_again_for_what_is_transient_alone() -> None:
    job = cron_job()["spec"]["jobTemplate"]["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["values"] == [1, cli.WRONG_USAGE, command.ALERTED]
    assert rule["onExitCodes"]["containerName"] == driver()["name"]
    assert cron_job()["spec"]["concurrencyPolicy"] == "Forbid"


def test_the_job_of_kubernetes_is_tried_again_twice_once_the_lease_of_a_dead_pod_is_over() -> None:
    waits = [min(10 * 2**n, 360) for n in range(cron_job()["spec"]["jobTemplate"]["spec"]["backoffLimit"])]
    assert sum(waits[:-1]) > LASTS_SECONDS


def test_the_job_s_account_is_bound_to_the_role_that_makes_executors() -> None:
    by_kind = {each["kind"]: each for each in manifests()}
    binding, pod = by_kind["RoleBinding"], cron_job()["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert binding["roleRef"]["name"] == by_kind["Role"]["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": pod["serviceAccountName"]}]
    assert by_kind["ServiceAccount"]["metadata"]["name"] == pod["serviceAccountName"]


@pytest.mark.parametrize("name", bundle()["resources"]["jobs"])
def test_databricks_own_types_know_every_field_of_the_job(name: str) -> None:
    told = bundle()["resources"]["jobs"][name]
    assert JobSettings.from_dict(told).as_dict() == told


@pytest.mark.parametrize("name", bundle()["resources"]["jobs"])
def test_the_job_of_databricks_is_one_that_there_is_with_flags_that_it_takes(name: str) -> None:
    (task,) = bundle()["resources"]["jobs"][name]["tasks"]
    script = task["spark_python_task"]
    assert Path(script["python_file"]).stem in job_files()
    assert (ROOT / script["python_file"]).is_file()
    words = [word.replace("${workspace.file_path}", str(ROOT)) for word in script["parameters"]]
    flags = parser(Path(script["python_file"]).stem).parse_args(words)
    assert name.endswith(config.load(flags.config, flags.set).region)


def test_every_variable_of_the_bundle_is_used_and_every_one_used_is_there() -> None:
    text = (CLUSTERS / "databricks.yml").read_text(encoding="utf-8")
    assert {*re.findall(r"\$\{var\.(\w+)\}", text)} == {*bundle()["variables"]}
    assert {*re.findall(r"--var (\w+)=", text)} == {*bundle()["variables"]}
