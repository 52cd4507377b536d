/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of test/unit share. */
#ifndef TEST_UNIT_H
#define TEST_UNIT_H

/* A path in the folder of the tests; the caller frees it. */
char *path_of(const char *name);
/* Redirects stderr to a file. */
void hush(void);
/* Restores stderr. Returns what was written since hush(), valid until the next call. */
const char *said(void);
/* Writes the bytes, or ends the program. */
void write_file(const char *path, const void *data, size_t len);

/* 0 if the file reads to its end. */
int read_all(const char *path);

/* refused.c: invalid trace files */
void test_refused(void);
/* decode.c: raw records of kmem events, and files of trace-cmd */
void test_decode(void);

#endif /* TEST_UNIT_H */
