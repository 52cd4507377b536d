// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: a trace.dat for `mmbox import`. trace-cmd's library may crash, as it does so
 * in a child, but then the file must be refused. The reader must accept what is imported.
 */
#include <unistd.h>

#include "convert.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *output = fuzz_output();
	struct trace_texts info = { 0 };
	struct convert_counts counts;
	struct trace_reader *reader;
	struct kmem_source *source;

	fuzz_hush();
	source = source_dat_open(fuzz_file(data, len));
	if (!source)
		return 0;
	if (!convert(source, output, &info, &counts)) {
		reader = trace_open(output);
		fuzz_expect(reader && !trace_check(reader), "what is imported can be read");
		trace_close(reader);
		unlink(output);
	}
	source->close(source);
	return 0;
}
