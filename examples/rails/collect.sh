#!/bin/sh
# collect.sh DESTINATION PATH...: copies files and directories to DESTINATION, and from /usr/lib exactly the shared libraries that the
# programs and extensions among them are linked against. The C library is left out: the last stage starts with it.
set -eu
to=$1
shift
mkdir -p "$to"
tar -C / --exclude='*.a' --exclude='*.h' --exclude=doc --exclude=man -cf - "$@" | tar -C "$to" -xf -
dpkg -L libc6 | xargs -n 1 realpath -q | sort -u >/tmp/libc
find "$to" -type f \( -perm /111 -o -name '*.so*' \) -exec sh -c 'ldd "$1" 2>/dev/null || true' sh {} \; |
  sed -n 's/.* => \(\/[^ ]*\) (.*/\1/p' | sort -u | while read -r library; do
    real=$(realpath "$library")
    grep -qxF "$real" /tmp/libc && continue
    # Under the name that programs ask for, as one file.
    mkdir -p "$to/usr/lib/x86_64-linux-gnu"
    cp "$real" "$to/usr/lib/x86_64-linux-gnu/$(basename "$library")"
  done
