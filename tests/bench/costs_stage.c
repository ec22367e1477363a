/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * costs_stage - the VM of the bench of protocols: who is in the guest, and its pages
 *
 * The guests look at the clock and touch nothing that is edited.  Each initiator has a
 * window of its own, whose pages all lie in one block: nobody looks into them.
 */
#include "tests/bench/costs.h"
#include "vm/guest.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"

#define SPINS 20000000

static struct guest_page *page(const struct costs *c, unsigned vcpu)
{
	return vm_ptr(c->vm, vm_page_gpa(c->vm, vcpu), PAGE_SIZE);
}

static enum err map_windows(struct costs *c)
{
	struct gather g = gather_init();
	enum err e = pool_alloc(c->t->pool, POOL_ORDER_2M, &c->block);

	for (unsigned k = 0; k < INITIATORS && !e; k++)
		e = costs_map(c, costs_window(k), BATCH_MAX + 2, &g);
	vm_finish(c->vm, &g);
	return e;
}

static const char *add_guests(struct costs *c)
{
	const struct guest *g = guest_find("gap");
	const char *why = g ? guest_load(c->vm, g->start, g->end - g->start, VCPU_LONG)
			    : "the payload gap is missing";

	for (unsigned i = 0; i < c->aps && !why; i++) {
		struct vcpu *v;

		if (vm_add_vcpu(c->vm, i + 1, &v))
			why = "out of memory";
	}
	return why;
}

const char *costs_open(struct costs *c)
{
	const char *why;

	if (vm_create(&c->vm, c->t->pool, c->t->proto, 1))
		return "no memory for a VM";
	why = add_guests(c);
	if (!why && map_windows(c))
		why = "the windows cannot be mapped";
	if (why) {
		costs_close(c);
		return why;
	}
	vm_start(c->vm);
	c->active = c->aps;
	if (costs_progress(c))
		return NULL;
	costs_close(c);
	return "a guest makes no progress";
}

void costs_close(struct costs *c)
{
	struct gather g = gather_init();

	vm_stop(c->vm);
	for (unsigned i = 0; i < c->vm->vcpus; i++)
		if (c->vm->vcpu[i]->stopped)
			test_fail(c->t, "guest %u stopped: %s", i,
				  c->vm->vcpu[i]->stopped);
	for (unsigned k = 0; k < INITIATORS; k++)
		if (ept_unmap(&c->vm->ept, costs_window(k), (BATCH_MAX + 2) * PAGE_SIZE,
			      &g))
			test_fail(c->t, "a window cannot be unmapped");
	if (c->block.v)
		gather_block(&g, c->t->pool, c->block);
	vm_retire(c->vm, vm_invalidate(c->vm, &g), &g);
	vm_destroy(c->vm);
}

void costs_stop_one(struct costs *c)
{
	struct vcpu *v = c->vm->vcpu[--c->active];

	or_fence(&v->request, (u32)REQUEST_STOP);
	kick_now(v->cpu);
	for (u64 spins = 0; !smp_done(&c->vm->work[c->active]); spins++) {
		if (spins == SPINS)
			panic("CPU %u does not leave its guest", v->cpu);
		relax();
	}
}

bool costs_progress(struct costs *c)
{
	u64 spins = 0, before[CPU_MAX];

	if (test_stopped(c->t))
		return false;
	for (unsigned i = 0; i < c->active; i++)
		before[i] = page(c, i)->turns;
	for (unsigned i = 0; i < c->active; i++)
		while (page(c, i)->turns - before[i] < 3) {
			relax();
			if (++spins < SPINS && !smp_done(&c->vm->work[i]))
				continue;
			test_fail(c->t, "guest %u makes no progress", i);
			return false;
		}
	return true;
}

u64 costs_gap(const struct costs *c)
{
	u64 most = 0;

	for (unsigned i = 0; i < c->active; i++)
		if (page(c, i)->gap > most)
			most = page(c, i)->gap;
	return most;
}

void costs_forget_gaps(struct costs *c)
{
	for (unsigned i = 0; i < c->active; i++)
		page(c, i)->gap = 0;
}
