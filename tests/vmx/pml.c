/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pml - the log of a vCPU names the pages that its guest writes, and no others
 *
 * The pages of the window are translations of one frame, so that their number costs no
 * memory and the frame's first word counts the guest's writes to all of them.  The RAM
 * of the guest is marked dirty before it runs: what is left to log is the window.
 */
#include "tests/guest/abi.h"
#include "tests/guest/dirty.h"
#include "lib/str.h"
#include "mm/mem.h"
#include "tests/test.h"
#include "vm/guest.h"

#define BUDGET  2000000
#define STEP    101   /* divides none of the numbers of pages */
#define ENTRIES 512   /* of a log */
#define OFFSET  0x7f8 /* of the word that is written, in its page */

/* A VM with a window of `pages`, and a vCPU that logs. */
struct logger {
	struct vm *vm;
	struct vcpu *v;
	struct guest_page *page;
	hpa_t frame, log;
	u64 pages;
};

/* What logged() was told in one run. */
static struct {
	u64 pages; /* of the window */
	u64 next;  /* the page whose turn it is in the guest's order */
	u64 entries, wrong;
	gpa_t first_wrong;
	bool misplaced; /* it ran in the section, or on another CPU */
} heard;

static void hear(struct vcpu *v, gpa_t gpa)
{
	if (gpa.v != GUEST_WINDOW + heard.next * PAGE_SIZE && !heard.wrong++)
		heard.first_wrong = gpa;
	heard.next = (heard.next + STEP) % heard.pages;
	heard.entries++;
	heard.misplaced |= this_cpu()->reading || this_cpu()->id != v->cpu;
}

static bool lacks_log(struct run *t)
{
	if (backend->has_pml())
		return false;
	test_skip(t, "this CPU has no page-modification log, or no EPT dirty flags");
	return true;
}

/* The entry of the leaf that maps gpa.  No vCPU runs. */
static epte_t *leaf_slot(const struct vm *vm, u64 gpa)
{
	hpa_t table = vm->ept.root;

	for (unsigned level = EPT_LEVELS; level-- > 0;) {
		epte_t *slot = (epte_t *)mem_ptr(table) + ept_index(gpa, level);

		if (epte_is_leaf(epte_load(slot), level))
			return slot;
		table = epte_addr(epte_load(slot));
	}
	return NULL;
}

/* Clears and sets flags of all leaves of a range, and drops what this CPU has cached.
 */
static void change(const struct vm *vm, u64 gpa, u64 len, u64 clear, u64 set)
{
	for (u64 at = gpa; at < gpa + len; at += PAGE_SIZE) {
		epte_t *slot = leaf_slot(vm, at);

		epte_store(slot, (epte_t){ (epte_load(slot).raw & ~clear) | set });
	}
	backend->flush(backend->root(&vm->ept));
}

/* How many leaves of the window have flag set? */
static u64 flagged(const struct logger *l, u64 flag)
{
	u64 n = 0;

	for (u64 i = 0; i < l->pages; i++)
		n += !!(epte_load(leaf_slot(l->vm, GUEST_WINDOW + i * PAGE_SIZE)).raw &
			flag);
	return n;
}

static const char *fill(struct logger *l, unsigned cpu)
{
	const struct guest *g = guest_find("dirty");
	struct gather none = gather_init();
	struct vm *vm = l->vm;
	const char *why;

	why = g ? guest_load(vm, g->start, g->end - g->start, g->mode)
		: "the payload dirty is missing";
	if (why)
		return why;
	for (u64 i = 0; i < l->pages; i++)
		if (ept_map(&vm->ept, GPA(GUEST_WINDOW + i * PAGE_SIZE), l->frame,
			    PAGE_SIZE, EPT_RW, &none))
			return "no memory for the window";
	if (vm_add_vcpu(vm, cpu, &l->v))
		return "no memory for a vCPU";
	l->page = vm_ptr(vm, vm_page_gpa(vm, 0), PAGE_SIZE);
	l->page->slot = GUEST_WINDOW + OFFSET;
	l->page->pages = l->pages;
	l->page->step = STEP;
	l->v->log = l->log;
	l->v->logged = hear;
	memset(mem_ptr(l->frame), 0, PAGE_SIZE);
	change(vm, 0, vm->ram_blocks * SIZE_2M, 0, EPTE_A | EPTE_D);
	return NULL;
}

static void close(struct run *t, struct logger *l)
{
	if (l->v)
		l->v->log = HPA(0);
	vm_destroy(l->vm); /* nothing translates to the frame any more */
	pool_free(t->pool, l->frame);
	pool_free(t->pool, l->log);
}

static bool open(struct run *t, struct logger *l, unsigned cpu, u64 pages)
{
	const char *why;

	*l = (struct logger){ .pages = pages };
	if (pool_alloc(t->pool, 0, &l->frame) || pool_alloc(t->pool, 0, &l->log) ||
	    vm_create(&l->vm, t->pool, inval_protos[0], 1)) {
		test_fail(t, "no memory for a VM");
		return false;
	}
	why = fill(l, cpu);
	if (!why)
		return true;
	test_fail(t, "%s", why);
	close(t, l);
	return false;
}

