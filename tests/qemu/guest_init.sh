#!/bin/busybox sh
# PID 1 of the emulated machine: makes it a small device, then runs what the host sends, one command a line in base64. Emulated
# serial lines lose input now and then: a line is said back ("@GOT LINE") and runs only after "go". Answer: "@BEGIN N", the output
# in base64, "@END N CODE".
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /usr/bin /usr/sbin /sbin /var/log /var/lib /etc/picket-agent /root
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devpts pts /dev/pts
mount -t tmpfs -o size=32m tmp /tmp
mount -t tmpfs -o size=16m run /run
mount -t tmpfs -o size=32m lib /var/lib
mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup /sys/fs/cgroup 2>/dev/null
mount -t tracefs trace /sys/kernel/tracing 2>/dev/null
dmesg -n 1 2>/dev/null
while read -r module; do
  insmod "/modules/$module" || echo "insmod $module failed"
done </modules/order
ifconfig lo 127.0.0.1 up
ip -6 addr add ::1/128 dev lo 2>/dev/null
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up && route add default gw 10.0.2.2
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
stty raw -echo
echo "@READY"
while read -r number line; do
  echo "@GOT $number $line"
  read -r verdict
  [ "$verdict" = "go$number" ] || continue
  echo "$line" | base64 -d >/run/command
  sh /run/command >/run/output 2>&1 </dev/null
  code=$?
  echo "@BEGIN $number"
  base64 /run/output
  echo "@END $number $code"
done
poweroff -f
