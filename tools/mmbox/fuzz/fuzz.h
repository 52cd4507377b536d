/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * Tests one input. Each target defines this for libFuzzer, or main() of alone.c. It ends
 * the program if the input shows a mistake.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A path of a file with these bytes, valid until the next call. */
const char *fuzz_file(const uint8_t *data, size_t len);
/* A path to which a file may be written; it is removed at the next call. */
const char *fuzz_output(void);
/* Corrects all checksums of a trace file. */
void fuzz_fix_checksums(uint8_t *data, size_t len);
/* Drops all messages from now on. */
void fuzz_hush(void);
/* Ends the program with a message unless is_so. */
void fuzz_expect(int is_so, const char *what);

#endif /* FUZZ_H */
