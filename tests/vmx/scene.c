/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene - the payload `events` on one vCPU, and what a test does to it
 */
#include "tests/vmx/scene.h"
#include "mm/mem.h"
#include "tests/guest/abi.h"
#include "vm/guest.h"

#define BUDGET 200000

struct scene scene;

static const char *fill(struct run *t, unsigned cpu, u64 role, u64 idt)
{
	const struct guest *g = guest_find("events");
	struct gather none = gather_init();
	const char *why;

	if (vm_create(&scene.vm, t->pool, inval_protos[0], 1))
		return "no memory for a VM";
	why = g ? guest_load(scene.vm, g->start, g->end - g->start, g->mode)
		: "no such payload";
	if (!why && vm_add_vcpu(scene.vm, cpu, &scene.v))
		why = "no memory for a vCPU";
	if (!why && ept_map(&scene.vm->ept, GPA(GUEST_WINDOW), scene.frame, PAGE_SIZE,
			    EPT_RW, &none))
		why = "no memory for the window";
	if (why) {
		vm_destroy(scene.vm);
		return why;
	}
	scene.v->budget = !cpu && backend->has_timer() ? BUDGET : 0;
	scene.page = vm_ptr(scene.vm, vm_page_gpa(scene.vm, 0), PAGE_SIZE);
	scene.page->role = role;
	scene.page->idt = idt;
	return NULL;
}

bool scene_open(struct run *t, unsigned cpu, u64 role, u64 idt,
		bool (*called)(struct vcpu *))
{
	const char *why = "no memory for a page";

	scene = (struct scene){ 0 };
	if (!pool_alloc(t->pool, 0, &scene.frame)) {
		why = fill(t, cpu, role, idt);
		if (why)
			pool_free(t->pool, scene.frame);
	}
	if (why) {
		test_fail(t, "%s", why);
		return false;
	}
	scene.vm->called = called;
	return true;
}

void scene_close(struct run *t)
{
	vm_destroy(scene.vm);
	pool_free(t->pool, scene.frame);
}

void scene_expect_end(struct run *t, u64 count)
{
	if (!scene.v->exited)
		test_fail(t, "stopped: %s",
			  scene.v->stopped ? scene.v->stopped : "no reason");
	else
		EXPECT_EQ(t, scene.v->exit_code, count);
}

void scene_expect(struct run *t, unsigned i, u64 vector, u64 error, u64 rip)
{
	volatile struct events_taken *e = &scene.page->taken[i];

	EXPECT_EQ(t, e->vector, vector);
	EXPECT_EQ(t, e->error, error);
	EXPECT_EQ(t, e->rip, rip);
}

bool scene_give_gp(struct vcpu *v)
{
	vm_inject_exception(v, EVENTS_GP, SCENE_ERROR);
	return true;
}

bool scene_give_irq(struct vcpu *v)
{
	vm_raise_irq(v, EVENTS_IRQ);
	return true;
}
