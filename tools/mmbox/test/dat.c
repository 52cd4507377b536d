// SPDX-License-Identifier: GPL-2.0
/*
 * Small files as `trace-cmd record -e kmem` makes them, of version 6: the formats
 * of the events, then for each CPU pages of the ring buffer.
 */
#include <stdlib.h>
#include <string.h>

#include "dat.h"

#define PAGE_LEN	4096U
#define PAGE_HEADER_LEN	16U	/* time, bytes used */

struct dat_field {
	const char *type;
	const char *name;
	unsigned int offset;
	unsigned int size;
};

static const struct dat_field alloc_fields[] = {
	{ "unsigned long", "call_site", 8, 8 },
	{ "const void *", "ptr", 16, 8 },
	{ "size_t", "bytes_req", 24, 8 },
	{ "size_t", "bytes_alloc", 32, 8 },
	{ "unsigned long", "gfp_flags", 40, 8 },
	{ "int", "node", 48, 4 },
	{ 0 }
};

static const struct dat_field kfree_fields[] = {
	{ "unsigned long", "call_site", 8, 8 },
	{ "const void *", "ptr", 16, 8 },
	{ 0 }
};

static const struct dat_field cache_free_fields[] = {
	{ "unsigned long", "call_site", 8, 8 },
	{ "const void *", "ptr", 16, 8 },
	{ "__data_loc char[]", "name", 24, 4 },
	{ 0 }
};

static const struct dat_field page_alloc_fields[] = {
	{ "unsigned long", "pfn", 8, 8 },
	{ "unsigned int", "order", 16, 4 },
	{ "unsigned long", "gfp_flags", 24, 8 },
	{ "int", "migratetype", 32, 4 },
	{ 0 }
};

static const struct dat_field page_free_fields[] = {
	{ "unsigned long", "pfn", 8, 8 },
	{ "unsigned int", "order", 16, 4 },
	{ 0 }
};

static const struct dat_event {
	const char *name;
	unsigned int id;
	const struct dat_field *fields;
} events[] = {
	{ "kmalloc", 500, alloc_fields },
	{ "kmem_cache_alloc", 501, alloc_fields },
	{ "kfree", 502, kfree_fields },
	{ "kmem_cache_free", 503, cache_free_fields },
	{ "mm_page_alloc", 504, page_alloc_fields },
	{ "mm_page_free", 505, page_free_fields },
};

/* As the kernel prints them: C expressions. */
static const struct {
	const char *value;
	const char *name;
} gfp_flags[] = {
	{ "(((((gfp_t)(0x400u|0x800u)) | ((gfp_t)0x40u) | ((gfp_t)0x80u))))", "GFP_KERNEL" },
	{ "((gfp_t)0x01u)", "GFP_DMA" },
	{ "((gfp_t)0x08u)", "__GFP_MOVABLE" },
	{ "((gfp_t)0x20u)", "__GFP_HIGH" },
	{ "((gfp_t)0x40u)", "__GFP_IO" },
	{ "((gfp_t)0x80u)", "__GFP_FS" },
	{ "((gfp_t)0x100u)", "__GFP_ZERO" },
	{ "((gfp_t)0x400u)", "__GFP_DIRECT_RECLAIM" },
	{ "((gfp_t)0x800u)", "__GFP_KSWAPD_RECLAIM" },
};

static const struct dat_event *find_event(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(events[i].name, name))
			return &events[i];
	return NULL;
}

static bool has_field(const struct dat_event *event, const char *name)
{
	const struct dat_field *field;

	for (field = event->fields; field->name; field++)
		if (!strcmp(field->name, name))
			return true;
	return false;
}

static void add_field(struct bytes *text, const char *event,
		      const struct dat_field *field, const struct dat_oddity *oddity)
{
	char *offset = xasprintf("%u", field->offset);
	char *size = xasprintf("%u", field->size);
	char *line;

	if (oddity && !strcmp(oddity->event, event) &&
	    !strcmp(oddity->field, field->name)) {
		free(offset);
		free(size);
		offset = xstrdup(oddity->offset);
		size = xstrdup(oddity->size);
	}
	line = xasprintf("\tfield:%s %s;\toffset:%s;\tsize:%s;\tsigned:0;\n", field->type,
			 field->name, offset, size);
	bytes_add(text, line, strlen(line));
	free(line);
	free(offset);
	free(size);
}

static void add_text(struct bytes *bytes, const char *text)
{
	bytes_add(bytes, text, strlen(text));
}

static void add_print_flags(struct bytes *text)
{
	size_t i;

	add_text(text, "\nprint fmt: \"gfp_flags=%s\", (REC->gfp_flags) ? ");
	add_text(text, "__print_flags(REC->gfp_flags, \"|\"");
	for (i = 0; i < ARRAY_SIZE(gfp_flags); i++) {
		char *flag = xasprintf(", {(unsigned long)%s, \"%s\"}", gfp_flags[i].value,
				       gfp_flags[i].name);

		add_text(text, flag);
		free(flag);
	}
	add_text(text, ") : \"none\"");
}

