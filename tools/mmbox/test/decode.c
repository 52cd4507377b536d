// SPDX-License-Identifier: GPL-2.0
/*
 * Decoding raw records of kmem events, and importing files of trace-cmd: valid ones, and
 * ones that an attacker would make. With SANITIZE=1 a read beyond a record ends the
 * program.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event-parse.h>
#include <uapi/mmbox.h>

#include "convert.h"
#include "dat.h"
#include "ok.h"
#include "source.h"
#include "unit.h"

static const struct dat_record sample[] = {
	{ .event = "kmalloc", .ptr = 0x1000, .call_site = 7, .bytes_req = 60,
	  .bytes_alloc = 64, .gfp = 0xcc0 },
	{ .event = "kmem_cache_alloc", .ptr = 0x2000, .call_site = 8, .bytes_req = 192,
	  .bytes_alloc = 192, .gfp = 0x920 },
	{ .event = "mm_page_alloc", .pfn = 0x77, .order = 2, .gfp = 0x1 },
	{ .event = "kmem_cache_free", .ptr = 0x2000, .name = "dentry" },
	{ .event = "kfree", .ptr = 0x1000 },
	{ .event = "mm_page_free", .pfn = 0x77, .order = 2 },
};

static struct kmem_decoder *new_decoder(struct tep_handle **tep)
{
	struct kmem_decoder *decoder;
	size_t i;

	*tep = tep_alloc();
	tep_set_long_size(*tep, 8);
	tep_set_page_size(*tep, 4096);
	for (i = 0; i < ARRAY_SIZE(sample); i++) {
		char *format = dat_format(sample[i].event, NULL);

		if (tep_parse_event(*tep, format, strlen(format), "kmem"))
			abort();
		free(format);
	}
	decoder = decoder_create(*tep);
	if (!decoder)
		abort();
	return decoder;
}

/* Decodes a record in an allocation of exactly its size. */
static int decode(struct kmem_decoder *decoder, const uint8_t *raw, size_t len,
		  struct kmem_event *event)
{
	uint8_t *copy = xmalloc(len);
	int got;

	memcpy(copy, raw, len);
	*event = (struct kmem_event){ 0 };
	got = decoder_decode(decoder, copy, len, event);
	free(copy);
	return got;
}

static void test_records(struct kmem_decoder *decoder)
{
	uint8_t raw[DAT_RECORD_LEN];
	struct kmem_event event;
	bool same = true;

	dat_raw(raw, &sample[0]);
	same &= decode(decoder, raw, sizeof(raw), &event) == 1 &&
		event.kind == KMEM_KMALLOC && event.ptr == 0x1000 &&
		event.call_site == 7 && event.bytes_req == 60 &&
		event.bytes_alloc == 64 && event.gfp == MMBOX_GFP_KERNEL &&
		event.node == -1;
	dat_raw(raw, &sample[1]);
	same &= decode(decoder, raw, sizeof(raw), &event) == 1 &&
		event.kind == KMEM_CACHE_ALLOC && !event.name &&
		event.gfp == (MMBOX_GFP_ATOMIC | MMBOX_GFP_ZERO);
	dat_raw(raw, &sample[2]);
	same &= decode(decoder, raw, sizeof(raw), &event) == 1 &&
		event.kind == KMEM_PAGE_ALLOC && event.pfn == 0x77 &&
		event.order == 2 && event.gfp == MMBOX_GFP_DMA;
	dat_raw(raw, &sample[3]);
	same &= decode(decoder, raw, sizeof(raw), &event) == 1 &&
		event.kind == KMEM_CACHE_FREE && event.name &&
		!strcmp(event.name, "dentry");
	raw[0]++;
	raw[1]++;
	same &= !decode(decoder, raw, sizeof(raw), &event);
	ok(same, "records of Linux 6.1 become events");
}

/* A record of each kind, cut short at any byte. */
static void test_short_records(struct kmem_decoder *decoder)
{
	static const size_t needed[] = { 52, 52, 32, 28, 24, 20 };
	unsigned int wrong = 0;
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(sample); i++) {
		uint8_t raw[DAT_RECORD_LEN];
		struct kmem_event event;

		dat_raw(raw, &sample[i]);
		for (len = 0; len <= sizeof(raw); len++)
			wrong += decode(decoder, raw, len, &event) !=
				 (len < needed[i] ? -1 : 1);
	}
	ok(!wrong, "a record that is too short makes no sense (%u times it did)", wrong);
}

