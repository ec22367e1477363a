/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * misconfig - bits of EPT entries that must not be set, and bits that may be
 *
 * Each bit is tried alone (SDM vol. 3, 29.3.2, tables of the entries, and 29.3.3.1).
 * Where an address would go astray if hardware took the bit, the guest only reads.
 * The qualification of a misconfiguration is undefined, so nobody looks at it.
 */
#include "tests/vmx/probe.h"
#include "arch/x86_64/platform.h"
#include "vmx/vmx.h"

#define PROC2_MODE_EXECUTE BIT(22) /* bit 10 of an entry is a right of its own */
#define ADDRESS_TOP        51      /* of an entry's address field */

static void try_bit(struct probe *p, unsigned level, unsigned bit, enum access a,
		    enum outcome want)
{
	probe_row(p, "level %u leaf, level %u bit %u set, %s", p->leaf, level, bit,
		  access_name(a));
	probe_edit(p, p->gpa, level, 0, BIT(bit));
	probe_expect(p, a, want_access(p, a, want, 0));
}

static void try_bits(struct probe *p, unsigned level, u64 bits, unsigned accesses,
		     enum outcome want)
{
	for (unsigned bit = 0; bit < 64; bit++)
		for (enum access a = 0; bits & BIT(bit) && a < accesses; a++)
			try_bit(p, level, bit, a, want);
}

/* Which types of memory a leaf may have (29.3.7). */
static const enum outcome type_want[] = {
	DONE,      /* UC */
	DONE,      /* WC */
	MISCONFIG, /* reserved */
	MISCONFIG, /* reserved */
	DONE,      /* WT */
	DONE,      /* WP */
	DONE,      /* WB */
	MISCONFIG, /* reserved */
};

/*
 * The host's own mapping of the word is write-back.  Where the guest's has another type
 * it only reads: a store of the guest might not be seen at once.
 */
static void try_type(struct probe *p, unsigned type)
{
	enum outcome want = type_want[type];
	unsigned accesses = want == DONE && type != EPT_WB ? 1 : ACCESSES;

	for (enum access a = 0; a < accesses; a++) {
		probe_row(p, "level %u leaf, memory type %u, %s", p->leaf, type,
			  access_name(a));
		probe_edit(p, p->gpa, p->leaf, EPTE_TYPE, field_put(EPTE_TYPE, type));
		probe_expect(p, a, want_access(p, a, want, EPTE_RWX));
	}
}

static void try_types(struct run *t, unsigned leaf)
{
	struct probe p;

	if (!probe_begin(&p, t, leaf))
		return;
	for (unsigned type = 0; type < ARRAY_LEN(type_want); type++)
		try_type(&p, type);
	probe_end(&p);
}

TEST(vmx, misconfig_type_4k, "memory types of a 4 KiB leaf", .ept = true)
{
	try_types(t, 0);
}

TEST(vmx, misconfig_type_2m, "memory types of a 2 MiB leaf", .ept = true)
{
	try_types(t, 1);
}

TEST(vmx, misconfig_type_1g, "memory types of a 1 GiB leaf", .ept = true)
{
	try_types(t, 2);
}

#define TABLE_RESERVED BITS(6, 3) /* of an entry that points to a table */
#define TABLE_FREE     (BITS(62, 52) | BIT(11) | BIT(10) | EPTE_D)
#define LEAF_FREE      (BITS(62, 52) | BIT(11) | BIT(10) | EPTE_IPAT)

/* In each entry between the root and the leaf. */
static void try_tables(struct run *t, unsigned leaf)
{
	struct probe p;

	if (!probe_begin(&p, t, leaf))
		return;
	for (unsigned level = leaf + 1; level < 3; level++)
		try_bits(&p, level, TABLE_RESERVED, ACCESSES, MISCONFIG);
	probe_end(&p);
}

TEST(vmx, misconfig_table_4k, "bits 6:3 of the entries above a 4 KiB leaf", .ept = true)
{
	try_tables(t, 0);
}

TEST(vmx, misconfig_table_2m, "bits 6:3 of the entry above a 2 MiB leaf", .ept = true)
{
	try_tables(t, 1);
}

/* Bits of the address field that no address of this CPU has. */
static u64 beyond(void)
{
	unsigned bits = physical_bits();

	return bits > ADDRESS_TOP ? 0 : BITS(ADDRESS_TOP, bits);
}

static void try_beyond(struct run *t, unsigned leaf)
{
	struct probe p;

	if (!beyond()) {
		test_skip(t, "this CPU uses all %u address bits", ADDRESS_TOP + 1);
		return;
	}
	if (!probe_begin(&p, t, leaf))
		return;
	for (unsigned level = leaf; level < 3; level++)
		try_bits(&p, level, beyond(), 1, MISCONFIG);
	probe_end(&p);
}