char *dat_format(const char *name, const struct dat_oddity *oddity)
{
	static const struct dat_field common[] = {
		{ "unsigned short", "common_type", 0, 2 },
		{ "unsigned char", "common_flags", 2, 1 },
		{ "unsigned char", "common_preempt_count", 3, 1 },
		{ "int", "common_pid", 4, 4 },
	};
	const struct dat_event *event = find_event(name);
	const struct dat_field *field;
	struct bytes text = { 0 };
	char *head;
	size_t i;

	if (!event)
		return NULL;
	head = xasprintf("name: %s\nID: %u\nformat:\n", name, event->id);
	add_text(&text, head);
	free(head);
	for (i = 0; i < ARRAY_SIZE(common); i++)
		add_field(&text, name, &common[i], oddity);
	add_text(&text, "\n");
	for (field = event->fields; field->name; field++)
		add_field(&text, name, field, oddity);
	if (has_field(event, "gfp_flags")) {
		add_print_flags(&text);
	} else {
		add_text(&text, "\nprint fmt: \"%lx\", REC->");
		add_text(&text, event->fields[0].name);
	}
	bytes_add(&text, "\n", 2);	/* including its 0 */
	return (char *)text.data;
}

static void put(uint8_t *raw, unsigned int offset, const void *value, size_t size)
{
	memcpy(raw + offset, value, size);
}

void dat_raw(uint8_t *raw, const struct dat_record *record)
{
	const struct dat_event *event = find_event(record->event);
	uint16_t id = event->id;
	uint32_t loc;

	memset(raw, 0, DAT_RECORD_LEN);
	put(raw, 0, &id, sizeof(id));
	if (has_field(event, "pfn")) {
		put(raw, 8, &record->pfn, 8);
		put(raw, 16, &record->order, 4);
		put(raw, 24, &record->gfp, 8);
		return;
	}
	put(raw, 8, &record->call_site, 8);
	put(raw, 16, &record->ptr, 8);
	if (has_field(event, "name")) {
		loc = (strlen(record->name) + 1) << 16 | 28;
		put(raw, 24, &loc, 4);
		put(raw, 28, record->name, strlen(record->name) + 1);
	} else if (has_field(event, "bytes_req")) {
		put(raw, 24, &record->bytes_req, 8);
		put(raw, 32, &record->bytes_alloc, 8);
		put(raw, 40, &record->gfp, 8);
		memset(raw + 48, 0xff, 4);	/* any node */
	}
}

static void add_u32(struct bytes *file, uint32_t value)
{
	bytes_add(file, &value, sizeof(value));
}

static void add_u64(struct bytes *file, uint64_t value)
{
	bytes_add(file, &value, sizeof(value));
}

static void add_sized(struct bytes *file, const char *text)
{
	add_u64(file, strlen(text));
	add_text(file, text);
}

static void add_formats(struct bytes *file, const struct dat_oddity *oddity)
{
	size_t i;

	bytes_add(file, "kmem", 5);
	add_u32(file, ARRAY_SIZE(events));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		char *format = dat_format(events[i].name, oddity);

		add_sized(file, format);
		free(format);
	}
}

/* A page of the ring buffer with as many of the records as go into it. */
static unsigned int add_page(struct bytes *file, const struct dat_record *records,
			     unsigned int nr)
{
	unsigned int fit = (PAGE_LEN - PAGE_HEADER_LEN) / (4 + DAT_RECORD_LEN), i;
	size_t end = file->len + PAGE_LEN;

	if (nr > fit)
		nr = fit;
	add_u64(file, 1000);
	add_u64(file, (uint64_t)nr * (4 + DAT_RECORD_LEN));
	for (i = 0; i < nr; i++) {
		uint8_t raw[DAT_RECORD_LEN];

		dat_raw(raw, &records[i]);
		/* words of data, and 10 ns since the record before */
		add_u32(file, DAT_RECORD_LEN / 4 | 10 << 5);
		bytes_add(file, raw, sizeof(raw));
	}
	while (file->len < end)
		bytes_add(file, "", 1);
	return nr;
}

void dat_file(struct bytes *file, const struct dat_record *records, unsigned int nr,
	      const struct dat_oddity *oddity)
{
	size_t at_pages, begin;
	unsigned int done = 0;
	uint64_t len;

	bytes_add(file, "\x17\x08\x44tracing6", 12);
	bytes_add(file, "\0\x8", 2);	/* byte order, bytes of a long */
	add_u32(file, PAGE_LEN);
	bytes_add(file, "header_page", 12);
	add_sized(file, "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
			"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
			"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
			"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n");
	bytes_add(file, "header_event", 13);
	add_u64(file, 0);
	add_u32(file, 0);		/* events of ftrace's own */
	add_u32(file, 1);		/* systems of events */
	add_formats(file, oddity);
	add_u32(file, 0);		/* kernel symbols */
	add_u32(file, 0);		/* printk formats */
	add_u64(file, 0);		/* names of tasks */
	add_u32(file, 1);		/* CPUs */
	bytes_add(file, "options  ", 10);
	bytes_add(file, "\0", 2);	/* no more of them */
	bytes_add(file, "flyrecord", 10);
	at_pages = file->len;
	add_u64(file, 0);
	add_u64(file, 0);
	while (file->len % PAGE_LEN)
		bytes_add(file, "", 1);
	begin = file->len;
	while (done < nr)
		done += add_page(file, records + done, nr - done);
	len = file->len - begin;
	memcpy(file->data + at_pages, &begin, 8);
	memcpy(file->data + at_pages + 8, &len, 8);
}
