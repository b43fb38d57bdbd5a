#!/usr/bin/env bash
# Installs with apt-get the servers that some tests start by themselves on the loopback: PostgreSQL and MariaDB. Without
# them these tests are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=/dev/null
source environment/system.sh

readonly PACKAGES=(postgresql mariadb-server-core mariadb-client-core openssl)

has_servers() {
  compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null &&
    for program in mariadbd mariadb-install-db mariadb openssl; do PATH=$PATH:/usr/sbin command -v $program >/dev/null || return 1; done
}

# The package would make a database of its own and start it.
without_a_cluster() {
  [[ -e /etc/postgresql-common ]] && return
  "${as_root[@]}" mkdir -p /etc/postgresql-common
  echo "create_main_cluster = false" | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
}

if has_servers; then exit 0; fi
if ! may_install; then
  echo "servers: not installed; wanted $(install_command "${PACKAGES[@]}")" >&2
  exit 1
fi
apt_get update || true
without_a_cluster
apt_get install -y --no-install-recommends "${PACKAGES[@]}"
has_servers
