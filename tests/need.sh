#!/bin/sh
# Installs the Debian packages that building (need.sh build), testing (need.sh test) or the tests on a booted machine (need.sh
# vm) lack; exactly those, as root or by sudo. Says nothing and asks for nothing when everything is there.
set -eu

build="gcc libc6-dev make pkg-config libuv1-dev libserialport-dev libsqlite3-dev libconfig-dev libjansson-dev
       libpcre2-dev libsystemd-dev libudev-dev uthash-dev libglib2.0-dev libcurl4-gnutls-dev
       libgnutls28-dev liblua5.4-dev tzdata python3"
# clang and its runtime for fuzzing, tshark and libgammu as judges of PDUs, openssl for certificates, the peers to be judged by and measured with.
tests="libcmocka-dev clang libclang-rt-14-dev clang-format gcovr tshark libgammu-dev smstools gammu-smsd kannel systemd
       man-db groff openssl procps"
# An emulator, and what makes a Debian for it.
machine="qemu-system-x86 mmdebstrap kmod cpio e2fsprogs"

case "${1-}" in
build) wanted=$build ;;
test) wanted="$build $tests" ;;
vm) wanted="$build $machine" ;;
*)
    echo "usage: need.sh build|test|vm" >&2
    exit 2
    ;;
esac

missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "These Debian packages are needed, and there is no apt-get here:$missing" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "Run this as root, or install sudo: these packages are missing:$missing" >&2
        exit 1
    }
    as_root=sudo
fi

echo "Installing what is missing:$missing"
# The peers' packages would start their services: they are wanted as programs only.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod 755 $policy
    trap '$as_root rm -f $policy' EXIT
fi
install() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}
install >/dev/null 2>&1 || {
    $as_root apt-get update -q
    install
}
