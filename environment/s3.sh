#!/usr/bin/env bash
# Lays beside Spark's own jars what s3a:// needs: Hadoop's connector and Amazon's SDK. They are large, and few need them;
# another set-up takes them away, and this puts them back from the cache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/shelfcast

say() { printf '==> %s\n' "$*"; }

fail() {
  printf 's3: %s\n' "$*" >&2
  exit 1
}

# shellcheck source=/dev/null
source environment/jars.sh

mkdir -p "$CACHE"
WORK=$(mktemp -d "$CACHE/work.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
beside=$(echo .venv/lib/python3*/site-packages/pyspark/jars)
fetch_jars s3-jars "$beside"
ln -sf "$jars"/*.jar "$beside/"
