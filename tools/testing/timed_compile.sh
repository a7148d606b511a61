#!/usr/bin/env bash
# Stands between ccache and the compiler (CCACHE_PREFIX): runs the compile and appends "user-seconds system-seconds object"
# to PICKET_COMPILE_LOG. CPU seconds, since wall time says more about what else the machine does.
exec 3>&1 4>&2
cpu=$({ TIMEFORMAT='%U %S'; time "$@" 1>&3 2>&4; } 2>&1)
status=$?
object=
previous=
for argument in "$@"; do
  [ "$previous" = -o ] && object=$argument
  previous=$argument
done
echo "$cpu $object" >>"$PICKET_COMPILE_LOG"
exit "$status"
