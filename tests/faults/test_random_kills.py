"""Processes of every job of the pipeline killed at random points: nothing is lost and nothing is there twice.

SHELFCAST_RANDOM_KILLS says how many kills there are (50), SHELFCAST_RANDOM_SEED which (27).
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from benchmarks.standalone import BIN, ENVIRONMENT, cluster
from chain import NETWORKS
from faults.lakes import JOBS, REGION, Stage, Undisturbed, content
from faults.processes import SECONDS, ended, ends_within, offspring, read_until, refusal, wait_for
from shelfcast.processes import is_running
from shelfcast.runner import Runner
from shelfcast.schemas import NETWORK_BACKTESTS, PUBLICATIONS
from shelfcast.steps import train_mlp
from submitted import ROOT, chain_flags, start

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("SHELFCAST_RANDOM_KILLS", "50"))
SEED = int(os.environ.get("SHELFCAST_RANDOM_SEED", "27"))
# A process of its own is slower than a session that has done the like before.
COLD = 2.0
WORKER = ("-m", "pyspark.daemon")
HOROVOD = ("-m", "horovod.spark.task.gloo_exec_fn")
RING = (*NETWORKS, "networks.panels=[reference]", "networks.processes=2", "networks.epochs=4")
OWN_CODE = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "lib")}
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
# A machine of the cluster: its executor ends with it.
MACHINE = "org.apache.spark.deploy.worker.Worker"

Make = Callable[..., Runner]


def jvm(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return [psutil.Process(process.pid)]


def driver(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The job's own Python, which the JVM started."""
    daemons = offspring(process.pid, *WORKER)
    return [each for each in psutil.Process(process.pid).children() if each not in daemons]