TEST(vmx, misconfig_width_4k, "addresses too wide, of a 4 KiB leaf and above",
     .ept = true)
{
	try_beyond(t, 0);
}

TEST(vmx, misconfig_width_2m, "addresses too wide, of a 2 MiB leaf and above",
     .ept = true)
{
	try_beyond(t, 1);
}

TEST(vmx, misconfig_width_1g, "addresses too wide, of a 1 GiB leaf", .ept = true)
{
	try_beyond(t, 2);
}

TEST(vmx, misconfig_root, "reserved bits of an entry of the root", .ept = true)
{
	struct probe p;

	if (!probe_begin(&p, t, 0))
		return;
	if (probe_has_root(&p)) {
		try_bits(&p, 3, TABLE_RESERVED | EPTE_LEAF, ACCESSES, MISCONFIG);
		try_bits(&p, 3, beyond(), 1, MISCONFIG);
	}
	probe_end(&p);
}

/* A large leaf begins on a multiple of its size. */
static void try_unaligned(struct run *t, unsigned leaf, u64 bits)
{
	struct probe p;

	if (!probe_begin(&p, t, leaf))
		return;
	try_bits(&p, leaf, bits, 1, MISCONFIG);
	probe_end(&p);
}

TEST(vmx, misconfig_low_2m, "address bits 20:13 of a 2 MiB leaf", .ept = true)
{
	try_unaligned(t, 1, BITS(20, 13));
}

TEST(vmx, misconfig_low_1g, "address bits 29:13 of a 1 GiB leaf", .ept = true)
{
	try_unaligned(t, 2, BITS(29, 13));
}

/* In the tables of the CPU itself this bit is a large page's PAT. */
static void try_bit_12(struct run *t, unsigned leaf)
{
	if (platform_emulator())
		test_skip(t, "%s takes bit 12 of a large leaf for no misconfiguration",
			  platform_emulator());
	else
		try_unaligned(t, leaf, BIT(12));
}

TEST(vmx, misconfig_bit_12_2m, "address bit 12 of a 2 MiB leaf", .ept = true)
{
	try_bit_12(t, 1);
}

TEST(vmx, misconfig_bit_12_1g, "address bit 12 of a 1 GiB leaf", .ept = true)
{
	try_bit_12(t, 2);
}

/* Bit 7 makes a leaf of what was a table, at levels where that is not offered. */
TEST(vmx, misconfig_large, "large leaves that the CPU does not offer", .ept = true)
{
	struct probe p;

	if (backend->max_leaf() == 2) {
		test_skip(t, "this CPU offers leaves of all sizes");
		return;
	}
	if (!probe_begin(&p, t, 0))
		return;
	for (unsigned level = backend->max_leaf() + 1; level < 3; level++)
		try_bits(&p, level, EPTE_LEAF, 1, MISCONFIG);
	probe_end(&p);
}

/* All of them at once as well, for each kind of access. */
static void try_free(struct probe *p, unsigned level, u64 bits)
{
	try_bits(p, level, bits, 1, DONE);
	for (enum access a = 0; a < ACCESSES; a++) {
		probe_row(p, "level %u leaf, level %u bits 0x%lx set, %s", p->leaf,
			  level, bits, access_name(a));
		probe_edit(p, p->gpa, level, 0, bits);
		probe_expect(p, a, want_access(p, a, DONE, 0));
	}
}

/* Some have a meaning where a feature is on that is off here; IPAT always has one. */
static void try_all_free(struct run *t, unsigned leaf)
{
	struct probe p;

	EXPECT_EQ(t, vmx_caps.proc2 & PROC2_MODE_EXECUTE, 0);
	if (!probe_begin(&p, t, leaf))
		return;
	try_free(&p, leaf, LEAF_FREE | (leaf ? 0 : EPTE_LEAF));
	for (unsigned level = leaf + 1; level < 3; level++)
		try_free(&p, level, TABLE_FREE);
	if (!leaf && ept_index(p.gpa.v, 3))
		try_free(&p, 3, TABLE_FREE);
	probe_end(&p);
}

TEST(vmx, free_bits_4k, "bits that may be set, of a 4 KiB leaf and above", .ept = true)
{
	try_all_free(t, 0);
}

TEST(vmx, free_bits_2m, "bits that may be set, of a 2 MiB leaf and above", .ept = true)
{
	try_all_free(t, 1);
}

TEST(vmx, free_bits_1g, "bits that may be set, of a 1 GiB leaf", .ept = true)
{
	try_all_free(t, 2);
}
