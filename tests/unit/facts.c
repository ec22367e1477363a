/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - what CPUs say of themselves, decoded: none is given what it does not say
 *
 * A CPU here is a table of leaves; one that is not there reads as zeros, and an MSR
 * that is not there is a panic, as it is a #GP on hardware.
 */
#include <string.h>

#include "arch/x86_64/facts.h"
#include "lib/flags.h"
#include "lib/str.h"
#include "svm/facts.h"
#include "tests/host/test.h"
#include "vmx/facts.h"

#define BIOS_SIGN 0x8b

struct leaf {
	u32 number;
	struct cpu_leaf is;
};

static const struct leaf *leaves;
static u64 sign, pending;    /* what the MSR shows, and will after CPUID 1 */
static unsigned msrs, clean; /* accesses; was 0 written before CPUID 1? */

static struct cpu_leaf ask(u32 leaf)
{
	if (leaf == 1 && clean)
		sign = pending;
	for (const struct leaf *l = leaves; l->number != ~0u; l++)
		if (l->number == leaf)
			return l->is;
	return (struct cpu_leaf){ 0 };
}

static u64 read_msr(u32 msr)
{
	if (msr != BIOS_SIGN)
		panic("MSR 0x%x does not exist", msr);
	msrs++;
	return sign;
}

static void write_msr(u32 msr, u64 value)
{
	if (msr != BIOS_SIGN || value)
		panic("0x%lx is written to MSR 0x%x", value, msr);
	msrs++;
	clean = 1;
	sign = 0;
}

static struct cpu_facts facts_of(const struct leaf *cpu, bool microcode)
{
	struct cpu_source source = { ask, read_msr, write_msr, microcode };
	struct cpu_facts f;

	leaves = cpu;
	msrs = clean = 0;
	sign = 0x1111111122222222;
	cpu_facts(&f, &source);
	return f;
}

#define TEXT(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)
#define INTEL(max)                                                               \
	{                                                                        \
		0,                                                               \
		{                                                                \
			max, TEXT('G', 'e', 'n', 'u'), TEXT('n', 't', 'e', 'l'), \
				TEXT('i', 'n', 'e', 'I')                         \
		}                                                                \
	}
#define AMD                                                                       \
	{                                                                         \
		0,                                                                \
		{                                                                 \
			0x10, TEXT('A', 'u', 't', 'h'), TEXT('c', 'A', 'M', 'D'), \
				TEXT('e', 'n', 't', 'i')                          \
		}                                                                 \
	}
#define LAST              \
	{                 \
		~0u,      \
		{         \
			0 \
		}         \
	}

/* A Skylake server, 06_55H stepping 4, that tells of a crystal of 25 MHz. */
static const struct leaf skylake[] = {
	INTEL(0x16),
	{ 1, { 0x50654, 0, 0, 0 } },
	{ 0x15, { 2, 168, 25000000, 0 } },
	{ 0x80000000, { 0x80000008, 0, 0, 0 } },
	{ 0x80000002, { TEXT('X', 'e', 'o', 'n'), TEXT(' ', '"', '\\', 7), 0, 0 } },
	{ 0x80000008, { 0x302e, 0, 0, 0 } },
	LAST,
};

/* A Zen 2 (family 0x17, model 0x71) under KVM. */
static const struct leaf zen[] = {
	AMD,
	{ 1, { 0x870f10, 0, BIT(31), 0 } },
	{ 0x40000000,
	  { 0x40000001, TEXT('K', 'V', 'M', 'K'), TEXT('V', 'M', 'K', 'V'),
	    TEXT('M', 0, 0, 0) } },
	{ 0x80000000, { 0x8000001e, 0, 0, 0 } },
	{ 0x80000008, { 0x3030, 0, 0, 0 } },
	LAST,
};

TEST(facts_of_an_intel_cpu)
{
	struct cpu_facts f;

	pending = 0x0200006800000000;
	f = facts_of(skylake, true);
	EXPECT_STR(f.vendor, "GenuineIntel");
	EXPECT_STR(f.brand, "Xeon ???");
	EXPECT_STR(f.hypervisor, "");
	EXPECT_EQ(f.family, 6);
	EXPECT_EQ(f.model, 0x55);
	EXPECT_EQ(f.stepping, 4);
	EXPECT_EQ(f.physical_bits, 46);
	EXPECT_EQ(f.tsc_hz, 2100000000);
	EXPECT(f.has_microcode);
	EXPECT_EQ(f.microcode, 0x2000068); /* after the write of 0 and CPUID alone */
}

