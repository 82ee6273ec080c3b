# What the scripts in this folder share: messages, and Debian's packages. To be sourced.

say() { printf '%s\n' "$*" >&2; }

# fail MESSAGE LINE...: the message, then what to do about it.
fail() {
    say "error: $1"
    shift
    for line in "$@"; do
        say "    $line"
    done
    exit 1
}

can_install_packages() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

can_unpack_packages() { command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# install_packages PACKAGE...: into the system; needs root.
install_packages() {
    say "Installing system packages: apt-get install --no-install-recommends $*"
    apt_log=$(mktemp)
    # An update that fails may have left lists that are good enough.
    apt_get update >"$apt_log" 2>&1 || true
    if apt_get install -y --no-install-recommends "$@" >>"$apt_log" 2>&1; then
        rm -f "$apt_log"
    else
        tail -n 5 "$apt_log" >&2
        rm -f "$apt_log"
        return 1
    fi
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# unpack_packages FOLDER PACKAGE...: into a folder, which needs no rights. Packages that the system
# has are left out, and so is every dependency that is not named. A name with "t64" at its end (the
# 64-bit time transition of 2024) counts as the name without.
unpack_packages() {
    folder=$1
    shift
    apt_state=$(mktemp -d)
    if fetch_packages "$apt_state" "$@" >"$apt_state/log" 2>&1; then
        for deb in "$apt_state"/debs/*.deb; do
            dpkg -x "$deb" "$folder"
        done
        rm -rf "$apt_state"
    else
        tail -n 5 "$apt_state/log" >&2
        rm -rf "$apt_state"
        return 1
    fi
}

# Package lists of its own: those of the system may be missing and only root may renew them.
fetch_packages() (
    state=$1
    shift
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/debs"
    own_apt_get() {
        apt_get -o Dir::State::Lists="$state/lists" -o Dir::Cache="$state/cache" \
            -o APT::Sandbox::User="" -o Debug::NoLocking=true "$@"
    }
    own_apt_get update || exit 1
    own_apt_get install --simulate --no-install-recommends "$@" >"$state/plan" || exit 1
    for package in "$@"; do
        awk -v name="$package" '$1 == "Inst" && ($2 == name || $2 == name "t64") { print $2 }' \
            "$state/plan"
    done >"$state/missing"
    [ -s "$state/missing" ] || exit 1
    cd "$state/debs" && own_apt_get download $(cat "$state/missing")
)
