/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmx_caps - CPUs that lack something: each missing thing is named, none is overlooked
 *
 * The good CPU is the Skylake-X model of Bochs, by its capability MSRs.
 */
#include <string.h>

#include "lib/console.h"
#include "tests/host/test.h"
#include "vmx/caps.h"
#include "vmx/vmcs.h"

#define MSRS 19

struct msr {
	u32 number;
	u64 value;
};

static const struct msr skylake[MSRS] = {
	{ 0x03a, 0x5 },
	{ 0x10a, 0 },
	{ 0x480, 0x00d810000000002b | 1ull << 55 },
	{ 0x481, 0x0000007f00000016 },
	{ 0x482, 0xf7f9fffe0401e172 },
	{ 0x483, 0x007fffff00036dff },
	{ 0x484, 0x0000ffff000011ff },
	{ 0x485, 0x600401e0 },
	{ 0x486, 0x80000021 },
	{ 0x487, 0xffffffff },
	{ 0x488, 0x2000 },
	{ 0x489, 0x3727ff },
	{ 0x48a, 0x34 },
	{ 0x48b, 0x02177fff00000000 },
	{ 0x48c, 0x00000f0106334141 },
	{ 0x48d, 0x0000007f00000016 },
	{ 0x48e, 0xf7f9fffe04006172 },
	{ 0x48f, 0x007fffff00036dfb },
	{ 0x490, 0x0000ffff000011fb },
};

static struct msr now[MSRS];
static bool has_vmx, has_arch_caps;
static char said[4096];

static void hear(char c)
{
	size_t n = strlen(said);

	if (n + 1 < sizeof(said)) {
		said[n] = c;
		said[n + 1] = 0;
	}
}

static u64 *msr_of(u32 number)
{
	for (unsigned i = 0; i < MSRS; i++)
		if (now[i].number == number)
			return &now[i].value;
	panic("MSR 0x%x does not exist on this CPU", number);
}

static u64 read_msr(u32 number)
{
	return *msr_of(number);
}

static void good_cpu(void)
{
	static bool listening;

	if (!listening)
		console_add(hear);
	listening = true;
	memcpy(now, skylake, sizeof(now));
	has_vmx = true;
	has_arch_caps = false;
	said[0] = 0;
}

static const char *negotiate(struct vmx_caps *caps)
{
	struct vmx_cpu cpu = { has_vmx, has_arch_caps, read_msr };

	return vmx_caps_negotiate(caps, &cpu);
}

/* The CPU of now[] is refused, and what it says holds each of the words. */
static bool refused(const char *a, const char *b)
{
	struct vmx_caps caps;

	const char *why = negotiate(&caps);

	return why && strstr(said, why) && strstr(said, a) && (!b || strstr(said, b));
}

static unsigned lines(void)
{
	unsigned n = 0;

	for (const char *c = said; *c; c++)
		n += *c == '\n';
	return n;
}

/* Takes bits away from what a control field may set. */
static void forbid(u32 msr, u64 bits)
{
	*msr_of(msr) &= ~(bits << 32);
}

TEST(good_cpu_is_accepted)
{
	struct vmx_caps caps;

	good_cpu();
	EXPECT(!negotiate(&caps));
	EXPECT_EQ(lines(), 0);
	EXPECT_EQ(caps.revision, 0x2b);
	EXPECT_EQ(caps.pin & (PIN_EXTINT_EXIT | PIN_NMI_EXIT | PIN_TIMER),
		  PIN_EXTINT_EXIT | PIN_NMI_EXIT | PIN_TIMER);
	EXPECT_EQ(caps.pin & 0x16, 0x16);
	EXPECT_EQ(caps.proc & (PROC_CR3_LOAD | PROC_CR3_STORE), 0);
	EXPECT_EQ(caps.proc2, PROC2_EPT | PROC2_UNRESTRICTED);
	EXPECT_EQ(caps.proc2_extra, PROC2_PML);
	EXPECT_EQ(caps.ept, 0x00000f0106334141);
}

TEST(no_vmx_is_one_sentence)
{
	good_cpu();
	has_vmx = false;
	EXPECT(refused("no VMX", NULL));
	EXPECT_EQ(lines(), 1);
}

TEST(feature_control_locked_off_is_one_sentence)
{
	good_cpu();
	*msr_of(0x3a) = 1;
	EXPECT(refused("locked VMX off", NULL));
	EXPECT_EQ(lines(), 1);
}

TEST(feature_control_unlocked_is_fine)
{
	struct vmx_caps caps;

	good_cpu();
	*msr_of(0x3a) = 0;
	EXPECT(!negotiate(&caps));
}

