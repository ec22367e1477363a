/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run - the guest-run loop: each CPU that runs a guest is a reader of its VM's edits
 *
 * Interrupts are off from before the enter hook until the guest runs, where VM entry
 * itself opens them, and off again from the VM exit on.  An interrupt that arrives in
 * between stays pending and causes an exit at once, so no kick is lost.  Interrupts
 * that a VM exit acknowledged are handled from the exit; the host enables them nowhere
 * else than while it waits for a halted guest, outside of the section.
 */
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"
#include "arch/x86_64/nmi.h"
#include "arch/x86_64/watch.h"
#include "inval/ghost.h"
#include "inval/hw.h"
#include "inval/step.h"
#include "lib/trace.h"
#include "vm/vm.h"

const struct backend *backend;

/* Where the ghost hears what hardware is told, it does not take the backend's word. */
void hw_flush(u64 root)
{
	u64 dropped = backend->flush(root);

	if (CHECKED && !backend->told)
		ghost_flush(hw_self(), dropped);
}

/*
 * Whose loop each CPU is in, a struct vcpu or 0.  Each entry is its CPU's own; who
 * gives a test up reads them.
 */
static atomic64_t current[CPU_MAX];

static struct vcpu *current_of(unsigned cpu)
{
	return (struct vcpu *)load_relaxed(&current[cpu]);
}

/* A vCPU that is loaded later is loaded with the root that its reader has then. */
void hw_use_root(u64 root)
{
	struct vcpu *v = current_of(this_cpu()->id);

	if (v && v->loaded)
		backend->use_root(root);
}

/* In the section an interrupt that the host takes is a bug: trap() looks. */
static void reading(bool on)
{
	if (CHECKED)
		this_cpu()->reading = on;
}

static void tell_ghost(const struct vcpu *v)
{
	if (CHECKED && backend->told)
		ghost_enter_told(v->reader->ghost, v->cpu, backend->told());
	else
		ghost_enter(v->reader->ghost, v->cpu);
}

/*
 * The enter hook comes before the ghost's, the exit hook after it: ghost.c, T2 and T3.
 */
static void enter(struct vcpu *v)
{
	trace_detail(v->cpu, TRACE_ENTERING, v->id);
	reading(true);
	STEP(enter);
	v->enter(v->reader);
	tell_ghost(v);
	STEP(entry);
	trace2(v->cpu, TRACE_ENTER, v->reader->flushed, v->vm->name);
}

static void leave(struct vcpu *v)
{
	trace(v->cpu, TRACE_EXIT, 0);
	STEP(left);
	ghost_exit(v->reader->ghost, v->cpu);
	trace_detail(v->cpu, TRACE_LEAVING, v->id);
	v->leave(v->reader);
	trace_detail(v->cpu, TRACE_OUT, v->id);
	reading(false);
}

/* What others have asked for; false if it is to stop.  Rare: out of the short path. */
static __attribute__((noinline, cold)) bool answer(struct vcpu *v)
{
	if (load_acquire(&v->request) & REQUEST_STOP)
		return false;
	vcpu_answer_irq(v);
	return true;
}

struct vcpu *vcpu_exit(struct vcpu *v)
{
	leave(v);
	if (v->dispatch(v) && (!load_acquire(&v->request) || answer(v))) {
		enter(v);
		return v;
	}
	return NULL;
}

bool vcpu_lookup(struct vcpu *v, gpa_t gpa, struct ept_leaf *out)
{
	bool found;

	v->enter(v->reader);
	found = ept_lookup(&v->vm->ept, gpa, out);
	v->leave(v->reader);
	return found;
}

static void on_kick(void)
{
	struct vcpu *v = current_of(this_cpu()->id);

	if (v)
		inval_kicked(v->reader);
}

/* For an NMI, which may come at any instruction. */
static u64 loaded_rip(void)
{
	struct vcpu *v = current_of(this_cpu()->id);

	return v && v->loaded ? backend->guest_rip() : 0;
}

static void stop_guests(void)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		struct vcpu *v = current_of(i);

		if (!v || i == this_cpu()->id)
			continue;
		or_fence(&v->request, (u32)REQUEST_STOP);
		kick_now(i);
	}
}

static void forget_guests(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		store_relaxed(&current[i], 0ull);
}

void vcpu_init(void)
{
	kick_hook(on_kick);
	nmi_guest_hook(loaded_rip);
	watch_guests(stop_guests, forget_guests);
}

void vcpu_run(struct vcpu *v)
{
	const char *refused;

	assert(this_cpu()->id == v->cpu);
	cli();
	store_relaxed(&current[v->cpu], (u64)v);
	trace2(v->cpu, TRACE_LOOP, v->id, v->vm->name);
	if (!v->loaded) {
		backend->load(v);
		v->loaded = true;
	}
	if (!load_acquire(&v->request) || answer(v)) {
		enter(v);
		refused = backend->run(v);
		if (refused) {
			leave(v);
			v->stopped = refused;
		}
	}
	v->loaded = false; /* before it is no more: loaded_rip() */
	backend->unload(v);
	store_relaxed(&current[v->cpu], 0ull);
	trace(v->cpu, TRACE_LEFT, v->id);
	sti();
}
