#!/usr/bin/env bash
# Builds versitygw, an S3 server on a folder, which the tests of object stores start on the loopback. Without it they are
# skipped. It is kept in ${XDG_CACHE_HOME:-~/.cache}/shelfcast.
set -euo pipefail

readonly VERSION=1.8.0
readonly HOME_OF_IT=${XDG_CACHE_HOME:-$HOME/.cache}/shelfcast/versitygw-$VERSION

if [[ -x $HOME_OF_IT/versitygw ]]; then exit 0; fi
if ! command -v go >/dev/null; then
  echo "s3server: no go on PATH; wanted one of Go 1.25 or later" >&2
  exit 1
fi
GOBIN=$HOME_OF_IT go install "github.com/versity/versitygw/cmd/versitygw@v$VERSION"
