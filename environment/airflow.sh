#!/usr/bin/env bash
# Makes the environment in which Airflow loads conf/schedule/shelfcast_dag.py, and prints the path of its Python. Airflow's
# pins and ours do not fit together, so that it is one of its own; it is kept in ${XDG_CACHE_HOME:-~/.cache}/shelfcast.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/shelfcast
readonly UV=.venv/bin/uv

# What is whole moves into place at once: another make at the same time finds it there, or makes it too.
make_environment() {
  part=$(mktemp -d "$CACHE/work.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  "$UV" venv --quiet --no-config --relocatable --no-python-downloads --python .venv/bin/python "$part/airflow"
  "$UV" pip install --quiet --no-config --python "$part/airflow/bin/python" --require-hashes -r environment/airflow.txt >&2
  mv -T "$part/airflow" "$place" 2>/dev/null || [[ -x $place/bin/python ]]
}

export UV_SYSTEM_CERTS=true
if [[ -n ${PIP_CERT:-} ]]; then export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}; fi
if [[ -n ${PIP_INDEX_URL:-} ]]; then export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}; fi
mkdir -p "$CACHE"
place=$CACHE/airflow-$(sha256sum environment/airflow.txt | cut -c1-12)-$(.venv/bin/python -c 'import sys; print(sys.implementation.cache_tag)')
[[ -x $place/bin/python ]] || make_environment
echo "$place/bin/python"
