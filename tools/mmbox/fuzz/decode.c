// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: raw records of kmem events, whose formats may be changed, are decoded and
 * converted to a trace file. The reader must accept the file.
 *
 * An input begins with four bytes that choose the change. Each record has a byte with its
 * CPU and whether it is cut short, 7 bytes for the event, and all its fields.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event-parse.h>

#include "convert.h"
#include "fuzz.h"
#include "test/dat.h"

#define NR_LANES		4
#define RECORD_LEN	(1 + DAT_RECORD_LEN)

static const char *const events[] = {
	"kmalloc", "kmem_cache_alloc", "kfree", "kmem_cache_free", "mm_page_alloc",
	"mm_page_free",
};

static const char *const fields[] = {
	"ptr", "call_site", "bytes_req", "bytes_alloc", "gfp_flags", "node", "name", "pfn",
	"order", "common_type",
};

struct fuzz_source {
	struct kmem_source source;
	struct kmem_decoder *decoder;
	const uint8_t *data;
	size_t len;
	size_t pos;
	uint64_t ts;
};

/* The next valid record. Each is in an allocation of exactly its size. */
static int fuzz_next(struct kmem_source *source, struct kmem_event *event)
{
	struct fuzz_source *fuzz = (struct fuzz_source *)source;

	while (fuzz->len - fuzz->pos >= RECORD_LEN) {
		const uint8_t *data = fuzz->data + fuzz->pos;
		size_t len = data[0] & 0x80 ? DAT_RECORD_LEN - (data[0] >> 2 & 31) :
					      DAT_RECORD_LEN;
		uint8_t *record = xmalloc(len);
		int got;

		fuzz->pos += RECORD_LEN;
		memcpy(record, data + 1, len);
		memset(event, 0, sizeof(*event));
		event->cpu = data[0] % NR_LANES;
		event->ts = fuzz->ts;
		fuzz->ts += data[4];
		got = decoder_decode(fuzz->decoder, record, len, event);
		free(record);
		if (got > 0)
			return 1;
	}
	return 0;
}

static int fuzz_rewind(struct kmem_source *source)
{
	struct fuzz_source *fuzz = (struct fuzz_source *)source;

	fuzz->pos = 0;
	fuzz->ts = 0;
	return 0;
}

static void fuzz_convert(struct kmem_decoder *decoder, const uint8_t *data, size_t len)
{
	struct fuzz_source fuzz = {
		.source = {
			.page_size = 4096,
			.nr_cpus = NR_LANES,
			.next = fuzz_next,
			.rewind = fuzz_rewind,
		},
		.decoder = decoder,
		.data = data,
		.len = len,
	};
	const char *output = fuzz_output();
	struct trace_texts info = { 0 };
	struct convert_counts counts;
	struct trace_reader *reader;

	if (convert(&fuzz.source, output, &info, &counts))
		return;
	reader = trace_open(output);
	fuzz_expect(reader && !trace_check(reader), "what is converted can be read");
	trace_close(reader);
	unlink(output);
}

/* A decoder for the formats, in one of which a field is moved. */
static struct kmem_decoder *new_decoder(struct tep_handle *tep, const uint8_t *head)
{
	static const char *const offsets[] = {
		"0", "8", "48", "55", "56", "255", "65535", "65536", "2147483647",
		"4294967288", "4294967295",
	};
	static const char *const sizes[] = { "1", "2", "4", "8", "0", "3", "4294967288" };
	struct dat_oddity oddity = {
		.event = events[head[0] % ARRAY_SIZE(events)],
		.field = head[1] % 16 < ARRAY_SIZE(fields) ? fields[head[1] % 16] : "",
		.offset = offsets[head[2] % ARRAY_SIZE(offsets)],
		.size = sizes[head[3] % ARRAY_SIZE(sizes)],
	};
	size_t i;

	tep_set_long_size(tep, 8);
	tep_set_page_size(tep, 4096);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		char *format = dat_format(events[i], &oddity);

		tep_parse_event(tep, format, strlen(format), "kmem");
		free(format);
	}
	return decoder_create(tep);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct kmem_decoder *decoder;
	struct tep_handle *tep;

	fuzz_hush();
	if (len < 4)
		return 0;
	tep = tep_alloc();
	decoder = new_decoder(tep, data);
	if (decoder) {
		fuzz_convert(decoder, data + 4, len - 4);
		decoder_destroy(decoder);
	}
	tep_free(tep);
	return 0;
}