TEST(no_ept_is_one_sentence)
{
	good_cpu();
	forbid(0x48b, PROC2_EPT);
	EXPECT(refused("enable EPT", "secondary"));
	EXPECT_EQ(lines(), 1);
}

TEST(an_interrupt_window_is_needed_and_off_at_first)
{
	struct vmx_caps caps;

	good_cpu();
	EXPECT(!negotiate(&caps));
	EXPECT_EQ(caps.proc & PROC_IRQ_WINDOW, 0);
	forbid(0x48e, PROC_IRQ_WINDOW);
	EXPECT(refused("interrupt-window exiting", "processor-based"));
	EXPECT_EQ(lines(), 1);
}

TEST(no_invept_is_one_sentence)
{
	good_cpu();
	*msr_of(0x48c) &= ~EPT_CAP_INVEPT;
	EXPECT(refused("lacks INVEPT", NULL));
	EXPECT_EQ(lines(), 1);
}

TEST(invept_without_a_type_is_refused)
{
	good_cpu();
	*msr_of(0x48c) &= ~(EPT_CAP_SINGLE | EPT_CAP_ALL);
	EXPECT(refused("without single- and all-context", NULL));
}

TEST(invept_of_one_type_suffices)
{
	struct vmx_caps caps;

	good_cpu();
	*msr_of(0x48c) &= ~EPT_CAP_SINGLE;
	EXPECT(!negotiate(&caps));
}

TEST(everything_missing_in_one_field_is_named)
{
	good_cpu();
	forbid(0x48d, PIN_EXTINT_EXIT | PIN_NMI_EXIT);
	EXPECT(refused("external-interrupt exiting", "NMI exiting"));
	EXPECT_EQ(lines(), 2);
}

TEST(what_must_be_clear_and_is_not_is_named)
{
	good_cpu();
	*msr_of(0x48e) |= PROC_CR3_LOAD;
	EXPECT(refused("no CR3-load exiting", "processor-based"));
}

TEST(without_secondary_controls_their_msr_is_not_read)
{
	good_cpu();
	forbid(0x48e, PROC_SECONDARY);
	for (unsigned i = 0; i < MSRS; i++)
		if (now[i].number == 0x48b || now[i].number == 0x48c)
			now[i].number = 0; /* reading it would panic, as it would #GP */
	EXPECT(refused("activate secondary controls", NULL));
}

TEST(old_cpus_use_the_old_msrs)
{
	struct vmx_caps caps;

	good_cpu();
	*msr_of(0x480) &= ~(1ull << 55);
	*msr_of(0x482) &= ~(PROC_CR3_LOAD | PROC_CR3_STORE);
	for (unsigned i = 0; i < MSRS; i++)
		if (now[i].number >= 0x48d)
			now[i].number = 0;
	EXPECT(!negotiate(&caps));
	EXPECT_EQ(caps.exit & 0x36dff, 0x36dff);
}

TEST(no_timer_is_no_obstacle)
{
	struct vmx_caps caps;

	good_cpu();
	forbid(0x48d, PIN_TIMER);
	EXPECT(!negotiate(&caps));
	EXPECT_EQ(caps.pin & PIN_TIMER, 0);
}

TEST(no_log_is_no_obstacle)
{
	struct vmx_caps caps;

	good_cpu();
	forbid(0x48b, PROC2_PML);
	EXPECT(!negotiate(&caps));
	EXPECT_EQ(caps.proc2_extra, 0);
	EXPECT_EQ(caps.proc2, PROC2_EPT | PROC2_UNRESTRICTED);
}

TEST(a_log_without_dirty_flags_is_none)
{
	struct vmx_caps caps;

	good_cpu();
	*msr_of(0x48c) &= ~EPT_CAP_AD;
	EXPECT(!negotiate(&caps));
	EXPECT_EQ(caps.proc2_extra, 0);
}

/* Reading an MSR that does not exist would #GP. */
TEST(without_arch_capabilities_a_multihit_is_feared)
{
	struct vmx_caps caps;

	good_cpu();
	for (unsigned i = 0; i < MSRS; i++)
		if (now[i].number == 0x10a)
			now[i].number = 0;
	EXPECT(!negotiate(&caps));
	EXPECT_EQ(caps.multihit, true);
}

TEST(only_its_own_bit_rules_a_multihit_out)
{
	struct vmx_caps caps;

	good_cpu();
	has_arch_caps = true;
	*msr_of(0x10a) = ~0x40ull;
	EXPECT(!negotiate(&caps));
	EXPECT_EQ(caps.multihit, true);
	*msr_of(0x10a) = 0x40;
	EXPECT(!negotiate(&caps));
	EXPECT_EQ(caps.multihit, false);
}
