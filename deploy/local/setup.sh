#!/usr/bin/env bash
# Makes the virtual environment from the lock, whole or not at all. Usage: setup.sh VENV LOCK
set -euo pipefail

venv=$1 lock=$2 root=$PWD
say() { printf '%s\n' "$*" >&2; }

# The newest versions come last: binary wheels appear for them last too.
find_python() {
  local name
  for name in python3.12 python3.13 python3.11 python3 python python3.14; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  say "No Python 3.11 or newer (with venv) on PATH."
  say "What to do next: install one, for example your system's python3 and python3-venv packages."
  return 1
}

python=$(find_python)
say "Setting up $venv with $("$python" --version) (once)"
rm -rf "$venv"
trap 'say "Setup did not finish; run the same command again."; rm -f "$venv/.installed"' ERR INT TERM
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
  --require-hashes -r "$(dirname "$lock")/tools.lock"
say "  installing $(grep -c '^[a-z0-9].*==' "$lock") locked packages"

# uv takes 4 s where pip takes 30; it is told what pip was told about mirrors and certificates.
mirror=$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)
export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$mirror}}
[ -n "$UV_DEFAULT_INDEX" ] || unset UV_DEFAULT_INDEX
[ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}
"$venv/bin/uv" pip install --quiet --no-deps --require-hashes --python "$venv/bin/python" -r "$lock" || {
  say "  uv could not install them; trying pip"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --require-hashes -r "$lock"
}

# The packages are imported from the checkout: what you edit is what runs.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$root" >"$site/trustfold.pth"
# The first lines are shell: a shebang breaks on long paths and on paths with spaces.
cat >"$venv/bin/trustfold" <<SCRIPT
#!/bin/sh
'''exec' "$root/$venv/bin/python" "\$0" "\$@"
' '''
import sys

from shared.cli import main

sys.exit(main())
SCRIPT
chmod +x "$venv/bin/trustfold"
touch "$venv/.installed"
say "  done in $SECONDS s"
