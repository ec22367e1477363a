/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mca - tests of arch/x86_64/mca.c: codes of the manual's tables, grades, sentences
 */
#include "arch/x86_64/mca.h"
#include "lib/str.h"
#include "tests/host/test.h"

#define SER MCG_CAP_SER_P

static const char *code(u16 c)
{
	static char text[100];

	size_t n = mca_code_text(text, sizeof(text), c);

	EXPECT_EQ(n, strlen(text));
	return text;
}

TEST(mca_simple_codes)
{
	EXPECT_STR(code(0x0000), "no error");
	EXPECT_STR(code(0x0001), "unclassified");
	EXPECT_STR(code(0x0005), "internal parity");
	EXPECT_STR(code(0x0400), "internal timer");
	EXPECT_STR(code(0x0e0b), "I/O"); /* and not a bus error */
}

TEST(mca_compound_codes)
{
	EXPECT_STR(code(0x000e), "cache hierarchy, level 2");
	EXPECT_STR(code(0x0014), "TLB: data, level 0");
	EXPECT_STR(code(0x0019), "TLB: generic, level 1");
	EXPECT_STR(code(0x0092), "memory controller: read error, channel 2");
	EXPECT_STR(code(0x00cf), "memory controller: scrubbing error");
	EXPECT_STR(code(0x0134), "cache: data read, data, level 0");
	EXPECT_STR(code(0x0151), "cache: instruction fetch, instruction, level 1");
	EXPECT_STR(code(0x017a), "cache: eviction, generic, level 2");
	EXPECT_STR(code(0x0290), "memory as a cache: read error");
	EXPECT_STR(code(0x0401), "internal, unclassified, 0x1");
	EXPECT_STR(code(0x0813), "bus: read, this CPU asked, memory, an unknown level");
	EXPECT_STR(code(0x0f8c), "bus: snoop, generic, other, level 0, timed out");
}

/* Bit 12 says how corrected errors are counted, and nothing about the error. */
TEST(mca_filter_bit_is_ignored)
{
	EXPECT_STR(code(0x1092), "memory controller: read error, channel 2");
	EXPECT_STR(code(0x100e), "cache hierarchy, level 2");
	EXPECT_STR(code(0x1134), "cache: data read, data, level 0");
}

TEST(mca_unknown_codes_are_given_as_they_are)
{
	EXPECT_STR(code(0x0007), "code 0x7");
	EXPECT_STR(code(0x2000), "code 0x2000");
	EXPECT_STR(code(0xe80b), "code 0xe80b");
}

TEST(mca_grades)
{
	u64 v = MC_STATUS_VAL, uc = v | MC_STATUS_UC;

	EXPECT_EQ(mca_grade(SER, ~MC_STATUS_VAL), MCA_NOTHING);
	EXPECT_EQ(mca_grade(SER, v | MC_STATUS_PCC), MCA_CORRECTED);
	EXPECT_EQ(mca_grade(SER, uc), MCA_NO_ACTION);
	EXPECT_EQ(mca_grade(SER, uc | MC_STATUS_S), MCA_OPTIONAL);
	EXPECT_EQ(mca_grade(SER, uc | MC_STATUS_S | MC_STATUS_AR), MCA_REQUIRED);
	EXPECT_EQ(mca_grade(SER, uc | MC_STATUS_S | MC_STATUS_PCC), MCA_CORRUPT);
	/* Without software recovery S and AR are anything. */
	EXPECT_EQ(mca_grade(0, uc | MC_STATUS_S), MCA_CORRUPT);
}

static const char *bank(u64 cap, struct mca_bank b)
{
	static char text[250];

	mca_bank_text(text, sizeof(text), cap, &b);
	return text;
}

TEST(mca_sentences)
{
	u64 s = MC_STATUS_VAL | MC_STATUS_UC | MC_STATUS_EN | MC_STATUS_ADDRV |
		MC_STATUS_MISCV | MC_STATUS_PCC;

	EXPECT_STR(bank(SER, (struct mca_bank){ 9, s | 0x92, 0x1234000, 0x8c }),
		   "bank 9: uncorrected, the CPU's state is lost: memory controller: "
		   "read error, channel 2, address 0x1234000, misc 0x8c, status "
		   "0xbe00000000000092");
	s = MC_STATUS_VAL | MC_STATUS_EN | MC_STATUS_OVER |
	    field_put(MC_STATUS_COUNT, 3);
	EXPECT_STR(bank(MCG_CAP_CMCI_P, (struct mca_bank){ 1, s | 0x14, 7, 8 }),
		   "bank 1: corrected 3 times: TLB: data, level 0, and others before "
		   "it are lost, status 0xd00000c000000014");
	s = MC_STATUS_VAL | MC_STATUS_UC | MC_STATUS_ADDRV;
	EXPECT_STR(bank(SER, (struct mca_bank){ 0, s | 5, 7, 8 }),
		   "bank 0: uncorrected, not used yet: internal parity, address 0x7, "
		   "reporting is off, status 0xa400000000000005");
}

TEST(mca_global)
{
	char text[120];

	mca_global_text(text, sizeof(text), MCG_STATUS_RIPV | MCG_STATUS_MCIP);
	EXPECT_STR(text, "status 0x5: the program could go on at its RIP, the error is "
			 "not of the RIP");
	mca_global_text(text, sizeof(text),
			MCG_STATUS_EIPV | MCG_STATUS_MCIP | MCG_STATUS_LMCE);
	EXPECT_STR(text, "status 0xe: the program cannot go on, the error belongs to "
			 "the RIP, on this CPU alone");
}
