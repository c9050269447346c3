#!/usr/bin/env bash
# Builds .venv from uv.lock, and finds or installs a browser for the tests.
#
#   scripts/setup.sh app          what `make run` needs
#   scripts/setup.sh everything   that, the tools, and a Chromium
#
# Does nothing when nothing has changed. LULU_TEST_BROWSER names a Chromium that is not on PATH.
set -euo pipefail

cd "$(dirname "$0")/.."
root=$PWD
level=${1:-everything}
stamp=.venv/.lulu-$level
oldest_python=3.11

say() { printf 'Lulu: %s\n' "$*" >&2; }

stop() { # what happened, what to do
  printf 'Lulu: %s\n      %s\n' "$1" "$2" >&2
  exit 1
}

# ---- has anything changed since the last time?

wanted() { # what the stamp of a finished set-up says: this folder, these files
  printf '%s\n' "$root"
  cksum pyproject.toml uv.lock scripts/setup.sh
}

up_to_date() {
  [ -x .venv/bin/python ] || return 1
  [ "$(head -n 4 "$1" 2>/dev/null)" = "$(wanted)" ] || return 1
  [ "$level" = app ] || [ -x "$(sed -n 5p "$1")" ]
}

# ---- Debian packages, where we are allowed to install them

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

updated=
apt_install() { # packages
  say "installing $* with apt-get"
  export DEBIAN_FRONTEND=noninteractive
  if [ -z "$updated" ]; then
    apt-get -q -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 update >&2 || say "apt-get update failed; trying on"
    updated=yes
  fi
  apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 install --no-install-recommends "$@" >&2
}

# ---- Python and uv

new_enough() { "$1" -c "import sys; sys.exit(sys.version_info < (${oldest_python/./, }))" 2>/dev/null; }

find_python() {
  local name
  for name in python3 python3.11 python3.12 python3.13 python3.14 python; do
    if command -v "$name" >/dev/null 2>&1 && new_enough "$name"; then
      command -v "$name"
      return
    fi
  done
  return 1
}

make_venv() { # python; a .venv whose pip works, or at least a pip that can install into it
  local python=$1 version
  if "$python" -m venv --clear .venv >/dev/null 2>&1; then return; fi
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if can_apt; then
    # Debian keeps venv's pip in a package of its own.
    apt_install "python$version-venv" || apt_install python3-venv || true
    if "$python" -m venv --clear .venv >/dev/null 2>&1; then return; fi
  fi
  if "$python" -m pip --version >/dev/null 2>&1 && "$python" -m venv --clear --without-pip .venv; then return; fi
  rm -rf .venv
  stop "$python cannot make a virtual environment (its venv or ensurepip is missing)." \
    "Install it (on Debian and Ubuntu: apt-get install python$version-venv), or install uv; then try again."
}

find_uv() { # sets uv
  local python
  # A shim can be on PATH without a uv behind it: ask it.
  if command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; then
    uv=$(command -v uv)
    return
  fi
  # Beside the packages, not among them: `uv sync` would remove itself.
  uv=$root/.venv/.uv/bin/uv
  if [ -x .venv/bin/python ] && "$uv" --version >/dev/null 2>&1; then return; fi
  python=$(find_python) || stop "no Python $oldest_python or newer was found on PATH." \
    "Install one (on Debian: apt-get install python3 python3-venv), or install uv; then try again."
  say "making .venv with $("$python" --version) ($python)"
  make_venv "$python"
  say "installing uv into .venv"
  if [ -x .venv/bin/pip ]; then
    python=.venv/bin/python
  fi
  "$python" -m pip install --quiet --disable-pip-version-check --target .venv/.uv 'uv>=0.8' ||
    stop "pip could not install uv." "Check that this machine reaches PyPI (see pip's message above), then try again."
}

install_packages() {
  local python options
  # The packages go into this folder's .venv, whichever environment is active.
  unset VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
  find_uv
  if [ "$level" = app ]; then
    options="--no-dev --inexact" # leaves the tools alone where they are already installed
  else
    options=""
  fi
  if [ -x .venv/bin/python ]; then
    python=.venv/bin/python
  else
    python=$(find_python) || python=$oldest_python # uv knows where else to look
  fi
  say "installing the locked packages"
  # Compiled now, so that no start has to do it: that is most of the time until Lulu answers.
  # shellcheck disable=SC2086 # options are words
  "$uv" sync --quiet --locked --compile-bytecode --python "$python" $options ||
    stop "the packages could not be installed." \
      "Check that this machine reaches PyPI (see uv's message above), then try again. No data was touched."
  .venv/bin/python -m compileall -q lulu pages lulu_app.py
}

# ---- the browser of the tests

runs() { [ -n "$1" ] && "$1" --version >/dev/null 2>&1; }

find_browser() { # the same order as tests/browser.py
  local name path
  if [ -n "${LULU_TEST_BROWSER:-}" ]; then
    runs "$LULU_TEST_BROWSER" || stop "LULU_TEST_BROWSER is $LULU_TEST_BROWSER, which does not run." \
      "Set it to a Chromium or Chrome, or unset it."
    printf '%s\n' "$LULU_TEST_BROWSER"
    return
  fi
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    path=$(command -v "$name" 2>/dev/null) || continue
    if runs "$path"; then
      printf '%s\n' "$path"
      return
    fi
  done
  path=$(.venv/bin/python -c 'from playwright.sync_api import sync_playwright as p
with p() as playwright: print(playwright.chromium.executable_path)' 2>/dev/null) || return 1
  runs "$path" && printf '%s\n' "$path"
}

driver_runs() { .venv/bin/python -m playwright --version >/dev/null 2>&1; }

install_browser() { # sets browser
  if ! driver_runs && can_apt; then
    # Playwright brings a Node.js that needs this library; a minimal Debian has none.
    apt_install libatomic1 || true
  fi
  driver_runs || stop "Playwright's driver does not run: $(.venv/bin/python -m playwright --version 2>&1 | tail -n 1)" \
    "Install what it misses (on Debian and Ubuntu: apt-get install libatomic1), then try again."
  browser=$(find_browser) && return
  [ -z "${LULU_TEST_BROWSER:-}" ] || exit 1
  if can_apt; then
    apt_install chromium fonts-liberation || say "apt-get has no chromium here"
    browser=$(find_browser) && return
  fi
  say "fetching a Chromium with Playwright"
  .venv/bin/python -m playwright install chromium >&2 || true
  browser=$(find_browser) || stop "no Chromium was found, and none could be installed." \
    "Install chromium or Google Chrome, or set LULU_TEST_BROWSER to one; then try again. \`make run\` does not need it."
}

# ----

case $level in
  app) if up_to_date .venv/.lulu-app; then exit 0; fi ;;
  everything) if up_to_date .venv/.lulu-everything; then exit 0; fi ;;
  *) stop "there is no set-up called '$level'." "Use: scripts/setup.sh app, or scripts/setup.sh everything" ;;
esac

install_packages
browser=
if [ "$level" = everything ]; then
  install_browser
  say "the tests use $browser"
  { wanted; printf '%s\n' "$browser"; } >.venv/.lulu-everything
fi
# Whoever has everything can run the app, too.
wanted >.venv/.lulu-app
say "ready"
