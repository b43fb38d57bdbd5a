#!/usr/bin/env bash
# Makes an environment apart from .venv for a tool whose pins and ours do not fit together, and prints the path of its
# Python: `environment/apart.sh airflow` installs environment/airflow.txt. It is kept in ${XDG_CACHE_HOME:-~/.cache}/shelfcast.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/shelfcast
readonly UV=.venv/bin/uv
readonly NAME=$1

# What is whole moves into place at once: another make at the same time finds it there, or makes it too.
make_environment() {
  part=$(mktemp -d "$CACHE/work.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  "$UV" venv --quiet --no-config --relocatable --no-python-downloads --python .venv/bin/python "$part/$NAME"
  "$UV" pip install --quiet --no-config --python "$part/$NAME/bin/python" --require-hashes -r "environment/$NAME.txt" >&2
  mv -T "$part/$NAME" "$place" 2>/dev/null || [[ -x $place/bin/python ]]
}

export UV_SYSTEM_CERTS=true
if [[ -n ${PIP_CERT:-} ]]; then export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}; fi
if [[ -n ${PIP_INDEX_URL:-} ]]; then export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}; fi
mkdir -p "$CACHE"
place=$CACHE/$NAME-$(sha256sum "environment/$NAME.txt" | cut -c1-12)-$(.venv/bin/python -c 'import sys; print(sys.implementation.cache_tag)')
[[ -x $place/bin/python ]] || make_environment
echo "$place/bin/python"