static void start(struct logger *l, enum dirty_deed role)
{
	memset(&heard, 0, sizeof(heard));
	heard.pages = l->pages;
	l->v->log_fulls = 0;
	l->page->role = role;
	l->page->result = 0;
	vm_start(l->vm);
}

static void run(struct run *t, struct logger *l, enum dirty_deed role)
{
	l->v->budget = backend->has_timer() ? BUDGET : 0;
	start(l, role);
	if (!l->v->exited)
		test_fail(t, "%lu pages: the guest was stopped: %s", l->pages,
			  l->v->stopped ? l->v->stopped : "no reason");
}

static void expect_logged(struct run *t, const struct logger *l, u64 want)
{
	if (heard.entries != want)
		test_fail(t, "%lu pages: the log had %lu entries, want %lu", l->pages,
			  heard.entries, want);
	if (heard.wrong)
		test_fail(t, "%lu pages: %lu entries are wrong, the first is 0x%lx",
			  l->pages, heard.wrong, heard.first_wrong.v);
	EXPECT(t, !heard.misplaced);
}

/*
 * Nothing else drains the log before the end: no interrupt comes, and the guest calls
 * once.  A full log makes the next access exit that sets a flag; Bochs 2.7 exits at the
 * next walk of any kind, which the last write of a multiple of 512 is followed by.
 */
static void expect_fulls(struct run *t, const struct logger *l)
{
	u64 least = (l->pages - 1) / ENTRIES, most = l->pages / ENTRIES;

	if (l->v->log_fulls < least || l->v->log_fulls > most)
		test_fail(t, "%lu pages: the log was full %u times, want %lu to %lu",
			  l->pages, l->v->log_fulls, least, most);
}

/* Three lives: clean pages, pages that are dirty still, and clean ones again. */
static void write_pages(struct run *t, u64 pages)
{
	struct logger l;

	if (!open(t, &l, this_cpu()->id, pages))
		return;
	run(t, &l, DIRTY_WRITE);
	expect_logged(t, &l, pages);
	expect_fulls(t, &l);
	EXPECT_EQ(t, flagged(&l, EPTE_D), pages);
	run(t, &l, DIRTY_WRITE);
	expect_logged(t, &l, 0);
	change(l.vm, GUEST_WINDOW, pages * PAGE_SIZE, EPTE_D, 0);
	run(t, &l, DIRTY_WRITE);
	expect_logged(t, &l, pages);
	expect_fulls(t, &l);
	EXPECT_EQ(t, *(u64 *)mem_ptr(HPA(l.frame.v + OFFSET)),
		  3 * DIRTY_ROUNDS * pages);
	close(t, &l);
}

TEST(vmx, log_writes, "the log of a vCPU names each page that it makes dirty, once",
     .vmx = true)
{
	static const u64 pages[] = { 1, 511, 512, 513, 1500 };

	if (lacks_log(t))
		return;
	for (unsigned i = 0; i < ARRAY_LEN(pages); i++)
		write_pages(t, pages[i]);
}

TEST(vmx, log_reads, "a guest that only reads sets no dirty flag and logs nothing",
     .vmx = true)
{
	struct logger l;

	if (lacks_log(t) || !open(t, &l, this_cpu()->id, 1500))
		return;
	run(t, &l, DIRTY_READ);
	expect_logged(t, &l, 0);
	EXPECT_EQ(t, flagged(&l, EPTE_A), 1500);
	EXPECT_EQ(t, flagged(&l, EPTE_D), 0);
	close(t, &l);
}

/* Of 700 entries the full log gives 512; the last exit, by the kick, gives the rest. */
TEST(vmx, log_stop, "a vCPU that is stopped leaves nothing in its log", .vmx = true,
     .aps = 1)
{
	volatile struct guest_page *page;
	struct logger l;

	if (lacks_log(t) || !open(t, &l, 1, 700))
		return;
	page = l.page;
	start(&l, DIRTY_STAY);
	while (!page->result && !vm_all_stopped(l.vm) && !test_stopped(t))
		relax();
	vm_stop(l.vm);
	EXPECT(t, !l.v->stopped && !l.v->exited);
	expect_logged(t, &l, 700);
	close(t, &l);
}

TEST(vmx, log_off, "a vCPU whose log is taken away runs without one", .vmx = true)
{
	struct logger l;

	if (lacks_log(t) || !open(t, &l, this_cpu()->id, 600))
		return;
	l.v->log = HPA(0);
	run(t, &l, DIRTY_WRITE);
	expect_logged(t, &l, 0);
	EXPECT_EQ(t, flagged(&l, EPTE_D), 600);
	change(l.vm, GUEST_WINDOW, 600 * PAGE_SIZE, EPTE_D, 0);
	l.v->log = l.log;
	run(t, &l, DIRTY_WRITE);
	expect_logged(t, &l, 600);
	l.v->log = HPA(0);
	change(l.vm, GUEST_WINDOW, 600 * PAGE_SIZE, EPTE_D, 0);
	run(t, &l, DIRTY_WRITE);
	expect_logged(t, &l, 0);
	EXPECT(t, l.v->dispatch == backend->dispatch); /* it pays for nothing */
	close(t, &l);
}
