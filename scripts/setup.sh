#!/usr/bin/env bash
# Set-up: the Debian packages of a list where there is apt-get, then .venv with the pinned Python packages.
# usage: scripts/setup.sh LIST [EXTRAS]        EXTRAS: what else of pyproject.toml, such as dev,link,ndi
#        scripts/setup.sh --packages LIST      the Debian packages alone
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# Names of a list that dpkg knows neither as installed nor as provided by something installed.
missing_packages() {
    grep -v '^#' "$1" | grep -vxF -f <(
        dpkg-query -W -f='${db:Status-Status} ${Package}, ${Provides}\n' |
            sed -n 's/^installed //p' | tr ',' '\n' | sed 's/ *([^)]*)//; s/ //g' | sed '/^$/d'
    ) || true
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_packages() {
    command -v dpkg-query >/dev/null || return 0
    local missing
    missing=$(missing_packages "$1" | xargs)
    [ -n "$missing" ] || return 0
    if as_root true 2>/dev/null; then
        say "installing $missing"
        as_root apt-get update -qq || say "apt-get update failed, going on with the lists that are here"
        # jackd2 asks about realtime priority when it is let
        # shellcheck disable=SC2086
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null && return 0
    fi
    say "these Debian packages are missing; going on without them. To install them, run:"
    say "    sudo apt-get install --no-install-recommends $missing"
}

# The newest wheels of torch and numba end at 3.14.
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    say "perform needs Python 3.11 to 3.14; ${PYTHON:-python3} is $("${PYTHON:-python3}" -V 2>&1 || true)"
    say "install one (Ubuntu 22.04: sudo apt-get install python3.11 python3.11-venv),"
    say "or name it: make PYTHON=/path/to/python3.11"
    return 1
}

make_venv() {
    local python version
    .venv/bin/python -m pip --version >/dev/null 2>&1 && return 0
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null; then
        rm -rf .venv
        say "Python $version cannot make a virtual environment here. On Debian and Ubuntu, run:"
        say "    sudo apt-get install python3-venv    (or python$version-venv)"
        return 1
    fi
}

# A setting of pip, or nothing.
pip_setting() {
    .venv/bin/python -m pip config list 2>/dev/null | sed -n "s/^[^=]*\\.$1='\\(.*\\)'\$/\\1/p" | tail -n 1
}

# uv of the PATH, else of the package index: it installs in a quarter of pip's time. Nothing if there is none.
find_uv() {
    command -v uv && return 0
    [ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        -c constraints.txt uv >/dev/null 2>&1 || return 0
    printf '%s\n' .venv/bin/uv
}

# Arguments: those of `pip install`. uv looks where pip would look.
install_wheels() {
    local uv
    uv=$(find_uv)
    if [ -n "$uv" ] && env \
        UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$(pip_setting index-url)}" \
        UV_INDEX="${UV_INDEX:-$(pip_setting extra-index-url)}" \
        UV_FIND_LINKS="${UV_FIND_LINKS:-$(pip_setting find-links | tr ' ' ',')}" \
        SSL_CERT_FILE="${SSL_CERT_FILE:-$(pip_setting cert)}" \
        "$uv" pip install --quiet --python .venv/bin/python --index-strategy unsafe-best-match \
        --link-mode copy -c constraints.txt "$@"; then
        return 0
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "$@"
}

install_python() {
    make_venv
    say "installing the Python packages${1:+ for $1} in .venv"
    install_wheels "$(grep '^torch==' constraints.txt)" -e ".${1:+[$1]}"
}

# What tracks hands; without it everything else plays.
fetch_hands() {
    .venv/bin/python -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec("mediapipe"))' ||
        return 0
    .venv/bin/perform models import hands >/dev/null ||
        say "hands cannot be tracked yet; to try again: .venv/bin/perform models import hands"
}

if [ "$1" = --packages ]; then
    install_packages "$2"
    exit
fi
install_packages "$1"
install_python "${2:-}"
[ -n "${2:-}" ] || fetch_hands