/* The offset of a name may be anything: the name is used only if it is in the record. */
static void test_name_places(struct kmem_decoder *decoder)
{
	static const unsigned int numbers[] = { 0, 1, 27, 28, 55, 56, 57, 0x7fff, 0xffff };
	uint8_t raw[DAT_RECORD_LEN];
	unsigned int wrong = 0;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (j = 0; j < ARRAY_SIZE(numbers); j++) {
			uint32_t loc = numbers[j] << 16 | numbers[i];
			struct kmem_event event;

			dat_raw(raw, &sample[3]);
			memset(raw + 28, 'x', sizeof(raw) - 28);
			memcpy(raw + 24, &loc, sizeof(loc));
			wrong += decode(decoder, raw, sizeof(raw), &event) != 1;
			wrong += event.name && numbers[i] + numbers[j] > sizeof(raw);
		}
	}
	ok(!wrong, "a name that lies outside of its record is none (%u times it was)", wrong);
}

/* 0 if the file is imported; the trace is then at the path "imported". */
static int import(const struct dat_oddity *oddity)
{
	char *from = path_of("trace.dat"), *to = path_of("imported");
	struct trace_texts info = { 0 };
	struct convert_counts counts;
	struct bytes file = { 0 };
	struct kmem_source *source;
	int err = -1;

	dat_file(&file, sample, ARRAY_SIZE(sample), oddity);
	write_file(from, file.data, file.len);
	bytes_free(&file);
	source = source_dat_open(from);
	if (source) {
		err = convert(source, to, &info, &counts);
		source->close(source);
		if (!err && counts.events_read != ARRAY_SIZE(sample))
			err = -2;
		unlink(to);
	}
	unlink(from);
	free(from);
	free(to);
	return err;
}

static void test_oddities(void)
{
	static const struct {
		const char *event, *field;
	} fields[] = {
		{ "kmalloc", "ptr" },
		{ "kmalloc", "bytes_req" },
		{ "kmalloc", "gfp_flags" },
		{ "kmem_cache_alloc", "call_site" },
		{ "kmem_cache_free", "name" },
		{ "kfree", "ptr" },
		{ "mm_page_alloc", "pfn" },
		{ "mm_page_free", "order" },
		{ "kmalloc", "common_type" },
	};
	static const struct {
		const char *offset, *size;
	} places[] = {
		{ "4294967288", "8" }, { "4294967292", "4" }, { "4294967294", "2" },
		{ "4294967295", "1" }, { "2147483640", "8" }, { "65536", "8" },
		{ "8", "4294967288" }, { "8", "2147483647" }, { "8", "3" },
		{ "8", "9" }, { "4294967288", "4294967288" },
	};
	unsigned int accepted = 0, silent = 0;
	const char *text;
	size_t i, j;
	int err;

	hush();
	err = import(NULL);
	said();
	ok(!err, "a file of trace-cmd is imported");
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		for (j = 0; j < ARRAY_SIZE(places); j++) {
			struct dat_oddity oddity = {
				fields[i].event, fields[i].field,
				places[j].offset, places[j].size,
			};

			hush();
			err = import(&oddity);
			text = said();
			accepted += !err;
			silent += !strstr(text, fields[i].field);
		}
	}
	ok(!accepted, "a field where no record can have it is refused (%u were not)", accepted);
	ok(!silent, "such a field is named (%u times not)", silent);
}

/* Every line begins as a message of mmbox, also those of libraries. */
static bool all_are_messages(const char *text)
{
	while (*text) {
		if (strncmp(text, "mmbox: ", 7))
			return false;
		text = strchr(text, '\n') + 1;
	}
	return true;
}

static void test_cut(void)
{
	char *path = path_of("cut.dat");
	unsigned int foreign = 0, accepted = 0;
	struct bytes file = { 0 };
	size_t len, first;

	dat_file(&file, sample, ARRAY_SIZE(sample), NULL);
	/* all but the page of records at the end */
	first = file.len - 4096;
	for (len = 0; len < first; len += 23) {
		struct kmem_source *source;

		write_file(path, file.data, len);
		hush();
		source = source_dat_open(path);
		foreign += !all_are_messages(said());
		if (source) {
			accepted++;
			source->close(source);
		}
	}
	ok(!accepted, "a file of trace-cmd that is cut short is refused (%u were not)", accepted);
	ok(!foreign, "its library speaks through mmbox (%u times not)", foreign);
	bytes_free(&file);
	unlink(path);
	free(path);
}

void test_decode(void)
{
	struct tep_handle *tep;
	struct kmem_decoder *decoder = new_decoder(&tep);

	test_records(decoder);
	test_short_records(decoder);
	test_name_places(decoder);
	decoder_destroy(decoder);
	tep_free(tep);
	test_oddities();
	test_cut();
}
