#!/bin/sh
# Makes .venv/ in the project's root: the locked packages, the project itself (editable) and a gmsh
# that can be imported. Needs Python 3.11 to 3.14 and a package index, nothing else.
#
#     tools/setup_env.sh                    does nothing if .venv/ is up to date
#     PYTHON=python3.12 tools/setup_env.sh  a new .venv/ is made with this interpreter
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
. tools/common.sh

# The first line of each command in .venv/bin/ is the path of its Python, which may hold no blank.
case $root in
*[[:space:]]*)
    fail "found the environment in $root/.venv/bin/python, accepted: a folder without blanks in its path." \
        "Move the project and run \`make env\`"
    ;;
esac

# Whatever environment is active in the calling shell must not leak into this one.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX __PYVENV_LAUNCHER__
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV UV_PYTHON UV_SYSTEM_PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK=1

venv=.venv
stamp=$venv/torrey-environment # line 1: the root it was made for; line 2: digest of what made it

digest() { cat pyproject.toml requirements.lock tools/*.sh tools/share_search_path.py | cksum; }

up_to_date() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(printf '%s\n%s' "$root" "$(digest)")" ] &&
        "$venv/bin/python" -c '' 2>/dev/null
}

# Prints the interpreter behind a command, if it is CPython 3.11 or later, up to 3.$2. The base
# interpreter, because the command itself may live in the .venv/ that is about to be replaced.
usable_python() {
    "$1" -I -c '
import sys
newest = (3, int(sys.argv[1]))
if sys.implementation.name != "cpython" or not (3, 11) <= sys.version_info[:2] <= newest:
    raise SystemExit(1)
print(getattr(sys, "_base_executable", None) or sys.executable)' "$2" 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        usable_python "$PYTHON" 14
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        usable_python "$candidate" 13 && return
    done
    # Last, because one of the locked packages has to be compiled for it.
    usable_python python3.14 14 || usable_python python3 14
}

has_venv() { "$python" -I -c 'import ensurepip, venv' 2>/dev/null; }

make_venv() {
    python=$(find_python) || fail "no Python 3.11, 3.12, 3.13 or 3.14 found" \
        "${PYTHON:-python3} is: $("${PYTHON:-python3}" --version 2>&1 || true)" \
        "Install one, or say where it is: make env PYTHON=/path/to/python3.12"
    minor=$("$python" -I -c 'import sys; print(sys.version_info[1])')
    say "Making $venv/ with $python (Python 3.$minor)"
    rm -rf "$venv"
    if ! has_venv && can_install_packages; then
        install_packages "python3.$minor-venv" || true
    fi
    if [ "$minor" = 14 ]; then
        need_compiler
    fi
    if has_venv; then
        "$python" -I -m venv "$venv"
    else
        make_venv_without_ensurepip
    fi
}

need_compiler() {
    command -v cc >/dev/null && return
    headers="gcc libc6-dev python3.$minor-dev"
    if can_install_packages && install_packages $headers; then
        return
    fi
    fail "with Python 3.$minor, one of the locked packages needs a C compiler" \
        "Debian, Ubuntu:  sudo apt-get install -y $headers" \
        "or use an older Python (3.11 to 3.13):  make env PYTHON=/path/to/python3.13"
}

# Debian keeps ensurepip in a package of its own, and pip itself as a wheel in another one, which
# anybody can unpack and run.
make_venv_without_ensurepip() {
    unpacked=$(mktemp -d)
    if can_unpack_packages &&
        "$python" -I -m venv --without-pip "$venv" 2>/dev/null &&
        unpack_packages "$unpacked" python3-pip-whl &&
        wheel=$(ls "$unpacked"/usr/share/python-wheels/pip-*.whl) &&
        "$venv/bin/python" "$wheel/pip" install --quiet pip; then
        rm -rf "$unpacked"
        return
    fi
    rm -rf "$unpacked" "$venv"
    fail "this Python comes without its venv and ensurepip modules" \
        "Debian, Ubuntu:  sudo apt-get install -y python3.$minor-venv" \
        "and then the same command again."
}

# The lines of requirements.lock that pin one package, its hashes included.
locked() {
    awk -v start="^$1==" '$0 ~ start { found = 1 } found { print } found && !/\\$/ { exit }' \
        requirements.lock
}

# uv gives up where its cache cannot be written; pip does without one.
has_cache() {
    cache=${UV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/uv}
    mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ]
}

# A package index within a company may have a certificate that only this system's store knows; a
# machine without such a store needs the certificates that uv brings along. pip asks both.
install_with_uv() {
    has_cache || export UV_NO_CACHE=1
    locked uv >"$venv/uv.txt" &&
        "$venv/bin/python" -m pip install --quiet -r "$venv/uv.txt" &&
        { sync_with_uv "${UV_SYSTEM_CERTS:-true}" || sync_with_uv false; }
}

# Compiled here and now, every job of a first run starts 4 s sooner; in a shell that forbids Python
# to write bytecode, every job of every run.
sync_with_uv() {
    UV_SYSTEM_CERTS=$1 "$venv/bin/uv" pip sync --quiet --compile-bytecode \
        --python "$venv/bin/python" requirements.lock &&
        UV_SYSTEM_CERTS=$1 "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" \
            --no-deps --no-build-isolation --editable .
}

install_with_pip() {
    "$venv/bin/python" -m pip install --quiet -r requirements.lock &&
        "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
}

# Two set-ups at once (two terminals, say) take turns; the lock goes when its process does.
if command -v flock >/dev/null; then
    exec 9<"$root"
    flock 9 || true
fi

if up_to_date; then
    exit 0
fi

# A .venv/ without a stamp was cut short; one with another root was copied or moved here, and the
# commands in its bin/ still point at the old place.
if [ ! -f "$stamp" ] || [ "$(head -n 1 "$stamp")" != "$root" ] ||
    ! usable_python "$venv/bin/python" 14 >/dev/null; then
    make_venv
fi

say "Installing the locked packages"
if ! install_with_uv; then
    say "uv could not do it; trying pip, which takes longer"
    install_with_pip || fail "the locked packages could not be installed (see above)" \
        "They come from the package index that pip is set up for: can it be reached?"
fi

sh tools/check_gmsh.sh "$venv"

printf '%s\n%s\n' "$root" "$(digest)" >"$stamp.part"
mv "$stamp.part" "$stamp"
say "Ready: $venv/ (to use it in this shell: . $venv/bin/activate)"