TEST(facts_of_an_amd_cpu_under_a_hypervisor)
{
	struct cpu_facts f = facts_of(zen, true);

	EXPECT_STR(f.vendor, "AuthenticAMD");
	EXPECT_STR(f.brand, "");
	EXPECT_STR(f.hypervisor, "KVMKVMKVM");
	EXPECT_EQ(f.family, 0x17);
	EXPECT_EQ(f.model, 0x71);
	EXPECT_EQ(f.stepping, 0);
	EXPECT_EQ(f.physical_bits, 48);
	EXPECT_EQ(f.tsc_hz, 0);
	EXPECT(f.has_microcode);
	EXPECT_EQ(f.microcode, 0x22222222); /* the low half, and nothing is written */
	EXPECT_EQ(msrs, 1);
}

TEST(facts_leave_the_revision_alone_where_nobody_says_how)
{
	static const struct leaf other[] = {
		{ 0, { 1, TEXT('X', 'X', 'X', 'X'), 0, 0 } },
		{ 1, { 0x1fff, 0, 0, 0 } },
		LAST,
	};
	struct cpu_facts f = facts_of(other, true);

	EXPECT(!f.has_microcode);
	EXPECT_EQ(msrs, 0);
	f = facts_of(skylake, false);
	EXPECT(!f.has_microcode);
	EXPECT_EQ(msrs, 0);
}

TEST(facts_that_a_cpu_does_not_tell)
{
	static const struct leaf old[] = {
		INTEL(5),
		{ 1,
		  { 0xf0543, 0, 0,
		    0 } }, /* family 5: the extended model is not its own */
		{ 0x15, { 2, 168, 25000000, 0 } }, /* beyond the last leaf */
		{ 0x40000000, { 0, TEXT('n', 'o', 0, 0), 0, 0 } },
		{ 0x80000000, { 0x80000001, 0, 0, 0 } },
		{ 0x80000002, { TEXT('n', 'o', 0, 0), 0, 0, 0 } },
		{ 0x80000008, { 99, 0, 0, 0 } },
		LAST,
	};
	static const struct leaf no_crystal[] = { INTEL(0x15),
						  { 0x15, { 2, 168, 0, 0 } },
						  LAST };
	static const struct leaf no_ratio[] = { INTEL(0x15),
						{ 0x15, { 0, 168, 1, 0 } },
						LAST };
	struct cpu_facts f = facts_of(old, false);

	EXPECT_EQ(f.family, 5);
	EXPECT_EQ(f.model, 4);
	EXPECT_EQ(f.stepping, 3);
	EXPECT_STR(f.brand, "");
	EXPECT_STR(f.hypervisor, "");
	EXPECT_EQ(f.physical_bits, 36);
	EXPECT_EQ(f.tsc_hz, 0);
	EXPECT_EQ(facts_of(no_crystal, false).tsc_hz, 0);
	EXPECT_EQ(facts_of(no_ratio, false).tsc_hz, 0);
}

TEST(facts_of_vmx_by_name)
{
	struct backend_facts f;

	vmx_facts(&f, 0x00000f0106334141); /* Bochs, corei7_skylake_x */
	EXPECT_STR(f.names, "execute-only 4-level UC WB 2M 1G INVEPT A/D INVEPT-single "
			    "INVEPT-all INVVPID INVVPID-address INVVPID-single "
			    "INVVPID-all INVVPID-single-but-globals");
	EXPECT_EQ(f.asids, 0);
	vmx_facts(&f, 0);
	EXPECT_STR(f.names, "");
	vmx_facts(&f, ~0ull); /* all names and what has none: nothing is cut */
	EXPECT(strstr(f.names, " 0xfffff0fef90cbe3e"));
}

TEST(facts_of_svm_by_name)
{
	struct backend_facts f;

	svm_facts(&f, 0x10010001, 16); /* QEMU 7.2, max */
	EXPECT_STR(f.names, "NP VGIF SvmeAddrChk");
	EXPECT_EQ(f.asids, 16);
	svm_facts(&f, ~0u, 0x8000);
	EXPECT(strstr(f.names, " 0xe8404b00"));
}

TEST(flags_that_do_not_fit_are_left_out_whole)
{
	static const struct flag flags[] = { { 1, "one" },
					     { 2, "two" },
					     { 4, "three" } };
	char buf[16];

	for (size_t size = 1; size < sizeof(buf); size++) {
		memset(buf, 'x', sizeof(buf));
		flags_text(buf, size, flags, 3, 7);
		EXPECT_STR(buf, size < 4    ? ""
				: size < 8  ? "one"
				: size < 14 ? "one two"
					    : "one two three");
		EXPECT_EQ(buf[size], 'x');
	}
}

TEST(json_text_is_plain)
{
	char buf[64];

	str_json(buf, "a\"b\\x\n\x80~", sizeof(buf));
	EXPECT_STR(buf, "a\\u0022b\\u005cx??~");
	for (size_t size = 1; size < 8; size++) {
		memset(buf, 'y', sizeof(buf));
		str_json(buf, "\"a", size);
		EXPECT_STR(buf, size < 7 ? "" : "\\u0022");
		EXPECT_EQ(buf[size], 'y');
	}
}
