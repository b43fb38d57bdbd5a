# What the system has to offer: Python, its venv module, Java and a C++ compiler.

# Sets `python`: PYTHON if given, else the first on PATH that the pinned packages support.
find_python() {
  local name version seen=""
  for name in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
    version=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case $version in
      3.11 | 3.12 | 3.13)
        python=$("$name" -c 'import sys; print(sys.executable)')
        return
        ;;
    esac
    seen="$name is Python $version"
  done
  fail "${seen:-no ${PYTHON:-python3} on PATH}; wanted Python 3.11, 3.12 or 3.13 (numpy 2.4 ends the support of 3.10). Name one with PYTHON=python3.11 make setup"
}

has_venv() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

has_compiler() { command -v g++ >/dev/null || command -v c++ >/dev/null || command -v clang++ >/dev/null; }

# Java 17 or later, with the module that Spark's vectorised code asks for: a trimmed runtime lacks it and does not start.
has_java() {
  local modules
  modules=$("${JAVA_HOME:+$JAVA_HOME/bin/}java" --list-modules 2>/dev/null) || return 1
  [[ $modules =~ java\.base@([0-9]+) ]] && ((BASH_REMATCH[1] >= 17)) && [[ $modules == *jdk.incubator.vector@* ]]
}

# The oldest fitting one that this release of the system offers.
java_package() {
  local version
  for version in 17 21 25; do
    if apt-cache show "openjdk-$version-jre-headless" >/dev/null 2>&1; then break; fi
  done
  echo "openjdk-${version/25/17}-jre-headless"
}

# What the set-up cannot do without, as Debian's packages, one a line.
needed_packages() {
  has_venv || echo "$(basename "$(readlink -f "$python")")-venv"
  has_java || java_package
}

# How to become root without a question: as it is, or by a sudo that needs no password.
may_install() {
  command -v apt-get >/dev/null || return 1
  if ((EUID == 0)); then as_root=(env); else as_root=(sudo -n env); fi
  "${as_root[@]}" true 2>/dev/null
}

apt_get() { "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >/dev/null; }

install_command() { echo "sudo apt-get update && sudo apt-get install -y $*"; }

# Where the user may not install: a missing compiler costs Horovod alone, the rest ends the set-up.
require_system() {
  local needed
  if [[ -n ${JAVA_HOME:-} ]] && ! has_java; then
    fail "JAVA_HOME=$JAVA_HOME: found no Java 17 or later with the module jdk.incubator.vector; correct it or unset it"
  fi
  if ! { has_venv && has_java && has_compiler; } && may_install; then install_system; fi
  mapfile -t needed < <(needed_packages)
  has_compiler || needed+=(g++)
  if ! { has_venv && has_java; }; then
    fail "missing: ${needed[*]}. Install them, then run make again: $(install_command "${needed[@]}")"
  fi
}

install_system() {
  local needed
  apt_get update || say "apt-get update failed; trying with the lists at hand"
  mapfile -t needed < <(needed_packages)
  has_compiler || needed+=(g++)
  say "installing ${needed[*]} with apt-get"
  apt_get install -y --no-install-recommends "${needed[@]}" || say "apt-get install failed"
}
