# Horovod has no wheels. It is built once for each version of Python and TensorFlow, and kept in the cache.

readonly HOROVOD=0.28.1

# Sets `horovod_state`: its version, no-compiler or build-failed.
install_horovod() {
  local wheels
  horovod_state=no-compiler
  wheels=$CACHE/$(horovod_key)
  if ! compgen -G "$wheels/*.whl" >/dev/null; then
    has_compiler || return 0
    build_horovod "$wheels" || return 0
  fi
  uv_install --no-deps "$wheels"/*.whl
  horovod_state=$HOROVOD
}

horovod_key() {
  local tensorflow python_tag recipe
  tensorflow=$(sed -n 's/^tensorflow-cpu==\([^ ]*\).*/\1/p' environment/requirements.txt)
  python_tag=$("$python" -c 'import sys; print(sys.implementation.cache_tag)')
  recipe=$({ cat environment/{horovod,build}.txt; declare -f compile_horovod; } | sha256sum | cut -c1-8)
  echo "horovod-$HOROVOD-tensorflow-$tensorflow-$python_tag-$(uname -m)-$recipe${GPU:+-nccl}"
}

build_horovod() {
  local wheels=$1
  say "building Horovod $HOROVOD (two to four minutes, once)"
  mkdir -p build
  if ! (fetch_horovod && compile_horovod && try_horovod) >build/horovod.log 2>&1; then
    horovod_state=build-failed
    return 1
  fi
  rm -f build/horovod.log
  mv -T "$WORK/wheel" "$wheels" 2>/dev/null || compgen -G "$wheels/*.whl" >/dev/null
}

fetch_horovod() {
  "$(dirname "$uv")/python" -m pip --python "$PART/bin/python" download --disable-pip-version-check \
    --no-deps --no-binary :all: --no-build-isolation --require-hashes -r environment/horovod.txt -d "$WORK/horovod"
  tar -xzf "$WORK/horovod/horovod-$HOROVOD.tar.gz" -C "$WORK/horovod"
}

# Where NCCL lies among TensorFlow's packages, and that it is what adds up; CUDA itself is found by HOROVOD_CUDA_HOME.
gpu_settings() {
  [[ -z ${GPU:-} ]] ||
    echo "HOROVOD_GPU_OPERATIONS=NCCL HOROVOD_NCCL_LINK=SHARED HOROVOD_NCCL_HOME=$(echo "$PWD/$PART"/lib/python*/site-packages/nvidia/nccl)"
}

# Its XLA operations, which are optional, include headers that TensorFlow's wheel ships incomplete: they are left out.
# Compilers from GCC 13 on want <cstdint> named where its Gloo relies on finding it.
compile_horovod() {
  local source=$WORK/horovod/horovod-$HOROVOD
  sed -i '/xla_mpi_ops\.cc/d' "$source/horovod/tensorflow/CMakeLists.txt"
  PATH=$PWD/$PART/bin:$PATH CXXFLAGS="${CXXFLAGS:-} -include cstdint" MAKEFLAGS="-j$(nproc)" \
    env HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1 HOROVOD_WITH_GLOO=1 HOROVOD_WITHOUT_MPI=1 \
    $(gpu_settings) "$uv" build --wheel --no-config --no-build-isolation --python "$PART/bin/python" --out-dir "$WORK/wheel" "$source"
}

try_horovod() {
  "$PART/bin/python" -m zipfile -e "$WORK"/wheel/*.whl "$WORK/try"
  PYTHONPATH=$WORK/try "$PART/bin/python" -c 'import horovod.tensorflow'
}
