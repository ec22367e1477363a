/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe - one access by a guest through EPT entries that a test has changed
 *
 * A guest on this CPU touches one word through page tables of its own:
 *
 *   CR3 -> PML4[1] -> PDPT[2] -> PD[3] -> PT[4] -> page of the word   guest-physical
 *             |          |         |        |          |
 *            EPT        EPT       EPT      EPT        EPT              4 levels each
 *             |          |         |        |          |
 *   block: page 3     page 2    page 1   page 0    page 0x155          host-physical
 *
 * The tables have an EPT leaf of 4 KiB each and lie under another EPT entry of level 2
 * than the word; the guest's code has its own.  So an entry that a row changes stands
 * in the way of one thing alone.  The word lies under an entry of the root of its own
 * as well, where physical addresses are wide enough for a second one.
 *
 * After a violation the fault callback puts the entries back and the guest tries again
 * by itself.  A misconfiguration stops it (vm/policy.c): it begins anew.  Either way it
 * must end with the right value, so that nothing but the row's change was in the way.
 *
 * Entries change while no vCPU runs or in the callback, with INVEPT after it.  A leaf
 * of 1 GiB covers memory that is not the guest's; the guest touches its word alone.
 */
#include "tests/vmx/probe.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/paging.h"
#include "lib/console.h"
#include "lib/str.h"
#include "mm/mem.h"
#include "vmx/vmx.h"

#define BUDGET        200000
#define PML4          GPA(PAGE_SIZE) /* that guest_load() made */
#define TABLES        (1 * SIZE_1G)
#define WINDOW        (3 * SIZE_1G)
#define ROOT_SPAN     BIT(39)
#define PAGE          0x155000 /* of the word, in the block */
#define WORD          0x5c0    /* in its page; where an instruction fetch begins */
#define TABLE_BITS    (PTE_P | PTE_W | PTE_A)
#define CPUID_WIDTHS  0x80000008
#define MISCONFIGURED "its EPT has a misconfigured entry"

/* Of the entry for the word, in the guest's tables by level. */
static const unsigned pte_index[EPT_LEVELS] = { 4, 3, 2, 1 };

/* The probe of the running test: a fault callback has only its vCPU. */
static struct probe *running;

unsigned physical_bits(void)
{
	return cpuid(CPUID_WIDTHS, 0).eax & 0xff;
}

const char *access_name(enum access access)
{
	static const char *const name[ACCESSES] = { "read", "write", "fetch",
						    "modify" };

	return name[access];
}

const char *rights_name(u64 rights)
{
	static const char *const name[] = { "---", "r--", "-w-", "rw-",
					    "--x", "r-x", "-wx", "rwx" };

	return name[rights & EPTE_RWX];
}

gpa_t probe_table(unsigned level)
{
	return GPA(TABLES + level * PAGE_SIZE);
}

u64 *probe_pte(const struct probe *p, unsigned level)
{
	return (u64 *)mem_ptr(HPA(p->block.v + level * PAGE_SIZE)) + pte_index[level];
}

static volatile u64 *word_of(const struct probe *p)
{
	return mem_ptr(HPA(p->block.v + PAGE + WORD));
}

epte_t *probe_entry(const struct probe *p, gpa_t gpa, unsigned level)
{
	hpa_t table = p->vm->ept.root;

	for (unsigned l = EPT_LEVELS - 1;; l--) {
		epte_t *slot = (epte_t *)mem_ptr(table) + ept_index(gpa.v, l);

		if (l == level)
			return slot;
		assert(epte_present(p->vm->ept.format, epte_load(slot)) &&
		       !epte_is_leaf(epte_load(slot), l));
		table = epte_addr(epte_load(slot));
	}
}

void probe_edit(struct probe *p, gpa_t gpa, unsigned level, u64 clear, u64 set)
{
	epte_t *slot = probe_entry(p, gpa, level), was = epte_load(slot);

	assert(p->edits < PROBE_EDITS);
	p->edit[p->edits].slot = slot;
	p->edit[p->edits++].was = was;
	epte_store(slot, (epte_t){ (was.raw & ~clear) | set });
}

void probe_restore(struct probe *p)
{
	while (p->edits) {
		p->edits--;
		epte_store(p->edit[p->edits].slot, p->edit[p->edits].was);
	}
	backend->flush(p->vm->inval.root);
}

static bool on_fault(struct vcpu *v)
{
	struct probe *p = running;

	if (p->faults++)
		return false;
	p->exit = v->exit;
	p->rip = backend->guest_rip();
	p->early = *word_of(p) != p->word;
	probe_restore(p);
	return true;
}

void probe_row(struct probe *p, const char *f, ...)
{
	va_list ap;

	va_start(ap, f);
	fmt_str_va(p->row, sizeof(p->row), f, ap);
	va_end(ap);
}

