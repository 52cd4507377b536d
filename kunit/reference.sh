#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kunit/reference.sh DIR
#
# Assembler source on stdout that puts each file of DIR into the test module
# as it is, and a table of them: the suites read whatever is there whose name
# begins as they expect. See struct mmbox_reference in testing.h.
set -eu
dir=$(cd "$1" && pwd)

echo '	.section .rodata, "a"'
n=0
for file in "$dir"/*.txt "$dir"/*.tsv; do
	printf 'name%d:\t.asciz "%s"\n' $n "${file##*/}"
	printf 'text%d:\t.incbin "%s"\n\t.byte 0\n' $n "$file"
	n=$((n + 1))
done
printf '\t.section .data.rel.ro, "aw"\n\t.balign 8\n'
printf '\t.globl mmbox_references\nmmbox_references:\n'
i=0
while [ $i -lt $n ]; do
	printf '\t.quad name%d, text%d\n' $i $i
	i=$((i + 1))
done
printf '\t.quad 0, 0\n'
echo '	.section .note.GNU-stack, "", @progbits'
