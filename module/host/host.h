/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests of a box to the host kernel. Each one is counted, and fail_nth= makes one
 * of them fail.
 *
 * The region is the memory that a box manages. It is allocated from the host in one
 * piece. The parameters of a box are read and checked here as well, one at a time.
 */
#ifndef _MMBOX_HOST_HOST_H
#define _MMBOX_HOST_HOST_H

#include <linux/string.h>
#include <linux/types.h>

#include "host/compat.h"
#include "types/box.h"

struct cpumask;
struct task_struct;

/* host.c */
bool mmbox_host_should_fail(struct mmbox_host *host, const char *what);
void *mmbox_host_zalloc(struct mmbox_host *host, size_t size, const char *what);
void *mmbox_host_kzalloc(struct mmbox_host *host, size_t size, gfp_t gfp,
			 const char *what);
void mmbox_host_free(struct mmbox_host *host, void *ptr, size_t size);
struct mmbox_host_percpu *mmbox_host_alloc_percpu(struct mmbox_host *host,
						  size_t size, size_t align,
						  const char *what);
void mmbox_host_free_percpu(struct mmbox_host *host,
			    struct mmbox_host_percpu *percpu);

/* platform.c */
u64 mmbox_host_ns(void);
unsigned long mmbox_host_random(void);
void *mmbox_host_map_pages(struct mmbox_host *host, void **pages, unsigned long nr,
			   const char *what);
void mmbox_host_unmap_pages(const void *addr);
struct task_struct *mmbox_host_thread_create(struct mmbox_host *host, int (*fn)(void *arg),
					     void *arg, const struct cpumask *cpus,
					     const char *name);
void mmbox_host_thread_stop(struct task_struct *task);
bool mmbox_host_thread_should_stop(void);
void mmbox_host_thread_may_freeze(void);
bool mmbox_host_thread_freezing(void);
bool mmbox_host_thread_freeze(void);
bool mmbox_host_stacks_init(struct mmbox_host *host);
unsigned long mmbox_host_copy_to_user(void __user *to, const void *from, unsigned long n);
unsigned long mmbox_host_copy_from_user(void *to, const void __user *from, unsigned long n);

/* percpu.c */
void mmbox_drain_cpus_cpuslocked(bool (*holds)(void *arg, int cpu),
				 void (*drain)(void *arg, int cpu), void *arg);
void mmbox_drain_cpus(bool (*holds)(void *arg, int cpu),
		      void (*drain)(void *arg, int cpu), void *arg);
int mmbox_percpu_module_init(void);
void mmbox_percpu_module_exit(void);

/* config.c */
extern const struct mmbox_param mmbox_params[MMBOX_NR_PARAMS];

const char *mmbox_parse_bytes(const char *text, phys_addr_t *value);
void mmbox_config_init(struct mmbox_config *cfg);
int mmbox_param_read(struct mmbox_config *cfg, enum mmbox_param_id id, const char *text);
int mmbox_param_check(const struct mmbox_config *cfg, enum mmbox_param_id id);
int mmbox_params_check(const struct mmbox_config *cfg);
const char *mmbox_escape(const char *from, size_t len, struct mmbox_param_text *text);
const char *mmbox_bytes_text(unsigned long bytes, struct mmbox_param_text *text);
const char *mmbox_param_text(const struct mmbox_config *cfg, enum mmbox_param_id id,
			     struct mmbox_param_text *text);
__printf(3, 4) int mmbox_bad_param(const struct mmbox_config *cfg, enum mmbox_param_id id,
				   const char *must, ...);

/* region.c */
struct mmbox_host;
struct page;

extern const char *const mmbox_region_names[MMBOX_NR_REGION_TYPES];

int mmbox_region_take(struct mmbox_region *region, struct mmbox_host *host,
		      enum mmbox_region_type type, size_t size, const char *asked);
int mmbox_region_take_aligned(struct mmbox_region *region, struct mmbox_host *host, size_t size,
			      const char *asked);
int mmbox_region_return_part(struct mmbox_region *region, struct mmbox_host *host,
			     size_t offset, size_t size);
void mmbox_region_return(struct mmbox_region *region, struct mmbox_host *host);

/*
 * Clear whole words. On CPUs with fast string operations memset() stores bytes. Words
 * take an eighth of the steps where instructions are counted. Which of the two is
 * faster has not been measured.
 */
static __always_inline void mmbox_clear_words(void *addr, size_t bytes)
{
#if defined(CONFIG_X86_64) && !defined(CONFIG_KASAN) && !defined(CONFIG_KCSAN)
	size_t words = bytes / sizeof(long);

	asm volatile("rep stosq" : "+c" (words), "+D" (addr) : "a" (0L) : "memory");
#else
	memset(addr, 0, bytes);
#endif
}

/*
 * Increment a counter and return true if it became 0. One instruction, where the
 * compiler needs four. Atomic only with respect to the own CPU.
 */
static __always_inline bool mmbox_inc_and_test(u32 *counter)
{
#ifdef CONFIG_X86_64
	bool zero;

	asm volatile("incl %0" : "+m" (*counter), "=@ccz" (zero) : : "memory");
	return zero;
#else
	bool zero = !++*counter;

	barrier();
	return zero;
#endif
}

/* Copy whole words. Overlap is allowed if @to is below @from. */
static __always_inline void mmbox_copy_words(void *to, const void *from, size_t words)
{
#if defined(CONFIG_X86_64) && !defined(CONFIG_KASAN) && !defined(CONFIG_KCSAN)
	asm volatile("rep movsq" : "+c" (words), "+D" (to), "+S" (from) : : "memory");
#else
	memmove(to, from, words * sizeof(long));
#endif
}

#endif /* _MMBOX_HOST_HOST_H */
