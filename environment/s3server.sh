#!/usr/bin/env bash
# Builds s3s-fs, an S3 server on a folder, which the tests of object stores start on the loopback. Without it they are
# skipped. It is kept in ${XDG_CACHE_HOME:-~/.cache}/shelfcast.
set -euo pipefail

readonly VERSION=0.17.0
readonly HOME_OF_IT=${XDG_CACHE_HOME:-$HOME/.cache}/shelfcast/s3s-fs-$VERSION

if [[ -x $HOME_OF_IT/bin/s3s-fs ]]; then exit 0; fi
if ! command -v cargo >/dev/null; then
  echo "s3server: no cargo on PATH; wanted one of Rust 1.95 or later" >&2
  exit 1
fi
# It asks for Rust 1.96 and builds with the one before too.
cargo install --quiet s3s-fs --version "$VERSION" --features binary --locked --ignore-rust-version --root "$HOME_OF_IT"
