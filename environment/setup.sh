#!/usr/bin/env bash
# Makes .venv, with everything that the jobs and the tests need, and nothing where it exists already:
#   environment/setup.sh                     the newest fitting of python3.11, python3.12, python3.13 on PATH
#   PYTHON=python3.12 environment/setup.sh   that one
#   GPU=1 environment/setup.sh               TensorFlow with CUDA, Horovod with NCCL
# Downloads and the Horovod wheel are kept in ${XDG_CACHE_HOME:-~/.cache}/shelfcast. The environment is made in .venv.part
# and moved into place when it is whole, so an interrupted run leaves what was there before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/shelfcast
readonly PART=.venv.part
readonly STAMP=.venv/shelfcast.stamp

for part in system horovod jars; do
  # shellcheck source=/dev/null
  source "environment/$part.sh"
done

say() { printf '==> %s\n' "$*"; }

fail() {
  printf 'set-up: %s\n' "$*" >&2
  exit 1
}

# What the environment is made from: other files, another folder or another Python make another one.
fingerprint() { { cat setup.py environment/*; printf '%s\n' "$PWD" "${PYTHON:-}" "${GPU:-}"; } | sha256sum | cut -c1-16; }

# The stamp's second word tells whether Horovod is there. Where a compiler was missing, a set-up that finds one goes on.
is_ready() {
  local made_from horovod
  [[ -x .venv/bin/python && -f $STAMP ]] || return 1
  read -r made_from horovod <"$STAMP"
  [[ $made_from == "$(fingerprint)" ]] || return 1
  [[ $horovod != no-compiler ]] || ! has_compiler
}

# uv, in an environment of its own: pip checks its hash, then it checks the rest.
make_tools() {
  local tools
  tools=$CACHE/tools-$(sha256sum environment/build.txt | cut -c1-12)-$("$python" -c 'import sys; print(sys.implementation.cache_tag)')
  uv=$tools/bin/uv
  [[ -x $uv ]] && return
  say "fetching uv"
  "$python" -m venv "$WORK/tools"
  "$WORK/tools/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r environment/build.txt
  mv -T "$WORK/tools" "$tools" 2>/dev/null || [[ -x $uv ]]
}

# A proxy's certificate is in the system's store, or in the file that pip was told of; so is a mirror of the index.
honour_pip_settings() {
  export UV_SYSTEM_CERTS=true
  if [[ -n ${PIP_CERT:-} ]]; then export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}; fi
  if [[ -n ${PIP_INDEX_URL:-} ]]; then export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}; fi
}

uv_install() {
  local quiet=()
  [[ -t 2 ]] || quiet=(--quiet)
  "$uv" pip install "${quiet[@]}" --no-config --python "$PART/bin/python" --no-build-isolation "$@"
}

install_packages() {
  say "installing the packages of environment/requirements.txt"
  "$uv" venv --quiet --no-config --relocatable --no-python-downloads --python "$python" "$PART"
  uv_install --require-hashes -r environment/build.txt
  uv_install --require-hashes --override environment/overrides.in -r environment/requirements.txt
  [[ -z ${GPU:-} ]] || put_gpu_packages
  uv_install --no-deps --editable .
}

# TensorFlow for CPUs and that for GPUs are packages of different names with the same files.
put_gpu_packages() {
  "$uv" pip uninstall --quiet --no-config --python "$PART/bin/python" tensorflow-cpu
  uv_install --require-hashes -r environment/gpu.txt
}

# Python workers start cold, by the dozen; where they may not write bytecode they would compile it each time.
compile_bytecode() {
  say "compiling bytecode"
  "$PART/bin/python" -m compileall -q -j 0 -x 'lib2to3|/tests?/|/bad_' "$PART/lib" >/dev/null 2>&1 || true
}

move_into_place() {
  printf '%s %s\n' "$(fingerprint)" "$horovod_state" >"$PART/shelfcast.stamp"
  rm -rf .venv.old
  [[ ! -e .venv ]] || mv -T .venv .venv.old
  mv -T "$PART" .venv
  rm -rf .venv.old
}

report() {
  local _ horovod without=""
  read -r _ horovod <"$STAMP"
  case $horovod in
    no-compiler) without="; no C++ compiler, so all but distributed training (for that: $(install_command g++), then make setup)" ;;
    build-failed) without="; Horovod did not build, so all but distributed training (see build/horovod.log; again: make clean setup)" ;;
  esac
  say "environment ready: .venv, $(.venv/bin/python -V)$without"
}

# On the file system of the cache, where what is whole moves into place at once; what a killed set-up left goes.
make_work_folder() {
  mkdir -p "$CACHE"
  find "$CACHE" -maxdepth 1 -name 'work.*' -mmin +600 -exec rm -rf {} +
  WORK=$(mktemp -d "$CACHE/work.XXXXXX")
  trap 'rm -rf "$WORK" "$PART"' EXIT
  export TMPDIR=$WORK
}

make_environment() {
  find_python
  require_system
  make_work_folder
  honour_pip_settings
  rm -rf "$PART" .venv.old
  make_tools
  install_packages
  complete_spark
  install_horovod
  compile_bytecode
  move_into_place
}

main() {
  if ! is_ready; then
    # one set-up at a time in this folder
    exec 9<environment
    flock 9
    is_ready || make_environment
  fi
  report
}

main