/* The reason that a test keeps is its first one, so each goes to the log as well. */
void probe_fail(struct probe *p, const char *f, ...)
{
	char text[120];
	va_list ap;

	va_start(ap, f);
	fmt_str_va(text, sizeof(text), f, ap);
	va_end(ap);
	print("# %s: %s\n", p->row, text);
	test_fail(p->t, "%s: %s", p->row, text);
}

/* Lets large leaves have X: here no leaf changes its size, and no X is held back. */
static enum err allow_fetch(struct ept *e, struct gather *g)
{
	e->can.large_exec = true;
	return ept_protect(e, GPA(0), SIZE_2M, EPTE_RWX, g);
}

static enum err map_block(struct probe *p)
{
	static const u64 size[] = { PAGE_SIZE, SIZE_2M, SIZE_1G };
	struct gather g = gather_init();
	struct ept *e = &p->vm->ept;
	u64 len = size[p->leaf], word = p->block.v + PAGE + WORD;
	u64 base = WINDOW + (physical_bits() > 39 ? ROOT_SPAN : 0);
	enum err err;

	p->gpa = GPA(base + word % len);
	err = allow_fetch(e, &g);
	if (!err)
		err = ept_map(e, GPA(base), HPA(ALIGN_DOWN(word, len)), len, EPT_RWX,
			      &g);
	for (unsigned i = 0; i < EPT_LEVELS && !err; i++)
		err = ept_map(e, probe_table(i), HPA(p->block.v + i * PAGE_SIZE),
			      PAGE_SIZE, EPT_RWX, &g);
	return err;
}

/* A walk finds A and D set in the guest's entries, so it never has to set them. */
static void build_tables(struct probe *p)
{
	u64 *low = vm_ptr(p->vm, PML4, PAGE_SIZE);
	u64 *pml4 = mem_ptr(HPA(p->block.v + 3 * PAGE_SIZE));

	memset(mem_ptr(p->block), 0, EPT_LEVELS * PAGE_SIZE);
	for (unsigned level = 1; level < EPT_LEVELS; level++)
		*probe_pte(p, level) = probe_table(level - 1).v | TABLE_BITS;
	*probe_pte(p, 0) = ALIGN_DOWN(p->gpa.v, PAGE_SIZE) | TABLE_BITS | PTE_D;
	pml4[0] = low[0];
	p->linear = WORD;
	for (unsigned level = 0; level < EPT_LEVELS; level++)
		p->linear |= (u64)pte_index[level] << (PAGE_SHIFT + 9 * level);
}

static const char *build_guest(struct probe *p)
{
	const struct guest *g = guest_find("access");
	const char *why = "no such payload";

	if (g)
		why = guest_load(p->vm, g->start, g->end - g->start, g->mode);
	if (!why && vm_add_vcpu(p->vm, 0, &p->v))
		why = "no memory for a vCPU";
	if (!why && map_block(p))
		why = "no memory for the EPT";
	if (why)
		return why;
	p->v->budget = backend->has_timer() ? BUDGET : 0;
	p->vm->fault = on_fault;
	build_tables(p);
	return NULL;
}

bool probe_begin(struct probe *p, struct run *t, unsigned leaf)
{
	static const char *const size[] = { "4 KiB", "2 MiB", "1 GiB" };
	const char *why;

	*p = (struct probe){ .t = t, .leaf = leaf };
	running = p;
	if (leaf > backend->max_leaf()) {
		test_skip(t, "this CPU has no EPT pages of %s", size[leaf]);
		return false;
	}
	if (pool_alloc(t->pool, POOL_ORDER_2M, &p->block)) {
		test_fail(t, "no memory for the block");
		return false;
	}
	if (vm_create(&p->vm, t->pool, inval_protos[0], 1)) {
		test_fail(t, "no memory for a VM");
		pool_free(t->pool, p->block);
		return false;
	}
	why = build_guest(p);
	if (why) {
		test_fail(t, "%s", why);
		probe_end(p);
	}
	return !why;
}

void probe_end(struct probe *p)
{
	probe_restore(p);
	vm_destroy(p->vm);
	pool_free(p->t->pool, p->block);
}

bool probe_has_root(struct probe *p)
{
	if (ept_index(p->gpa.v, EPT_LEVELS - 1))
		return true;
	test_skip(p->t, "%u physical address bits leave one entry of the EPT's root",
		  physical_bits());
	return false;
}

bool probe_flags(struct probe *p, bool on)
{
	if (on && !(vmx_caps.ept & EPT_CAP_AD)) {
		test_skip(p->t, "this CPU has no accessed and dirty flags for EPT");
		return false;
	}
	p->vm->ept.can.ad = on;
	p->vm->inval.root = ept_pointer(&p->vm->ept);
	store_relaxed(&p->v->reader->root, p->vm->inval.root);
	return true;
}