def worker(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The Python that computes a task, where there is one just now."""
    daemons = offspring(process.pid, *WORKER)
    return [each for each in daemons if each.ppid() in [other.pid for other in daemons]]


def nobody(_: subprocess.Popen[str]) -> list[psutil.Process]:
    return []


ALL = "all of it"
VICTIMS = {ALL: nobody, "the JVM": jvm, "the driver": driver, "a worker": worker}


def share(number: int) -> int:
    """How many of the kills are the job's."""
    return KILLS // len(JOBS) + (number < KILLS % len(JOBS))


@pytest.mark.parametrize(("name", "kills"), [(name, share(number)) for number, name in enumerate(JOBS)], ids=JOBS)
def test_killed_at_random_points_and_made_again_it_is_as_if_it_had_not_been(
    name: str, kills: int, undisturbed: Undisturbed, make_runner: Make, chain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw, stage = random.Random(f"{SEED} {name}"), undisturbed.stage(name)
    lake, longest, killed = undisturbed.copy_before(name), COLD * stage.seconds, 0
    while killed < kills:
        wanted, after = draw.choice([*VICTIMS]), draw.uniform(0, longest)
        started, process = time.monotonic(), start(ROOT / "jobs" / f"{name}.py", *chain_flags(chain, lake))
        read_until(process, f"{name}: ")
        begun = time.monotonic()
        victim, status, told = kill(process, wanted, after)
        if status == 0:
            # It was done before, or could do without the worker.
            longest = min(longest, time.monotonic() - begun) if f"{name}: done" in told else longest
            require_made(make_runner(lake), stage)
            lake = undisturbed.copy_before(name)
            continue
        killed += 1
        # The others leave nobody who could say anything: what a job tells goes through the JVM that submits it.
        if victim == "a worker":
            assert status == 75, told
            assert refusal(told)
        require_each_table_as_before_or_after(make_runner(lake), stage)
        told = f"{victim} killed after {after:.1f} s, ended with {status}, {time.monotonic() - started:.0f} s in all"
        with capsys.disabled():
            sys.stdout.write(f"\n  {name}, kill {killed} of {kills}: {told}")
            sys.stdout.flush()
    runner = make_runner(lake)
    runner.run(stage.job)
    require_made(runner, stage)
    assert not runner.run(stage.job)


def kill(process: subprocess.Popen[str], victim: str, after: float) -> tuple[str, int, str]:
    """Who was killed, which is all of it where there is no such victim; how the process ended, and what it told."""
    ends_within(process, after)
    left: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        left = driver(process)
        if found := VICTIMS[victim](process)[:1]:
            found[0].kill()
        elif process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            victim = ALL
    told, _ = process.communicate(timeout=SECONDS)
    # A driver whose JVM is gone ends by itself, and until then holds the region.
    wait_for(lambda: not any(is_running(each.pid) for each in left))
    return victim, process.returncode, told


def require_each_table_as_before_or_after(runner: Runner, stage: Stage) -> None:
    for name, found in content(runner, stage.job).items():
        assert found in (stage.held[name], stage.wanted[name]), name


def require_made(runner: Runner, stage: Stage) -> None:
    assert content(runner, stage.job) == stage.wanted
    if PUBLICATIONS in stage.job.writes:
        assert runner.lake.read(PUBLICATIONS, REGION).count() == 1


def test_a_job_whose_jvm_is_killed_says_so_and_the_next_run_goes_on(
    undisturbed: Undisturbed, make_runner: Make, chain: Path
) -> None:
    stage, lake = undisturbed.stage("ingest"), undisturbed.copy_before("ingest")
    command = [sys.executable, ROOT / "jobs" / "ingest.py", *chain_flags(chain, lake)]
    process = subprocess.Popen(command, env=OWN_CODE, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    read_until(process, "ingest: started")
    (jvm,) = [each for each in psutil.Process(process.pid).children() if each.name() == "java"]
    jvm.kill()
    status, told = ended(process)
    assert status == 75, told
    assert refusal(told).startswith("error: Spark's JVM has ended or was killed")
    runner = make_runner(lake)
    assert runner.run(stage.job)
    require_made(runner, stage)


@pytest.mark.parametrize("victim", [EXECUTOR, MACHINE], ids=["executor", "machine"])
@pytest.mark.parametrize("name", ["ingest", "clean", "aggregate"])
def test_an_executor_or_a_machine_that_is_killed_is_made_up_for_and_the_job_goes_on(
    name: str, victim: str, undisturbed: Undisturbed, make_runner: Make, chain: Path, tmp_path: Path
) -> None:
    draw, stage = random.Random(f"{SEED} {name} {victim}"), undisturbed.stage(name)
    lake = undisturbed.copy_before(name)
    command = [BIN / "shelfcast", "submit", name, "--spark-conf", "spark.driver.memory=1g"]
    with cluster("1g", tmp_path / "executors") as address:
        command += ["--master", address, *chain_flags(chain, lake)]
        process = subprocess.Popen(command, env=OWN_CODE, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        read_until(process, f"{name}: started")
        wait_for(lambda: offspring(os.getpid(), EXECUTOR))
        time.sleep(draw.uniform(0, stage.seconds))
        offspring(os.getpid(), victim)[0].kill()
        told, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, told
    require_made(make_runner(lake), stage)


def test_a_process_of_horovod_that_is_killed_ends_the_training_and_the_next_run_goes_on(
    undisturbed: Undisturbed, make_runner: Make, chain: Path
) -> None:
    draw, before = random.Random(f"{SEED} train_mlp"), "train_baselines"
    whole = make_runner(undisturbed.copy_before(before), *RING)
    job, started = train_mlp.job(whole.config), time.monotonic()
    assert whole.run(job)
    longest, lake = time.monotonic() - started, undisturbed.copy_before(before)
    for _ in range(2):
        process = start(ROOT / "jobs" / "train_mlp.py", *chain_flags(chain, lake, *RING))
        wait_for(lambda process=process: len(offspring(process.pid, *HOROVOD)) == 2 or process.poll() is not None)
        time.sleep(draw.uniform(0, longest / 2))
        found = offspring(process.pid, *HOROVOD)
        assert found, "the training was over"
        draw.choice(found).kill()
        told, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 75, told
        # The process that waited for it in vain says so as well.
        assert [line for line in told.splitlines() if line.startswith("error: ") and "ended with exit code" in line]
    runner = make_runner(lake, *RING)
    assert runner.run(job)
    np.testing.assert_allclose(means(runner), means(whole), rtol=1e-3, atol=1e-3)


def means(runner: Runner) -> np.ndarray:
    rows = runner.lake.read(NETWORK_BACKTESTS, REGION).orderBy(*NETWORK_BACKTESTS.key)
    return rows.select("y_hat").toPandas()["y_hat"].to_numpy()
