/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * costs_operate - the operation that the bench of protocols measures
 *
 * One operation takes `batch` pages away in one gather: announce and edit, publish,
 * wait, retire.  Initiators begin each of theirs together, when every responder is in
 * the guest again; the pages come back in between.  Nothing else is in a round.
 */
#include "tests/bench/costs.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/kick.h"
#include "arch/x86_64/watch.h"

#define WINDOW_SIZE (16ull * SIZE_2M)

gpa_t costs_window(unsigned k)
{
	return GPA(GUEST_WINDOW + k * WINDOW_SIZE + PAGE_SIZE);
}

/* The block is never aligned with the window, so that all leaves are of 4 KiB. */
enum err costs_map(struct costs *c, gpa_t at, u64 pages, struct gather *g)
{
	enum err e = E_OK;

	while (pages && !e) {
		u64 n = pages < 512 ? pages : 512;

		e = ept_map(&c->vm->ept, at, c->block, n * PAGE_SIZE, EPT_RW, g);
		at.v += n * PAGE_SIZE;
		pages -= n;
	}
	return e;
}

void costs_dither(unsigned i)
{
	for (i %= 5; i; i--)
		asm volatile("nop");
}

/* The pages between the first and the last one, so that their tables stay. */
static gpa_t victims(const struct initiator *n)
{
	return GPA(costs_window(n->k).v + PAGE_SIZE);
}

static void edit(struct initiator *n, struct gather *g)
{
	struct vm *vm = n->c->vm;

	inval_begin(&vm->inval);
	if (ept_unmap(&vm->ept, victims(n), n->c->plan.batch * PAGE_SIZE, g))
		test_fail(n->c->t, "pages cannot be unmapped");
}

/*
 * Edits of one EPT come one after another.  So that invalidations do not, initiators
 * wait for each other in between, unless the protocol excludes that.
 */
static bool meet(struct costs *c, unsigned i)
{
	u32 all = (i + 1) * c->plan.initiators;

	if (c->plan.initiators == 1)
		return false;
	if (c->t->proto->begin)
		return true;
	add_fence(&c->edited, 1u);
	while (load_acquire(&c->edited) < all)
		relax();
	return true;
}

/* A wait without end is a failure, and is ended by kicks that are not counted. */
static void stuck(struct costs *c)
{
	test_fail(c->t, "an invalidation with %u responders does not end",
		  c->plan.responders);
	for (unsigned i = 0; i < c->aps; i++)
		kick_now(c->vm->vcpu[i]->cpu);
}

static u64 await(struct costs *c, ticket_t t)
{
	u64 polls = 1;

	for (; !inval_done(&c->vm->inval, t); polls++) {
		relax();
		if (polls == c->vm->spin_limit)
			stuck(c);
	}
	return polls;
}

/* With a look at the clock between any two parts. */
static void by_phases(struct initiator *n, unsigned i)
{
	struct spent *s = &n->spent;
	struct vm *vm = n->c->vm;
	struct gather g = gather_init();
	u64 at[6];
	ticket_t t;

	at[0] = rdtsc();
	edit(n, &g);
	meet(n->c, i);
	at[1] = rdtsc();
	t = inval_publish(&vm->inval, &g);
	at[2] = rdtsc();
	await(n->c, t);
	at[3] = rdtsc();
	(void)inval_done(&vm->inval, t);
	at[4] = rdtsc();
	vm_retire(vm, t, &g);
	at[5] = rdtsc();
	s->edit += at[1] - at[0];
	s->publish += at[2] - at[1];
	s->poll += at[4] - at[3];
	s->retire += at[5] - at[4];
}

/* As a user of the protocol would. */
static void whole(struct initiator *n, unsigned i)
{
	struct spent *s = &n->spent;
	struct vm *vm = n->c->vm;
	struct gather g = gather_init();
	u64 start, done;
	ticket_t t;

	start = rdtsc();
	edit(n, &g);
	if (meet(n->c, i))
		start = rdtsc();
	t = inval_publish(&vm->inval, &g);
	s->polls += await(n->c, t);
	done = rdtsc();
	vm_retire(vm, t, &g);
	s->total += rdtsc() - start;
	s->done += done - start;
}

static void operate(struct initiator *n, unsigned i)
{
	struct gather g = gather_init();

	costs_dither(i);
	if (n->c->plan.phases)
		by_phases(n, i);
	else
		whole(n, i);
	if (costs_map(n->c, victims(n), n->c->plan.batch, &g))
		test_fail(n->c->t, "pages cannot be mapped again");
	vm_finish(n->c->vm, &g);
}

/* Its share of the rounds, as each is called. */
static void rounds(struct initiator *n)
{
	u64 asked = this_cpu()->kicks_asked, sent = this_cpu()->icr_writes;

	for (unsigned i = 0; i < n->c->plan.ops; i++) {
		while (load_acquire(&n->c->round) <= i)
			relax();
		if (load_acquire(&n->c->over))
			break;
		operate(n, i);
		store_release(&n->rounds, i + 1);
	}
	n->spent.asked = this_cpu()->kicks_asked - asked;
	n->spent.sent = this_cpu()->icr_writes - sent;
}

/* Interrupts are on as they are for CPU 0: others may want to interrupt it. */
static void help(void *arg)
{
	struct initiator *n = arg;

	sti();
	asm volatile("nop"); /* the wake-up itself is taken here at the latest */
	store_release(&n->ready, 1u);
	rounds(n);
	cli();
}

static void await_word(const atomic32_t *word, u32 value)
{
	while (load_acquire(word) < value)
		relax();
}

void costs_call(struct costs *c)
{
	store_relaxed(&c->round, 0u);
	store_relaxed(&c->over, 0u);
	store_relaxed(&c->edited, 0u);
	for (unsigned k = 0; k < c->plan.initiators; k++) {
		struct initiator *n = &c->initiator[k];

		*n = (struct initiator){ .c = c, .k = k };
		n->work = (struct work){ .fn = help, .arg = n };
		if (!k)
			continue;
		smp_post(cpu_count - k, &n->work);
		await_word(&n->ready, 1);
	}
}

/* After a failure each further operation might wait as long for nothing. */
static bool may_go_on(struct costs *c)
{
	return costs_progress(c) && c->t->verdict != FAIL;
}

void costs_operate(struct costs *c)
{
	struct initiator *self = &c->initiator[0];
	u64 asked = this_cpu()->kicks_asked, sent = this_cpu()->icr_writes;

	for (unsigned i = 0; i < c->plan.ops && may_go_on(c); i++) {
		store_release(&c->round, i + 1);
		operate(self, i);
		for (unsigned k = 1; k < c->plan.initiators; k++)
			await_word(&c->initiator[k].rounds, i + 1);
	}
	self->spent.asked = this_cpu()->kicks_asked - asked;
	self->spent.sent = this_cpu()->icr_writes - sent;
	store_release(&c->over, 1u);
	store_release(&c->round, c->plan.ops);
	for (unsigned k = 1; k < c->plan.initiators; k++)
		watch_work(cpu_count - k, &c->initiator[k].work);
}