static enum outcome run_guest(struct probe *p)
{
	struct vcpu *v = p->v;

	p->faults = 0;
	backend->flush(p->vm->inval.root);
	vm_start(p->vm);
	if (v->exited && !v->exit_code)
		return p->faults ? VIOLATION : DONE;
	if (v->stopped && !strcmp(v->stopped, MISCONFIGURED))
		return MISCONFIG;
	return STRANGE;
}

static void check_value(struct probe *p, enum access access, u64 result)
{
	u64 sum = p->word + p->operand, code = (u32)(p->word >> 8);
	const u64 told[ACCESSES] = { p->word, p->operand, code, p->word };
	const u64 left[ACCESSES] = { p->word, p->operand, p->word, sum };

	if (result != told[access])
		probe_fail(p, "the guest got 0x%lx, want 0x%lx", result, told[access]);
	if (*word_of(p) != left[access])
		probe_fail(p, "the word is 0x%lx, want 0x%lx", *word_of(p),
			   left[access]);
}

enum outcome probe_try(struct probe *p, enum access access)
{
	struct access_order *o = vm_ptr(p->vm, vm_page_gpa(p->vm, 0), PAGE_SIZE);
	enum outcome outcome;

	p->operand = rng_next(&p->t->rng);
	p->word = ACCESS_WORD(rng_next(&p->t->rng));
	*word_of(p) = p->word;
	*o = (struct access_order){ .access = access,
				    .tables = probe_table(3).v,
				    .at = p->linear,
				    .operand = p->operand };
	outcome = run_guest(p);
	if (outcome == MISCONFIG) {
		p->exit = p->v->exit;
		probe_restore(p);
		if (run_guest(p) != DONE)
			probe_fail(p, "it fails as well with the entry put back");
	}
	if (outcome != STRANGE)
		check_value(p, access, o->result);
	return outcome;
}

static const char *outcome_name(const struct probe *p, enum outcome outcome)
{
	static const char *const name[] = { "no exit", "violation",
					    "misconfiguration" };

	if (outcome != STRANGE)
		return name[outcome];
	return p->v->stopped ? p->v->stopped : "a guest without a word";
}

static void compare_violation(struct probe *p, const struct want *w)
{
	u64 qualification = p->exit.qualification & w->care;
	u64 linear = w->linear ? w->linear : p->rip;

	if (qualification != w->qualification)
		probe_fail(p, "qualification is 0x%lx, want 0x%lx, of bits 0x%lx",
			   qualification, w->qualification, w->care);
	if (p->exit.linear != linear)
		probe_fail(p, "linear address is 0x%lx, want 0x%lx", p->exit.linear,
			   linear);
	if (p->faults != 1)
		probe_fail(p, "there are %u violations, want one", p->faults);
	if (p->early)
		probe_fail(p, "the word has changed though the access was refused");
}

void probe_expect(struct probe *p, enum access access, struct want want)
{
	enum outcome outcome = probe_try(p, access);

	if (outcome != want.outcome)
		probe_fail(p, "is '%s', want '%s'", outcome_name(p, outcome),
			   outcome_name(p, want.outcome));
	else if (outcome != DONE && p->exit.gpa.v != want.gpa.v)
		probe_fail(p, "address is 0x%lx, want 0x%lx", p->exit.gpa.v,
			   want.gpa.v);
	if (outcome == VIOLATION && want.outcome == VIOLATION)
		compare_violation(p, &want);
	probe_restore(p);
}

/*
 * SDM vol. 3, 28.2.1.  An instruction that reads and writes sets bit 1; whether it sets
 * bit 0 as well is up to the implementation.  Bits 11:9 tell of the guest's own
 * entries: supervisor, writable, executable.  All others are 0, bit 12 because no NMI
 * is near.
 */
struct want want_access(const struct probe *p, enum access access, enum outcome outcome,
			u64 rights)
{
	static const u64 by[ACCESSES] = { EPTE_R, EPTE_W, EPTE_X, EPTE_W };
	const u64 more = QUAL_USER | QUAL_WRITABLE | QUAL_NO_EXECUTE;
	struct want w = { .outcome = outcome,
			  .gpa = p->gpa,
			  .linear = p->linear,
			  .care = ~(QUAL_USER_X | more) };

	w.qualification = by[access] | field_put(QUAL_RIGHTS, rights) | QUAL_LINEAR |
			  QUAL_FINAL;
	if (access == ACCESS_MODIFY)
		w.care &= ~EPTE_R;
	if (vmx_caps.ept & EPT_CAP_ADVANCED) {
		w.care |= more;
		w.qualification |= QUAL_WRITABLE;
	}
	return w;
}
