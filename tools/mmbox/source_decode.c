// SPDX-License-Identifier: GPL-2.0
/*
 * The kmem events of a kernel, from raw records to struct kmem_event. Where a
 * field lies and what a GFP bit means differs from kernel to kernel; both come
 * from the formats that the kernel gave along with the records.
 */
#include <stdlib.h>
#include <string.h>

#include <event-parse.h>
#include <trace-seq.h>
#include <uapi/mmbox.h>

#include "source.h"
#include "util.h"

const char *const kmem_event_names[] = {
	"kmalloc", "kmalloc_node", "kmem_cache_alloc", "kmem_cache_alloc_node",
	"kfree", "kmem_cache_free", "mm_page_alloc", "mm_page_free", NULL,
};

static const enum kmem_kind kinds[] = {
	KMEM_KMALLOC, KMEM_KMALLOC, KMEM_CACHE_ALLOC, KMEM_CACHE_ALLOC,
	KMEM_KFREE, KMEM_CACHE_FREE, KMEM_PAGE_ALLOC, KMEM_PAGE_FREE,
};

#define NR_EVENTS	ARRAY_SIZE(kinds)

/* Where a field lies in a record; size 0: nowhere. */
struct field {
	unsigned int offset;	/* bytes */
	unsigned int size;	/* bytes */
	bool is_relative;	/* a string's offset counts from behind the field */
};

struct event_fields {
	int id;			/* -1: the kernel has no such event */
	enum kmem_kind kind;
	struct field ptr, call_site, bytes_req, bytes_alloc, gfp, node, name;
	struct field pfn, order;
};

struct kmem_decoder {
	struct field type;			/* which event a record is of */
	struct event_fields events[NR_EVENTS];
	uint32_t gfp_of_bit[64];		/* MMBOX_GFP_*, by the kernel's bit */
	char name[64];				/* of the cache of the latest event */
};

/* Names that a single bit may have. */
static const struct {
	const char *name;
	uint32_t gfp;
} gfp_names[] = {
	{ "GFP_DMA",			MMBOX_GFP_DMA },
	{ "__GFP_DMA",			MMBOX_GFP_DMA },
	{ "__GFP_HIGHMEM",		MMBOX_GFP_HIGHMEM },
	{ "GFP_DMA32",			MMBOX_GFP_DMA32 },
	{ "__GFP_DMA32",		MMBOX_GFP_DMA32 },
	{ "__GFP_MOVABLE",		MMBOX_GFP_MOVABLE },
	{ "__GFP_RECLAIMABLE",		MMBOX_GFP_RECLAIMABLE },
	{ "__GFP_HIGH",			MMBOX_GFP_HIGH },
	{ "__GFP_IO",			MMBOX_GFP_IO },
	{ "__GFP_FS",			MMBOX_GFP_FS },
	{ "__GFP_ZERO",			MMBOX_GFP_ZERO },
	{ "__GFP_DIRECT_RECLAIM",	MMBOX_GFP_DIRECT_RECLAIM },
	{ "GFP_NOWAIT",			MMBOX_GFP_KSWAPD_RECLAIM },
	{ "__GFP_KSWAPD_RECLAIM",	MMBOX_GFP_KSWAPD_RECLAIM },
	{ "__GFP_WRITE",		MMBOX_GFP_WRITE },
	{ "__GFP_NOWARN",		MMBOX_GFP_NOWARN },
	{ "__GFP_RETRY_MAYFAIL",	MMBOX_GFP_RETRY_MAYFAIL },
	{ "__GFP_NORETRY",		MMBOX_GFP_NORETRY },
	{ "__GFP_COMP",			MMBOX_GFP_COMP },
	{ "__GFP_NOMEMALLOC",		MMBOX_GFP_NOMEMALLOC },
	{ "__GFP_HARDWALL",		MMBOX_GFP_HARDWALL },
	{ "__GFP_THISNODE",		MMBOX_GFP_THISNODE },
};

/* ---- learning the formats ---- */

static struct field field_of(struct tep_event *event, const char *name)
{
	struct tep_format_field *field = tep_find_any_field(event, name);

	if (!field)
		return (struct field){ 0 };
	return (struct field){
		.offset = field->offset,
		.size = field->size,
		.is_relative = field->flags & TEP_FIELD_IS_RELATIVE,
	};
}

static bool learn_event(struct tep_handle *tep, struct event_fields *fields,
			const char *name)
{
	struct tep_event *event = tep_find_event_by_name(tep, "kmem", name);

	fields->id = -1;
	if (!event)
		return true;
	fields->id = event->id;
	fields->ptr = field_of(event, "ptr");
	fields->call_site = field_of(event, "call_site");
	fields->bytes_req = field_of(event, "bytes_req");
	fields->bytes_alloc = field_of(event, "bytes_alloc");
	fields->gfp = field_of(event, "gfp_flags");
	fields->node = field_of(event, "node");
	fields->name = field_of(event, "name");
	fields->pfn = field_of(event, "pfn");
	fields->order = field_of(event, "order");

	switch (fields->kind) {
	case KMEM_KMALLOC:
	case KMEM_CACHE_ALLOC:
		if (fields->ptr.size && fields->bytes_req.size &&
		    fields->bytes_alloc.size && fields->gfp.size)
			return true;
		break;
	case KMEM_KFREE:
	case KMEM_CACHE_FREE:
		if (fields->ptr.size)
			return true;
		break;
	case KMEM_PAGE_ALLOC:
	case KMEM_PAGE_FREE:
		if (fields->pfn.size && fields->order.size)
			return true;
		break;
	}
	warn("the format of kmem:%s lacks a field that is needed", name);
	return false;
}

