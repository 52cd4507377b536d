// SPDX-License-Identifier: GPL-2.0
/* What writing and reading trace files have in common. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "trace_format.h"

const char *const trace_op_names[TRACE_NR_OPS] = {
	[TRACE_KMALLOC]		= "kmalloc",
	[TRACE_KFREE]		= "kfree",
	[TRACE_CACHE_ALLOC]	= "cache_alloc",
	[TRACE_CACHE_FREE]	= "cache_free",
	[TRACE_PAGES_ALLOC]	= "pages_alloc",
	[TRACE_PAGES_FREE]	= "pages_free",
};

void trace_texts_add(struct trace_texts *texts, const char *key,
		     const char *fmt, ...)
{
	char *value = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&value, fmt, args) < 0)
		value = xstrdup("");
	va_end(args);
	bytes_add(&texts->bytes, key, strlen(key));
	bytes_add(&texts->bytes, "=", 1);
	bytes_add(&texts->bytes, value, strlen(value) + 1);
	free(value);
}

const char *trace_texts_next(const struct trace_texts *texts, const char *text)
{
	const char *begin = (const char *)texts->bytes.data;

	if (!texts->bytes.len)
		return NULL;
	text = text ? text + strlen(text) + 1 : begin;
	return text < begin + texts->bytes.len ? text : NULL;
}

const char *trace_texts_get(const struct trace_texts *texts, const char *key)
{
	const char *text = NULL;
	size_t len = strlen(key);

	while ((text = trace_texts_next(texts, text)))
		if (!strncmp(text, key, len) && text[len] == '=')
			return text + len + 1;
	return NULL;
}

void put_le32(uint8_t *p, uint32_t value)
{
	p[0] = value;
	p[1] = value >> 8;
	p[2] = value >> 16;
	p[3] = value >> 24;
}

uint32_t get_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}
