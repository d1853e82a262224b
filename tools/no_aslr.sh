#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# no_aslr.sh COMMAND…: runs it without address space randomisation, where that is needed and may be
# done. The sanitizers' maps of memory do not fit kernels that randomise more than 28 bits
# (vm.mmap_rnd_bits), which is 32 on many machines of today.
bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
if [ "$bits" -gt 28 ] && setarch --addr-no-randomize true 2>/dev/null; then
    exec setarch --addr-no-randomize "$@"
fi
exec "$@"
