#!/bin/bash
# image.sh OUTDIR: a Debian to boot under QEMU: OUTDIR/vmlinuz, initrd.gz, root.ext4. Nothing of simgate is in it, so it is
# made once, and again when this recipe, the release or its kernel changes. As root, about a minute.
#
# The release is that of this machine: programs built here run there. Status 75: the packages cannot be had or
# unpacked here; 77: only root can do it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: image.sh OUTDIR}
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "$VERSION_CODENAME")

# What simgated is linked with, what the tests look with, and what a Debian needs to boot.
packages=systemd,systemd-sysv,udev,kmod,procps,inotify-tools,sqlite3
packages+=,libuv1,libserialport0,libsqlite3-0,libconfig9,libjansson4,libpcre2-8-0,libudev1,libcrypt1,libsystemd0,libglib2.0-0,libcurl3-gnutls,libgnutls30,liblua5.4-0,tzdata
modules="virtio_pci virtio_blk virtio_console virtio_rng ext4 crc32c_generic 9p 9pnet_virtio autofs4
         xhci_pci usbserial ftdi_sio option cdc_acm dummy_hcd libcomposite usb_f_serial configfs"
# Services that a test has no use for and that take time to start.
masked="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
        getty@tty1.service getty-static.service serial-getty@ttyS0.service systemd-networkd.service
        systemd-networkd.socket systemd-resolved.service systemd-timesyncd.service systemd-pstore.service
        systemd-firstboot.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
        systemd-hwdb-update.service sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount"

# linux-image-amd64 is an empty package that depends on the newest kernel.
kernel_package() {
    apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ { print $2; exit }'
}

kernel=$(kernel_package)
if [ -z "$kernel" ]; then
    apt-get -qq update || exit 75
    kernel=$(kernel_package)
fi
version=${kernel#linux-image-}
recipe=$(cat "$here/image.sh" "$here/agent.pl" - <<<"$release $kernel" | sha256sum | cut -d ' ' -f 1)
[ "$(cat "$out/recipe" 2>/dev/null)" != "$recipe" ] || exit 0
[ "$(id -u)" = 0 ] || exit 77

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/kernel" "$work/busybox" "$work/initrd/bin" "$work/initrd/modules" "$work/initrd/"{proc,sys,dev,root}
rm -f "$out/recipe"
root=$work/root initrd=$work/initrd

# ---- packages; the kernel is unpacked, not installed: no boot loader, no initramfs of its own

fetch() {
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 download "$kernel" busybox-static)
}
fetch 2>/dev/null || { apt-get -qq update && fetch; } || exit 75
dpkg-deb -x "$work"/linux-image-*.deb "$work/kernel"
dpkg-deb -x "$work"/busybox-static_*.deb "$work/busybox"
mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" --aptopt='Acquire::Languages "none"' \
    --aptopt='Acquire::Retries "3"' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "$release" "$root" || exit 75

# ---- modules, with all that they need

from=$work/kernel/lib/modules/$version to=$root/lib/modules/$version
files_of() { # TREE MODULE...: in the order in which they are loaded
    for module in "${@:2}"; do
        modprobe -d "$1" -S "$version" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}
depmod -b "$work/kernel" "$version"
mkdir -p "$to"
# shellcheck disable=SC2086
for file in $(files_of "$work/kernel" $modules); do
    install -D -m 0644 "$file" "$to/${file#"$from"/}"
done
cp "$from"/modules.{builtin,builtin.modinfo,order} "$to"
depmod -b "$root" "$version"

# ---- settings

echo simgate-vm >"$root/etc/hostname"
: >"$root/etc/fstab"
passwd -R "$root" -d root >/dev/null
for unit in $masked; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system/multi-user.target.wants" "$root/mnt/share"
printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' >"$root/etc/systemd/journald.conf.d/test.conf"
install -m 0755 "$here/agent.pl" "$root/usr/local/sbin/test-agent"
cat >"$root/etc/systemd/system/test-agent.service" <<'UNIT'
[Unit]
Description=runs what the tests say
After=systemd-udevd.service
Wants=dev-virtio\x2dports-test.agent.device
After=dev-virtio\x2dports-test.agent.device

[Service]
ExecStart=/usr/local/sbin/test-agent /dev/virtio-ports/test.agent
KillMode=process
UNIT
ln -s ../test-agent.service "$root/etc/systemd/system/multi-user.target.wants/"
rm -rf "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/*

# ---- the first root: loads what the disk needs, and goes there

cp "$work/busybox/bin/busybox" "$initrd/bin/"
number=10
for file in $(files_of "$root" virtio_pci virtio_blk crc32c_generic ext4); do
    cp "$file" "$initrd/modules/$((number++)).ko"
done
cat >"$initrd/init" <<'INIT'
#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t devtmpfs dev /dev
$busybox mount -t proc proc /proc
$busybox mount -t sysfs sys /sys
for module in /modules/*.ko; do
    $busybox insmod "$module"
done
until [ -b /dev/vda ]; do
    $busybox usleep 20000
done
$busybox mount -t ext4 -o noatime /dev/vda /root
$busybox mount --move /dev /root/dev
$busybox umount /proc /sys
exec $busybox switch_root /root /sbin/init
INIT
chmod +x "$initrd/init"
(cd "$initrd" && find . | cpio --quiet -o -H newc | gzip -1) >"$out/initrd.gz"

cp "$work/kernel/boot/vmlinuz-$version" "$out/vmlinuz"
rm -f "$out/root.ext4"
mke2fs -q -t ext4 -O ^has_journal -m 0 -E lazy_itable_init=1,root_owner=0:0 -L root -d "$root" "$out/root.ext4" 700M
echo "$recipe" >"$out/recipe"
