// SPDX-License-Identifier: GPL-2.0
/*
 * Decodes raw records of kmem events to struct kmem_event. Offsets of fields and the
 * meaning of GFP bits differ between kernels. Both come from the format files that the
 * kernel has for its events.
 */
#include <stdlib.h>
#include <string.h>

#include <event-parse.h>
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

/* Where a field is in a record. Size 0: the kernel does not have it. */
struct field {
	size_t offset;		/* bytes, below RECORD_LEN_MAX */
	size_t size;		/* bytes, at most 8 */
	bool is_relative;	/* a string's offset counts from behind the field */
};

struct event_fields {
	int id;			/* -1: the kernel has no such event */
	enum kmem_kind kind;
	struct field ptr, call_site, bytes_req, bytes_alloc, gfp, node, name;
	struct field pfn, order;
	size_t len;		/* least length of a record, in bytes */
};

struct kmem_decoder {
	struct field type;			/* id of a record's event */
	struct event_fields events[NR_EVENTS];
	uint32_t gfp_of_bit[64];		/* MMBOX_GFP_*, by the kernel's bit */
	char name[64];				/* of the cache of the latest event */
};

/* Names of single bits. */
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

#define RECORD_LEN_MAX	65536	/* bytes; no buffer page is larger */

/*
 * Finds a field. Its size is 0 if there is none. False, after a message, if the format
 * is impossible.
 */
static bool find_field(struct tep_event *event, const char *name, struct field *found)
{
	struct tep_format_field *field = tep_find_any_field(event, name);

	*found = (struct field){ 0 };
	/* a name that is an address or an array cannot be read */
	if (!field || (!strcmp(name, "name") && !(field->flags & TEP_FIELD_IS_DYNAMIC)))
		return true;
	if (field->offset < 0 || field->offset >= RECORD_LEN_MAX ||
	    (field->size != 1 && field->size != 2 && field->size != 4 &&
	     field->size != 8)) {
		warn("the format of kmem:%s makes no sense: %s has %d bytes at byte %d",
		     event->name, name, field->size, field->offset);
		return false;
	}
	found->offset = field->offset;
	found->size = field->size;
	found->is_relative = field->flags & TEP_FIELD_IS_RELATIVE;
	return true;
}

static bool has_fields(const struct event_fields *fields)
{
	switch (fields->kind) {
	case KMEM_KMALLOC:
	case KMEM_CACHE_ALLOC:
		return fields->ptr.size && fields->bytes_req.size &&
		       fields->bytes_alloc.size && fields->gfp.size;
	case KMEM_KFREE:
	case KMEM_CACHE_FREE:
		return fields->ptr.size;
	case KMEM_PAGE_ALLOC:
	case KMEM_PAGE_FREE:
		return fields->pfn.size && fields->order.size;
	}
	return false;
}

static bool learn_event(struct tep_handle *tep, struct event_fields *fields,
			const char *name)
{
	struct tep_event *event = tep_find_event_by_name(tep, "kmem", name);
	const struct {
		const char *name;
		struct field *field;
	} list[] = {
		{ "ptr", &fields->ptr },
		{ "call_site", &fields->call_site },
		{ "bytes_req", &fields->bytes_req },
		{ "bytes_alloc", &fields->bytes_alloc },
		{ "gfp_flags", &fields->gfp },
		{ "node", &fields->node },
		{ "name", &fields->name },
		{ "pfn", &fields->pfn },
		{ "order", &fields->order },
	};
	size_t i;

	fields->id = -1;
	if (!event)
		return true;
	fields->id = event->id;
	for (i = 0; i < ARRAY_SIZE(list); i++) {
		const struct field *field = list[i].field;

		if (!find_field(event, list[i].name, list[i].field))
			return false;
		if (fields->len < field->offset + field->size)
			fields->len = field->offset + field->size;
	}
	if (has_fields(fields))
		return true;
	warn("the format of kmem:%s lacks a field that is needed", name);
	return false;
}

/* Learns the name of each bit from the print format of gfp_flags. */
static void learn_bits(struct kmem_decoder *decoder,
		       const struct tep_print_flag_sym *flag)
{
	size_t i;

	for (; flag; flag = flag->next) {
		uint64_t value = flag->value ? strtoull(flag->value, NULL, 0) : 0;

		if (!flag->str || !value || value & (value - 1))
			continue;
		for (i = 0; i < ARRAY_SIZE(gfp_names); i++)
			if (!strcmp(gfp_names[i].name, flag->str))
				decoder->gfp_of_bit[__builtin_ctzll(value)] |=
					gfp_names[i].gfp;
	}
}

