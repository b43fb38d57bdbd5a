# The tasks of the project; `make` alone lists them.
SHELL := /bin/bash
CONFIG ?= conf/complete_journey.yaml
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run serve backtest study test slowtest test-faults servers s3 s3server dags audit lint format bench lock reference package clean

help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do printf '  make %-11s %s\n' "$$name" "$$what"; done

setup:  ## make .venv: packages, jars, Horovod (PYTHON=python3.12 for another Python, GPU=1 for CUDA and NCCL)
	@environment/setup.sh

run: setup  ## from the transactions to forecasts for every store and the report (CONFIG=conf/x.yaml for other data)
	@$(BIN)/shelfcast submit pipeline --config $(CONFIG)

serve: setup  ## serve the lake that make run made: pages for planners and a REST API (it prints where)
	@$(BIN)/shelfcast serve --config $(CONFIG)

backtest: setup  ## as run, with the slow baselines on every series of the reference panel, not the largest alone
	@$(BIN)/shelfcast submit pipeline --config $(CONFIG) --set backtest.slow_series=all

study: setup  ## the published study's protocol, to compare with its table
	@$(BIN)/shelfcast submit study --config $(CONFIG)

test: setup  ## the tests, with the coverage of lib/
	@$(BIN)/python -m pytest -m "not slow and not faults" -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term

slowtest: setup  ## whole runs: on a cluster of two workers, made anew, on one core, killed; new examples of all properties
	@$(BIN)/python -m pytest -m slow
	@$(BIN)/python -m pytest -m "hypothesis and not slow" --hypothesis-profile=new_examples

test-faults: setup  ## processes killed at random points, full disks, damaged files, wrong clocks: nothing is lost (SHELFCAST_RANDOM_KILLS=50)
	@$(BIN)/python -m pytest -v tests/faults

servers:  ## install PostgreSQL and MariaDB with apt-get, which some tests start; without them these are skipped
	@environment/servers.sh

s3: setup  ## what s3a:// needs, laid beside Spark's own jars (690 MB, kept in the cache)
	@environment/s3.sh

s3server:  ## build versitygw with go, the S3 server that tests start (minutes, once)
	@environment/s3server.sh

dags: setup  ## load the Airflow DAGs of conf/schedule in Airflow's own environment, and render every task
	@$(BIN)/python -m pytest tests/test_schedule.py

audit: setup  ## ask the index's database of vulnerabilities about the Python packages that are pinned (pip-audit, apart from .venv)
	@environment/audit.sh

lint: setup  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup  ## put imports in order and lay the code out
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: setup  ## beside the usual tools: accuracy on three panels and where the truth is known, series a second, orders replayed, a generated chain (three hours)
	@mkdir -p build/bench
	@for panel in departments categories walmart; do \
		$(BIN)/python tests/benchmarks/reference_backtest.py $$panel --out build/bench/$$panel.json || exit; \
		$(BIN)/python tests/benchmarks/mlp_backtest.py $$panel --tools --out build/bench/mlp_$$panel.json || exit; done
	@$(BIN)/python tests/benchmarks/known_truth.py build/bench/truth --out build/bench/known_truth.json
	@$(BIN)/python tests/benchmarks/truth_floor.py --out build/bench/truth_floor.json
	@$(BIN)/python tests/benchmarks/hidden_demand.py build/bench/hidden --out build/bench/hidden_demand.json
	@$(BIN)/python tests/benchmarks/replayed_chains.py --out build/bench/replayed_chains.json
	@$(BIN)/python tests/benchmarks/series_throughput.py --out build/bench/series.json
	@$(BIN)/python tests/benchmarks/network_scoring.py --out build/bench/network_scoring.json
	@$(BIN)/python tests/benchmarks/mlp_training.py --out build/bench/mlp_training.json
	@$(BIN)/python tests/benchmarks/mlp_processes.py --out build/bench/mlp_processes.json
	@$(BIN)/python tests/benchmarks/tuning.py --out build/bench/tuning.json
	@$(BIN)/python tests/benchmarks/api_load.py build/bench/api --out build/bench/api_load.json
	@for millions in 10 100; do [ -d data/bench_$${millions}m ] || \
		time $(BIN)/shelfcast generate bench data/bench_$${millions}m --rows $${millions}000000 || exit; done
	@$(BIN)/python tests/benchmarks/chain_cleaning.py data/bench_10m --share 0.1 --share 1 \
		--engine spark --engine pandas --engine polars --engine duckdb --out build/bench/cleaning.json
	@$(BIN)/python tests/benchmarks/chain_cleaning.py data/bench_100m --share 0.01 --share 0.1 --share 1 \
		--engine spark --engine executors --runs 1 --out build/bench/marginal.json
	@$(BIN)/python tests/benchmarks/cluster.py --config conf/bench.yaml --set source.path=data/bench_10m --set lake=build/bench/lake

lock: setup  ## pin and hash anew what setup.py and environment/build.in ask for
	@cd environment && ../$(BIN)/uv pip compile build.in --universal --python-version 3.11 --generate-hashes --no-annotate --upgrade \
		--custom-compile-command "make lock" --quiet --output-file build.txt
	@$(BIN)/uv pip compile setup.py --constraint environment/build.in --override environment/overrides.in --all-extras --universal --generate-hashes --no-annotate --upgrade \
		--custom-compile-command "make lock" --quiet --output-file environment/requirements.txt
	@cd environment && echo "tensorflow[and-cuda]==$$(sed -n 's/^tensorflow-cpu==\([^ ]*\).*/\1/p' requirements.txt)" | ../$(BIN)/uv pip compile - \
		--constraint requirements.txt --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --quiet --output-file gpu.txt
	@cd environment && ../$(BIN)/uv pip compile airflow.in --universal --python-version 3.11 --generate-hashes --no-annotate --upgrade \
		--custom-compile-command "make lock" --quiet --output-file airflow.txt
	@cd environment && ../$(BIN)/uv pip compile audit.in --universal --python-version 3.11 --generate-hashes --no-annotate --upgrade \
		--custom-compile-command "make lock" --quiet --output-file audit.txt

reference: setup  ## docs/SETTINGS.md, made of the settings themselves
	@$(BIN)/shelfcast settings >docs/SETTINGS.md

package: setup  ## build/shelfcast.zip, the archive that spark-submit ships to executors
	@$(BIN)/shelfcast package

clean:  ## remove what make has made; the lake stays
	@rm -rf .venv .venv.part .venv.old build dist lib/*.egg-info .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis spark-warehouse
	@find jobs lib tests -name __pycache__ -type d -prune -exec rm -rf {} +
