// SPDX-License-Identifier: GPL-2.0
/* Runs a fuzz target over the files that are named, without libFuzzer. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "util.h"

int main(int argc, char **argv)
{
	static uint8_t data[1 << 20];
	int i;

	for (i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		uint8_t *exact;
		size_t len;

		if (!file) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		len = fread(data, 1, sizeof(data), file);
		fclose(file);
		exact = xmalloc(len);
		mempcpy(exact, data, len);
		LLVMFuzzerTestOneInput(exact, len);
		free(exact);
	}
	return EXIT_SUCCESS;
}
