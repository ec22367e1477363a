/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk - EPT rights of the pages that hold the guest's page tables, and the flags A, D
 *
 * The CPU reads a guest's page table through the EPT like any data.  With the EPT's
 * own flags on, each such read counts as a write: it needs the right and sets D (SDM
 * vol. 3, 29.3.3.2 and 29.3.5).  With them off it is a write only where the walk has
 * to set A or D in the guest's entry.
 *
 * The root of the guest's tables, alone among them, maps the guest's code as well, and
 * the guest loads CR3 itself.  So a root that cannot be walked is met by the fetch of
 * the next instruction: entry 0, and the address is the guest's RIP.
 */
#include "tests/vmx/probe.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/platform.h"
#include "vmx/vmx.h"

#define ROOT      3
#define EPT_FLAGS (EPTE_A | EPTE_D)
#define WALK_READ EPTE_R
#define WALK_FLAG EPTE_W            /* setting A or D in the guest's entry */
#define WALK_BOTH (EPTE_R | EPTE_W) /* any, with the EPT's flags on        */

/* Rights of a guest table's page, and what a walk comes to. */
struct walk_row {
	u64 rights;
	enum outcome want;
	u64 by; /* bits 2:0 of a violation */
};

static const struct walk_row flags_on_rows[] = {
	{ 0, VIOLATION, WALK_BOTH },
	{ EPTE_R, VIOLATION, WALK_BOTH },
	{ EPTE_R | EPTE_X, VIOLATION, WALK_BOTH },
	{ EPTE_R | EPTE_W, DONE, 0 },
};

static const struct walk_row flags_off_rows[] = {
	{ 0, VIOLATION, WALK_READ },
	{ EPTE_R, DONE, 0 },
	{ EPTE_R | EPTE_X, DONE, 0 },
	{ EPTE_R | EPTE_W, DONE, 0 },
};

/* Where EPT_CAP_EXEC_ONLY is offered; without and with the EPT's flags. */
static const struct walk_row exec_only_row[] = {
	{ EPTE_X, VIOLATION, WALK_READ },
	{ EPTE_X, VIOLATION, WALK_BOTH },
};

/*
 * A violation by the walk through the guest's table of `level`.  Setting a flag is a
 * read and a write in one: whether bit 0 is set too is up to the implementation.
 */
static struct want want_walk(const struct probe *p, unsigned level, u64 by, u64 rights,
			     enum outcome outcome)
{
	struct want w = want_access(p, ACCESS_READ, outcome, rights);
	bool code = level == ROOT && by != WALK_FLAG;
	unsigned index = (unsigned)(p->linear >> (PAGE_SHIFT + 9 * level)) % 512;

	w.care &= ~(QUAL_USER | QUAL_WRITABLE | QUAL_NO_EXECUTE);
	w.qualification = by | field_put(QUAL_RIGHTS, rights) | QUAL_LINEAR;
	if (by == WALK_FLAG)
		w.care &= ~EPTE_R;
	w.linear = code ? 0 : p->linear;
	w.gpa = GPA(probe_table(level).v + (code ? 0 : index * sizeof(u64)));
	return w;
}

static void try_walk(struct probe *p, const struct walk_row *r, u64 care)
{
	for (unsigned level = 0; level <= ROOT; level++)
		for (enum access a = 0; a < ACCESSES; a++) {
			struct want w = want_walk(p, level, r->by, r->rights, r->want);

			w.care &= care;
			w.qualification &= care;
			probe_row(p, "guest's table of level %u %s, %s", level,
				  rights_name(r->rights), access_name(a));
			probe_edit(p, probe_table(level), 0, EPTE_RWX, r->rights);
			probe_expect(p, a, w);
		}
}

static void try_walks(struct run *t, bool flags, u64 care)
{
	const struct walk_row *rows = flags ? flags_on_rows : flags_off_rows;
	unsigned n = flags ? ARRAY_LEN(flags_on_rows) : ARRAY_LEN(flags_off_rows);
	struct probe p;

	if (!probe_begin(&p, t, 0))
		return;
	if (probe_flags(&p, flags)) {
		for (unsigned i = 0; i < n; i++)
			try_walk(&p, &rows[i], care);
		if (vmx_caps.ept & EPT_CAP_EXEC_ONLY)
			try_walk(&p, &exec_only_row[flags], care);
	}
	probe_end(&p);
}

TEST(vmx, guest_walk, "rights of the guest's page tables, EPT flags off", .ept = true)
{
	try_walks(t, false, ~0ull);
}

/* All bits but bit 0, which has a test of its own. */
TEST(vmx, guest_walk_ad, "rights of the guest's page tables, EPT flags on", .ept = true)
{
	try_walks(t, true, ~EPTE_R);
}

TEST(vmx, guest_walk_ad_read, "with EPT flags on a walk is a read and a write",
     .ept = true)
{
	if (platform_emulator())
		test_skip(t, "%s leaves bit 0 of the qualification clear",
			  platform_emulator());
	else
		try_walks(t, true, EPTE_R);
}

/* What the guest's entry lacks, what the guest does, and what its walk must set. */
struct flag_row {
	unsigned level;
	u64 clear;
	enum access access;
	u64 set;
};

static const struct flag_row flag_rows[] = {
	{ 3, PTE_A, ACCESS_READ, PTE_A },
	{ 2, PTE_A, ACCESS_READ, PTE_A },
	{ 1, PTE_A, ACCESS_WRITE, PTE_A },
	{ 0, PTE_A, ACCESS_READ, PTE_A },
	{ 0, PTE_A, ACCESS_FETCH, PTE_A },
	{ 0, PTE_D, ACCESS_WRITE, PTE_D },
	{ 0, PTE_D, ACCESS_MODIFY, PTE_D },
	{ 0, PTE_A | PTE_D, ACCESS_WRITE, PTE_A | PTE_D },
	{ 0, PTE_A | PTE_D, ACCESS_READ, PTE_A },
	{ 0, PTE_D, ACCESS_READ, 0 },
	{ 0, PTE_D, ACCESS_FETCH, 0 },
};

