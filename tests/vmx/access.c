/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access - what the rights in EPT entries allow, and what a violation tells
 *
 * Each row is an entry's rights and what comes of the four kinds of access.  What a
 * violation says is checked bit by bit (SDM vol. 3, 28.2.1 and 29.3.3).
 */
#include "tests/vmx/probe.h"
#include "vmx/vmx.h"

/* Rights; an o is one that is missing. */
#define ooo 0
#define Roo EPTE_R
#define oWo EPTE_W
#define ooX EPTE_X
#define RWo (EPTE_R | EPTE_W)
#define RoX (EPTE_R | EPTE_X)
#define oWX (EPTE_W | EPTE_X)
#define RWX EPTE_RWX
#define OK  DONE
#define VI  VIOLATION
#define MC  MISCONFIG

#define EPTE_SUPPRESS_VE  BIT(63)
#define PROC2_EPT_VE      BIT(18) /* EPT violations raise #VE */
#define ABSENT_BUT_FILLED BITS(63, 3)

/* A leaf under entries that allow all.  Execute-only is treated apart. */
static const struct leaf_row {
	u64 rights;
	enum outcome want[ACCESSES];
} leaf_rows[] = {
	/*      read write fetch modify */
	{ ooo, { VI, VI, VI, VI } }, /* absent */
	{ Roo, { OK, VI, VI, VI } }, /* read-only */
	{ oWo, { MC, MC, MC, MC } }, /* there is no writing without reading */
	{ RWo, { OK, OK, VI, OK } }, /* data */
	{ RoX, { OK, VI, OK, VI } }, /* code */
	{ oWX, { MC, MC, MC, MC } }, /* as above */
	{ RWX, { OK, OK, OK, OK } }, /* all */
};

/* By EPT_CAP_EXEC_ONLY. */
static const struct leaf_row exec_only_row[] = {
	{ ooX, { MC, MC, MC, MC } },
	{ ooX, { VI, VI, OK, VI } },
};

/* A leaf under one entry that does not allow all. */
struct upper_row {
	u64 upper, leaf, both;
	enum outcome want[ACCESSES];
};

static const struct upper_row upper_rows[] = {
	/*               read write fetch modify */
	{ Roo, RWX, Roo, { OK, VI, VI, VI } },
	{ RWo, RWX, RWo, { OK, OK, VI, OK } },
	{ RoX, RWX, RoX, { OK, VI, OK, VI } },
	{ RWX, Roo, Roo, { OK, VI, VI, VI } },
	{ RWX, RoX, RoX, { OK, VI, OK, VI } },
	{ RoX, RWo, Roo, { OK, VI, VI, VI } },
	{ RWo, RoX, Roo, { OK, VI, VI, VI } },
	{ RoX, RoX, RoX, { OK, VI, OK, VI } },
	{ RoX, ooo, ooo, { VI, VI, VI, VI } },
	{ oWo, RWX, ooo, { MC, MC, MC, MC } },
	{ oWX, RWX, ooo, { MC, MC, MC, MC } },
	{ Roo, oWo, ooo, { MC, MC, MC, MC } }, /* no violation comes before it */
	{ Roo, oWX, ooo, { MC, MC, MC, MC } },
};

/* Where EPT_CAP_EXEC_ONLY is offered. */
static const struct upper_row upper_exec_only_rows[] = {
	{ ooX, RWX, ooX, { VI, VI, OK, VI } }, /* a table of code alone */
	{ ooX, RoX, ooX, { VI, VI, OK, VI } },
	{ ooX, RWo, ooo, { VI, VI, VI, VI } }, /* data in it: nothing is left */
	{ RoX, ooX, ooX, { VI, VI, OK, VI } },
	{ RWo, ooX, ooo, { VI, VI, VI, VI } },
};

static void try_leaf_row(struct probe *p, const struct leaf_row *r)
{
	for (enum access a = 0; a < ACCESSES; a++) {
		probe_row(p, "level %u leaf %s, %s", p->leaf, rights_name(r->rights),
			  access_name(a));
		probe_edit(p, p->gpa, p->leaf, RWX, r->rights);
		probe_expect(p, a, want_access(p, a, r->want[a], r->rights));
	}
}

static void try_leaf(struct run *t, unsigned leaf)
{
	struct probe p;

	if (!probe_begin(&p, t, leaf))
		return;
	for (unsigned i = 0; i < ARRAY_LEN(leaf_rows); i++)
		try_leaf_row(&p, &leaf_rows[i]);
	probe_end(&p);
}

TEST(vmx, access_4k, "the rights of a 4 KiB leaf, for each kind of access", .ept = true)
{
	try_leaf(t, 0);
}

TEST(vmx, access_2m, "the rights of a 2 MiB leaf, for each kind of access", .ept = true)
{
	try_leaf(t, 1);
}

TEST(vmx, access_1g, "the rights of a 1 GiB leaf, for each kind of access", .ept = true)
{
	try_leaf(t, 2);
}

static void try_upper_row(struct probe *p, unsigned level, const struct upper_row *r)
{
	for (enum access a = 0; a < ACCESSES; a++) {
		probe_row(p, "level %u %s, level %u leaf %s, %s", level,
			  rights_name(r->upper), p->leaf, rights_name(r->leaf),
			  access_name(a));
		probe_edit(p, p->gpa, p->leaf, RWX, r->leaf);
		probe_edit(p, p->gpa, level, RWX, r->upper);
		probe_expect(p, a, want_access(p, a, r->want[a], r->both));
	}
}

