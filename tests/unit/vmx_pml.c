/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmx_pml - the entries of a log that count are those above the index, oldest first
 */
#include "tests/host/test.h"
#include "vmx/pml.h"

static u64 log[PML_ENTRIES];
static gpa_t heard[PML_ENTRIES + 1];
static unsigned count;

static void hear(struct vcpu *v, gpa_t gpa)
{
	(void)v;
	if (count <= PML_ENTRIES)
		heard[count++] = gpa;
}

/* An emulator stores whole addresses: what is heard names pages all the same. */
#define OFFSET 0x7f8

/* Walks a log of which the CPU has written all above `index`. */
static void walk(u16 index)
{
	static struct vcpu v = { .logged = hear };

	for (u64 i = 0; i < PML_ENTRIES; i++)
		log[i] = (i + 1) * PAGE_SIZE + OFFSET;
	count = 0;
	pml_walk(&v, log, index);
}

TEST(an_untouched_log_is_empty)
{
	walk(511);
	EXPECT_EQ(count, 0);
}

TEST(the_first_entry_is_the_last_of_the_page)
{
	walk(510);
	EXPECT_EQ(count, 1);
	EXPECT_EQ(heard[0].v, 512 * PAGE_SIZE);
}

TEST(entry_0_alone_may_be_free)
{
	walk(0);
	EXPECT_EQ(count, 511);
	EXPECT_EQ(heard[510].v, 2 * PAGE_SIZE);
}

TEST(a_full_log_has_all_entries_oldest_first)
{
	walk(0xffff);
	EXPECT_EQ(count, 512);
	for (u64 i = 0; i < count; i++)
		EXPECT_EQ(heard[i].v, (PML_ENTRIES - i) * PAGE_SIZE);
}

TEST(an_index_that_no_cpu_leaves_is_a_bug)
{
	EXPECT_PANIC(walk(512));
	EXPECT_PANIC(walk(0xfffe));
}