static bool is_gfp_field(const struct tep_print_arg *arg)
{
	while (arg && arg->type == TEP_PRINT_TYPE)
		arg = arg->typecast.item;
	return arg && arg->type == TEP_PRINT_FIELD && arg->field.name &&
	       !strcmp(arg->field.name, "gfp_flags");
}

#define ARG_DEPTH_MAX	64	/* real kernels have a few levels */

/* Looks for __print_flags(gfp_flags, ...) in an argument of the print format. */
static void learn_flags(struct kmem_decoder *decoder, const struct tep_print_arg *arg,
			unsigned int depth)
{
	for (; arg && depth < ARG_DEPTH_MAX; depth++) {
		switch (arg->type) {
		case TEP_PRINT_TYPE:
			arg = arg->typecast.item;
			break;
		case TEP_PRINT_OP:
			learn_flags(decoder, arg->op.left, depth + 1);
			arg = arg->op.right;
			break;
		case TEP_PRINT_FLAGS:
			if (is_gfp_field(arg->flags.field))
				learn_bits(decoder, arg->flags.flags);
			return;
		default:
			return;
		}
	}
}

static bool learn_gfp(struct tep_handle *tep, struct kmem_decoder *decoder)
{
	const struct tep_print_arg *arg;
	uint32_t known = 0;
	size_t i;

	for (i = 0; i < NR_EVENTS; i++) {
		if (decoder->events[i].id < 0)
			continue;
		arg = tep_find_event(tep, decoder->events[i].id)->print_fmt.args;
		for (; arg; arg = arg->next)
			learn_flags(decoder, arg, 0);
	}
	for (i = 0; i < ARRAY_SIZE(decoder->gfp_of_bit); i++)
		known |= decoder->gfp_of_bit[i];
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
	if (!find_field(first, "common_type", &decoder->type))
		goto fail;
	if (!decoder->type.size) {
		warn("the format of kmem:%s lacks common_type", first->name);
		goto fail;
	}
	if (!learn_gfp(tep, decoder))
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

/* The field's value, or 0 if the kernel has no such field. */
static uint64_t value_of(const struct field *field, const uint8_t *data)
{
	uint64_t value = 0;

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
			   const uint8_t *data, size_t size)
{
	uint32_t loc = value_of(field, data);
	size_t offset = loc & 0xffff, len = loc >> 16;

	if (field->is_relative)
		offset += field->offset + field->size;
	if (!len || offset > size || len > size - offset)
		return NULL;
	if (len > sizeof(decoder->name))
		len = sizeof(decoder->name);
	memcpy(decoder->name, data + offset, len);
	decoder->name[len - 1] = 0;
	return decoder->name[0] ? decoder->name : NULL;
}

static const struct event_fields *find_event(const struct kmem_decoder *decoder,
					     uint64_t id)
{
	size_t i;

	for (i = 0; i < NR_EVENTS; i++)
		if (decoder->events[i].id >= 0 && (uint64_t)decoder->events[i].id == id)
			return &decoder->events[i];
	return NULL;
}

int decoder_decode(struct kmem_decoder *decoder, const void *data, int size,
		   struct kmem_event *event)
{
	const struct event_fields *fields;

	if (size < 0 || (size_t)size < decoder->type.offset + decoder->type.size)
		return -1;
	fields = find_event(decoder, value_of(&decoder->type, data));
	if (!fields)
		return 0;
	if ((size_t)size < fields->len)
		return -1;
	event->kind = fields->kind;
	event->ptr = value_of(&fields->ptr, data);
	event->call_site = value_of(&fields->call_site, data);
	event->bytes_req = value_of(&fields->bytes_req, data);
	event->bytes_alloc = value_of(&fields->bytes_alloc, data);
	event->gfp = gfp_of(decoder, value_of(&fields->gfp, data));
	event->node = fields->node.size ? (int32_t)value_of(&fields->node, data) : -1;
	event->name = name_of(decoder, &fields->name, data, size);
	event->pfn = value_of(&fields->pfn, data);
	event->order = value_of(&fields->order, data);
	return 1;
}
