/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * One input. Each target has this; libFuzzer calls it, or main() of alone.c. An
 * input that shows a mistake ends the program.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A path at which the bytes can be opened, until the next call. */
const char *fuzz_file(const uint8_t *data, size_t len);
/* A path to which a file may be written; it is removed at the next call. */
const char *fuzz_output(void);
/* Sets right all checksums of a trace file, as far as it has blocks. */
void fuzz_fix_checksums(uint8_t *data, size_t len);
/* From now on nothing that is said is seen. */
void fuzz_hush(void);
/* Ends the program, with what should have been. */
void fuzz_expect(int is_so, const char *what);

#endif /* FUZZ_H */