static void try_flag(struct probe *p, const struct flag_row *r, u64 rights)
{
	u64 *pte = probe_pte(p, r->level), was = *pte, is;
	bool refused = r->set && !(rights & EPTE_W);

	probe_row(p, "guest's table of level %u %s, its entry lacks 0x%lx, %s",
		  r->level, rights_name(rights), r->clear, access_name(r->access));
	*(volatile u64 *)pte = was & ~r->clear;
	probe_edit(p, probe_table(r->level), 0, EPTE_RWX, rights);
	probe_expect(
		p, r->access,
		want_walk(p, r->level, WALK_FLAG, rights, refused ? VIOLATION : DONE));
	is = *(volatile u64 *)pte;
	if (is != ((was & ~r->clear) | r->set))
		probe_fail(p, "the guest's entry is 0x%lx, want 0x%lx", is,
			   (was & ~r->clear) | r->set);
	*(volatile u64 *)pte = was;
}

/* The rows whose walk sets one of `flags`; 0: those that set none. */
static void try_flags(struct run *t, u64 flags, u64 rights)
{
	struct probe p;

	if (!probe_begin(&p, t, 0))
		return;
	if (probe_flags(&p, false))
		for (unsigned i = 0; i < ARRAY_LEN(flag_rows); i++)
			if (flags ? flag_rows[i].set & flags : !flag_rows[i].set)
				try_flag(&p, &flag_rows[i], rights);
	probe_end(&p);
}

TEST(vmx, guest_flags, "a walk sets the guest's A and D where it may write",
     .ept = true)
{
	try_flags(t, PTE_A | PTE_D, EPTE_R | EPTE_W);
}

TEST(vmx, guest_flags_none, "a walk that sets nothing needs no right to write",
     .ept = true)
{
	try_flags(t, 0, EPTE_R);
}

static void try_refused(struct run *t, u64 flag, const char *name)
{
	if (platform_emulator())
		test_skip(t,
			  "%s sets the guest's %s without a look at the EPT's rights",
			  platform_emulator(), name);
	else
		try_flags(t, flag, EPTE_R);
}

TEST(vmx, guest_flags_no_a, "setting the guest's A needs the right to write",
     .ept = true)
{
	try_refused(t, PTE_A, "A");
}

TEST(vmx, guest_flags_no_d, "setting the guest's D needs the right to write",
     .ept = true)
{
	try_refused(t, PTE_D, "D");
}

/* Which flags an access sets in the leaf's entry. */
static const u64 leaf_flags[ACCESSES] = {
	[ACCESS_READ] = EPTE_A,
	[ACCESS_WRITE] = EPTE_A | EPTE_D,
	[ACCESS_FETCH] = EPTE_A,
	[ACCESS_MODIFY] = EPTE_A | EPTE_D,
};

static void expect_flags(struct probe *p, gpa_t gpa, unsigned level, const char *what,
			 u64 want)
{
	u64 is = epte_load(probe_entry(p, gpa, level)).raw & EPT_FLAGS;

	if (is != want)
		probe_fail(p, "%s, level %u: flags are 0x%lx, want 0x%lx", what, level,
			   is, want);
}

/* From clear flags everywhere on the way. */
static void try_access_flags(struct probe *p, enum access a, bool on)
{
	enum outcome outcome;

	probe_row(p, "level %u leaf, flags %s, %s", p->leaf, on ? "on" : "off",
		  access_name(a));
	for (unsigned level = p->leaf; level < EPT_LEVELS; level++)
		probe_edit(p, p->gpa, level, EPT_FLAGS, 0);
	for (unsigned i = 0; i < EPT_LEVELS; i++)
		probe_edit(p, probe_table(i), 0, EPT_FLAGS, 0);
	outcome = probe_try(p, a);
	if (outcome != DONE)
		probe_fail(p, "there is an exit");
	expect_flags(p, p->gpa, p->leaf, "the leaf", on ? leaf_flags[a] : 0);
	for (unsigned level = p->leaf + 1; level < EPT_LEVELS; level++)
		expect_flags(p, p->gpa, level, "above it", on ? EPTE_A : 0);
	for (unsigned i = 0; i < EPT_LEVELS; i++)
		expect_flags(p, probe_table(i), 0, "a guest's table",
			     on ? EPTE_A | EPTE_D : 0);
	probe_restore(p);
}

static void try_all_flags(struct run *t, unsigned leaf, bool on)
{
	struct probe p;

	if (!probe_begin(&p, t, leaf))
		return;
	if (probe_flags(&p, on))
		for (enum access a = 0; a < ACCESSES; a++)
			try_access_flags(&p, a, on);
	probe_end(&p);
}

TEST(vmx, ad_flags_4k, "A and D on the way to a 4 KiB leaf", .ept = true)
{
	try_all_flags(t, 0, true);
}

TEST(vmx, ad_flags_2m, "A and D on the way to a 2 MiB leaf", .ept = true)
{
	try_all_flags(t, 1, true);
}

TEST(vmx, ad_flags_1g, "A and D on the way to a 1 GiB leaf", .ept = true)
{
	try_all_flags(t, 2, true);
}

TEST(vmx, ad_flags_off, "no flag is set where flags are off", .ept = true)
{
	try_all_flags(t, 0, false);
}
