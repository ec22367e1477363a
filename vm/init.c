/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init - finding the backend, and switching virtualization on everywhere.
 */
#include "arch/x86_64/watch.h"
#include "lib/console.h"
#include "lib/str.h"
#include "mm/mem.h"
#include "svm/svm.h"
#include "vm/vm.h"
#include "vmx/vmx.h"

struct switch_on {
	struct work work;
	hpa_t region;
	const char *why;
};

static void switch_on(void *arg)
{
	struct switch_on *s = arg;

	s->why = backend->cpu_on(s->region);
}

static const char *on_cpu(unsigned cpu, struct pool *pool)
{
	struct switch_on s = { .work = { .fn = switch_on } };

	s.work.arg = &s;
	if (pool_alloc(pool, backend->region_order, &s.region))
		return "out of memory";
	memset(mem_ptr(s.region), 0, PAGE_SIZE << backend->region_order);
	if (cpu == this_cpu()->id) {
		switch_on(&s);
		return s.why;
	}
	smp_post(cpu, &s.work);
	watch_work(cpu, &s.work);
	return s.why;
}

static const struct backend *const backends[] = { &vmx_backend, &svm_backend };

/* The one that the CPU has; where it has none, the first says so. */
static const struct backend *choose(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(backends); i++)
		if (backends[i]->present())
			return backends[i];
	return backends[0];
}

const char *vm_init(struct pool *pool)
{
	const char *lack;

	backend = choose();
	vcpu_init();
	lack = backend->probe();
	if (lack)
		return lack;
	for (unsigned i = 0; i < cpu_count; i++) {
		const char *why = on_cpu(i, pool);

		if (!why)
			continue;
		print("# %s: CPU %u: %s\n", backend->name, i, why);
		return "virtualization cannot be switched on, on every CPU";
	}
	return NULL;
}
