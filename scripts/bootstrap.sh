#!/usr/bin/env bash
# Makes the virtual environment and installs what a fresh Debian lacks. Usage: bootstrap.sh run|test
# Runs again in a moment when nothing changed: a stamp keeps the digest of what was installed.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?run or test}
venv=${VENV:-.venv}

say() { printf 'sampan: %s\n' "$*" >&2; }

# Debian packages that are missing: names of commands (or Python modules) and the packages that bring them.
need=()
python=""
for candidate in python3 python3.13 python3.12 python3.11; do
  if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[ -n "$python" ] || { say "needs Python 3.11 or newer on PATH"; exit 1; }
"$python" -c 'import ensurepip, venv' 2>/dev/null || need+=(python3-venv)
if [ "$(uname -s)" = Linux ]; then
  command -v crun >/dev/null || command -v runc >/dev/null || need+=(crun)
  if [ "$what" = test ]; then
    command -v nft >/dev/null || need+=(nftables)
    command -v ip >/dev/null || need+=(iproute2)
    command -v dig >/dev/null || need+=(bind9-dnsutils)
  fi
fi
if [ "${#need[@]}" -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing ${need[*]} from the distribution"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >/dev/null || true
    apt-get install -y -q --no-install-recommends "${need[@]}" >/dev/null
  else
    say "missing: ${need[*]} (install them with your package manager; only --runtime simulated works without an OCI runtime)"
    "$python" -c 'import ensurepip, venv' || exit 1
  fi
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
extra=""
[ "$what" = test ] && extra="[test]"
digest=$({ cat pyproject.toml hatch_build.py; "$venv/bin/python" -V; } | sha256sum | cut -c1-16)
stamp="$venv/.sampan-$what-$digest"
if [ ! -e "$stamp" ]; then
  say "installing the package${extra:+ and what the tests need} into $venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check -e ".$extra"
  rm -f "$venv"/.sampan-"$what"-*
  touch "$stamp"
fi