/* What the kernel calls a bit: have a record printed that has just this one. */
static uint32_t learn_bit(struct tep_event *event, const struct field *type,
			  const struct field *gfp, unsigned int bit)
{
	uint8_t data[256] = { 0 };
	uint64_t flags = (uint64_t)1 << bit, id = event->id;
	struct tep_record record = { .data = data, .size = sizeof(data) };
	struct trace_seq seq;
	uint32_t found = 0;
	const char *text;
	size_t i, len;

	memcpy(data + type->offset, &id, type->size);
	memcpy(data + gfp->offset, &flags, gfp->size);
	trace_seq_init(&seq);
	tep_print_event(event->tep, &seq, &record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	text = strstr(seq.buffer, "gfp_flags=");
	if (text) {
		text += strlen("gfp_flags=");
		len = strcspn(text, " |");
		for (i = 0; i < ARRAY_SIZE(gfp_names); i++)
			if (strlen(gfp_names[i].name) == len &&
			    !strncmp(gfp_names[i].name, text, len))
				found = gfp_names[i].gfp;
	}
	trace_seq_destroy(&seq);
	return found;
}

static bool learn_gfp(struct tep_handle *tep, struct kmem_decoder *decoder)
{
	uint32_t known = 0;
	unsigned int bit;
	size_t i;

	for (i = 0; i < NR_EVENTS; i++) {
		const struct event_fields *fields = &decoder->events[i];
		struct tep_event *event;

		/* learn_bit() makes up a short record */
		if (fields->id < 0 || !fields->gfp.size || fields->gfp.size > 8 ||
		    fields->gfp.offset > 128)
			continue;
		event = tep_find_event(tep, fields->id);
		for (bit = 0; bit < 8 * fields->gfp.size; bit++) {
			decoder->gfp_of_bit[bit] |= learn_bit(event, &decoder->type,
							      &fields->gfp, bit);
			known |= decoder->gfp_of_bit[bit];
		}
	}
	if ((known & MMBOX_GFP_KERNEL) == MMBOX_GFP_KERNEL)
		return true;
	warn("the kmem events do not tell what their GFP flags mean");
	return false;
}

struct kmem_decoder *decoder_create(struct tep_handle *tep)
{
	struct kmem_decoder *decoder = xzalloc(sizeof(*decoder));
	struct tep_event *first = NULL;
	size_t i;

	if (tep_is_file_bigendian(tep) != tep_is_local_bigendian(tep)) {
		warn("recorded on a machine of the other byte order");
		goto fail;
	}
	for (i = 0; i < NR_EVENTS; i++) {
		decoder->events[i].kind = kinds[i];
		if (!learn_event(tep, &decoder->events[i], kmem_event_names[i]))
			goto fail;
		if (!first && decoder->events[i].id >= 0)
			first = tep_find_event(tep, decoder->events[i].id);
	}
	if (!first) {
		warn("no kmem events in it: record with `-e kmem`");
		goto fail;
	}
	decoder->type = field_of(first, "common_type");
	if (!decoder->type.size || decoder->type.size > 8 ||
	    decoder->type.offset > 128 || !learn_gfp(tep, decoder))
		goto fail;
	return decoder;

fail:
	decoder_destroy(decoder);
	return NULL;
}

void decoder_destroy(struct kmem_decoder *decoder)
{
	free(decoder);
}

/* ---- decoding ---- */

static uint64_t value_of(const struct field *field, const uint8_t *data, int size)
{
	uint64_t value = 0;

	if (!field->size || field->size > 8 ||
	    field->offset + field->size > (unsigned int)size)
		return 0;
	memcpy(&value, data + field->offset, field->size);
	return value;
}

static uint32_t gfp_of(const struct kmem_decoder *decoder, uint64_t flags)
{
	uint32_t gfp = 0;

	for (; flags; flags &= flags - 1)
		gfp |= decoder->gfp_of_bit[__builtin_ctzll(flags)];
	return gfp;
}

static const char *name_of(struct kmem_decoder *decoder, const struct field *field,
			   const uint8_t *data, int size)
{
	uint32_t loc = value_of(field, data, size);
	unsigned int offset = loc & 0xffff, len = loc >> 16;

	if (field->is_relative)
		offset += field->offset + field->size;
	if (!field->size || !len || offset + len > (unsigned int)size)
		return NULL;
	if (len > sizeof(decoder->name))
		len = sizeof(decoder->name);
	memcpy(decoder->name, data + offset, len);
	decoder->name[len - 1] = 0;
	return decoder->name[0] ? decoder->name : NULL;
}

static const struct event_fields *find_event(const struct kmem_decoder *decoder,
					     int id)
{
	size_t i;

	for (i = 0; i < NR_EVENTS; i++)
		if (decoder->events[i].id == id)
			return &decoder->events[i];
	return NULL;
}

int decoder_decode(struct kmem_decoder *decoder, const void *data, int size,
		   struct kmem_event *event)
{
	const struct event_fields *fields;

	if (size < (int)(decoder->type.offset + decoder->type.size))
		return -1;
	fields = find_event(decoder, value_of(&decoder->type, data, size));
	if (!fields)
		return 0;
	event->kind = fields->kind;
	event->ptr = value_of(&fields->ptr, data, size);
	event->call_site = value_of(&fields->call_site, data, size);
	event->bytes_req = value_of(&fields->bytes_req, data, size);
	event->bytes_alloc = value_of(&fields->bytes_alloc, data, size);
	event->gfp = gfp_of(decoder, value_of(&fields->gfp, data, size));
	event->node = fields->node.size ?
		      (int32_t)value_of(&fields->node, data, size) : -1;
	event->name = name_of(decoder, &fields->name, data, size);
	event->pfn = value_of(&fields->pfn, data, size);
	event->order = value_of(&fields->order, data, size);
	return 1;
}
