# SPDX-License-Identifier: Apache-2.0
# What up, down, deb and Tests/run share: messages, packages, the Swift toolchain, and processes known by pid and start time.

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Debian packages the build needs, and those the Swift toolchain expects of the system.
BUILD_PACKAGES="libsqlite3-dev libssl-dev libpq-dev libsodium-dev libldap-dev libcrypt-dev"
TOOLCHAIN_PACKAGES="binutils gcc libc6-dev libgcc-12-dev libstdc++-12-dev libcurl4 libedit2 libxml2 zlib1g-dev ca-certificates git"

missing_packages() {
    local package
    for package in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in installed) ;; *) printf '%s ' "$package" ;; esac
    done
}

# install_packages LOG PACKAGE...: installs what is missing; without root, says what to run.
install_packages() {
    local log=$1 missing; shift
    command -v dpkg-query >/dev/null || fail "this needs Debian 12 or a relative of it (dpkg is missing)."
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || fail "these packages are missing; install them as root and try again:
    apt-get install $missing"
    step "Installing packages: $missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update >>"$log" 2>&1 || say "    the package lists could not be renewed; going on with those there are"
    # A maintainer script must not start a server of its own.
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold $missing \
        >>"$log" 2>&1 || { tail -n 15 "$log" >&2; fail "apt-get could not install $missing(see $log)."; }
}

# Puts a Swift toolchain first in PATH; Debian's own "swift" is the client of OpenStack's object store.
find_swift() {
    local directory version
    for directory in ${SWIFT_TOOLCHAIN:+"$SWIFT_TOOLCHAIN/usr/bin" "$SWIFT_TOOLCHAIN/bin" "$SWIFT_TOOLCHAIN"} \
        "$(dirname "$(command -v swiftc || echo /nowhere/swiftc)")" /opt/swift*/usr/bin /usr/local/swift*/usr/bin \
        /usr/share/swift/usr/bin /usr/libexec/swift/*/bin /usr/libexec/swift/bin "$HOME/.local/share/swiftly/bin"; do
        [ -x "$directory/swiftc" ] && [ -x "$directory/swift" ] || continue
        version=$("$directory/swiftc" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
        case $version in
            6.[2-9]* | 6.[1-9][0-9]* | [7-9].* | [1-9][0-9].*) PATH="$directory:$PATH"; export PATH; SWIFT_VERSION=$version; return 0 ;;
            ?*) say "    Swift $version in $directory is too old; 6.2 or later is needed." ;;
        esac
    done
    fail "no Swift toolchain (6.2 or later) was found. To install one for Debian 12:
    curl -fsSLO https://download.swift.org/swift-6.3.1-release/debian12/swift-6.3.1-RELEASE/swift-6.3.1-RELEASE-debian12.tar.gz
    mkdir -p /opt/swift && tar -xzf swift-6.3.1-RELEASE-debian12.tar.gz --strip-components=1 -C /opt/swift
Then run this again. A toolchain elsewhere is named by SWIFT_TOOLCHAIN=/path/to/it. Other systems: https://www.swift.org/install/linux/"
}

# One digest of every source file, of the toolchain and of the words given: equal digests need no build.
source_digest() {
    (cd "$ROOT" && find Package.swift Protocol Coordinator Agent -type f 2>/dev/null | LC_ALL=C sort | xargs sha256sum
        swiftc --version 2>/dev/null; printf '%s\n' "$@") | sha256sum | cut -d' ' -f1
}

# The time a process began, in clock ticks since boot: with the pid it names one process for ever.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# is_ours PIDFILE: whether the process that wrote it still runs. The start time is kept beside, in PIDFILE's .start.
is_ours() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && [ -s "${1%.pid}.start" ] || return 1
    [ "$(start_time "$pid")" = "$(cat "${1%.pid}.start")" ]
}

# stop_ours PIDFILE NAME: asks the process to end, waits, and insists after 30 seconds.
stop_ours() {
    local pid i
    if ! is_ours "$1"; then
        rm -f "$1" "${1%.pid}.start" "${1%.pid}.stamp"
        return 1
    fi
    pid=$(cat "$1")
    kill -TERM "$pid" 2>/dev/null
    for ((i = 0; i < 300; i++)); do
        is_ours "$1" || break
        sleep 0.1
    done
    if is_ours "$1"; then
        say "    $2 (pid $pid) did not end within 30 seconds; killing it"
        kill -KILL "$pid" 2>/dev/null
    fi
    rm -f "$1" "${1%.pid}.start" "${1%.pid}.stamp"
}