/* The entries of each level from `low` to `high`, one after another. */
static void try_upper(struct probe *p, unsigned low, unsigned high,
		      const struct upper_row *rows, unsigned n)
{
	for (unsigned level = low; level <= high; level++)
		for (unsigned i = 0; i < n; i++)
			try_upper_row(p, level, &rows[i]);
}

/* Each of three levels takes something away. */
static void try_three_levels(struct probe *p)
{
	static const enum outcome want[ACCESSES] = { OK, VI, VI, VI };

	for (enum access a = 0; a < ACCESSES; a++) {
		probe_row(p, "level 2 r-x, level 1 rw-, level 0 leaf rwx, %s",
			  access_name(a));
		probe_edit(p, p->gpa, 1, EPTE_X, 0);
		probe_edit(p, p->gpa, 2, EPTE_W, 0);
		probe_expect(p, a, want_access(p, a, want[a], EPTE_R));
	}
}

TEST(vmx, access_upper, "the rights of all levels are taken together", .ept = true)
{
	struct probe p;

	if (!probe_begin(&p, t, 0))
		return;
	try_upper(&p, 1, 2, upper_rows, ARRAY_LEN(upper_rows));
	try_three_levels(&p);
	probe_end(&p);
}

TEST(vmx, access_root, "the rights of an entry of the root count as well", .ept = true)
{
	struct probe p;

	if (!probe_begin(&p, t, 0))
		return;
	if (probe_has_root(&p))
		try_upper(&p, 3, 3, upper_rows, ARRAY_LEN(upper_rows));
	probe_end(&p);
}

TEST(vmx, exec_only, "execute-only: fetches alone, or misconfigured if not offered",
     .ept = true)
{
	bool offered = vmx_caps.ept & EPT_CAP_EXEC_ONLY;
	struct probe p;

	for (unsigned leaf = 0; leaf <= backend->max_leaf(); leaf++) {
		if (!probe_begin(&p, t, leaf))
			return;
		try_leaf_row(&p, &exec_only_row[offered]);
		if (offered && !leaf)
			try_upper(&p, 1, ept_index(p.gpa.v, 3) ? 3 : 2,
				  upper_exec_only_rows,
				  ARRAY_LEN(upper_exec_only_rows));
		probe_end(&p);
	}
}

/* An entry without rights is absent, whatever else it says. */
static void try_absent(struct probe *p, unsigned low, unsigned high)
{
	static const u64 filled[] = { 0, ABSENT_BUT_FILLED };

	for (unsigned level = low; level <= high; level++)
		for (unsigned i = 0; i < ARRAY_LEN(filled); i++)
			for (enum access a = 0; a < ACCESSES; a++) {
				probe_row(p, "level %u absent, all else %s, %s", level,
					  filled[i] ? "set" : "clear", access_name(a));
				probe_edit(p, p->gpa, level, ~0ull, filled[i]);
				probe_expect(p, a, want_access(p, a, VIOLATION, 0));
			}
}

static void try_absent_leaf(struct run *t, unsigned leaf, unsigned high)
{
	struct probe p;

	if (!probe_begin(&p, t, leaf))
		return;
	try_absent(&p, leaf, high);
	probe_end(&p);
}

TEST(vmx, absent_4k, "absent entries of a 4 KiB leaf and above it", .ept = true)
{
	try_absent_leaf(t, 0, 2);
}

TEST(vmx, absent_2m, "absent entries of a 2 MiB leaf and above it", .ept = true)
{
	try_absent_leaf(t, 1, 2);
}

TEST(vmx, absent_1g, "an absent entry of a 1 GiB leaf", .ept = true)
{
	try_absent_leaf(t, 2, 2);
}

TEST(vmx, absent_root, "an absent entry of the root", .ept = true)
{
	struct probe p;

	if (!probe_begin(&p, t, 0))
		return;
	if (probe_has_root(&p))
		try_absent(&p, 3, 3);
	probe_end(&p);
}

/* Rows of one level with and without bit 63, which means nothing here. */
static void try_suppress(struct probe *p, unsigned level, u64 rights)
{
	static const u64 suppress[] = { 0, EPTE_SUPPRESS_VE };
	enum outcome want = rights & EPTE_W ? DONE : VIOLATION;

	for (unsigned i = 0; i < ARRAY_LEN(suppress); i++) {
		probe_row(p, "level %u %s, bit 63 %s, write", level,
			  rights_name(rights), suppress[i] ? "set" : "clear");
		probe_edit(p, p->gpa, level, RWX | EPTE_SUPPRESS_VE,
			   rights | suppress[i]);
		probe_expect(p, ACCESS_WRITE,
			     want_access(p, ACCESS_WRITE, want, rights));
	}
}

TEST(vmx, no_ve, "violations exit with and without bit 63, #VE being off", .ept = true)
{
	static const u64 rights[] = { ooo, Roo, RoX, RWX };
	struct probe p;

	EXPECT_EQ(t, vmx_caps.proc2 & PROC2_EPT_VE, 0);
	if (!probe_begin(&p, t, 0))
		return;
	for (unsigned level = 0; level < 3; level++)
		for (unsigned i = 0; i < ARRAY_LEN(rights); i++)
			try_suppress(&p, level, rights[i]);
	probe_end(&p);
}
