#!/usr/bin/env bash
# Tells Spark which GPUs a machine has, as its discovery scripts do: {"name": "gpu", "addresses": ["0", "1"]}
set -euo pipefail
indices=$(nvidia-smi --query-gpu=index --format=csv,noheader)
printf '{"name": "gpu", "addresses": [%s]}\n' "$(sed 's/.*/"&"/' <<<"$indices" | paste -sd, | sed 's/,/, /g')"
