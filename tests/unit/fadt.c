/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fadt - tests of boot/fadt.c on FADTs like those of QEMU, Bochs, and bad ones
 */
#include "boot/fadt.h"
#include "tests/host/test.h"
#include "tests/unit/acpi_tables.h"

#define FLAGS      112
#define REGISTER   116
#define VALUE      128
#define LENGTH     244 /* of revision 3 */
#define RESET_FLAG (1u << 10)

static struct fadt_reset reset;

/* A FADT of `len` bytes, with a register of that space, width and address. */
static void tables_with(u32 len, u32 flags, u8 space, u8 width, u64 address)
{
	u32 at;

	acpi_begin();
	acpi_lapic(0, 0, 1);
	madt_len = acpi_table_done(madt_at);
	at = fadt_at = acpi_table("FACP");
	blob_fill(&tables, at + len);
	if (len > VALUE) {
		blob_poke(&tables, at + REGISTER, space, 1);
		blob_poke(&tables, at + REGISTER + 1, width, 1);
		blob_poke(&tables, at + REGISTER + 4, address, 8);
		blob_poke(&tables, at + VALUE, 0x0f, 1);
	}
	blob_poke(&tables, at + FLAGS, flags, 4);
	acpi_table_done(at);
	root_at = acpi_table("RSDT");
	blob_u32(&tables, TABLES_AT + madt_at);
	blob_u32(&tables, TABLES_AT + fadt_at);
	root_len = acpi_table_done(root_at);
	acpi_old_rsdp(bios.b + RSDP_AT);
}

static const char *run(void)
{
	struct phys phys;
	const char *why;

	phys_init(&phys);
	phys_add(&phys, TABLES_AT, tables.b, tables.n);
	phys_add(&phys, BIOS_AT, bios.b, sizeof(bios.b));
	why = fadt_find_reset(&reset, &info, &phys.view);
	if (phys.wrong)
		abort();
	phys_free(&phys);
	return why;
}

TEST(fadt_like_qemu)
{
	tables_with(LENGTH, RESET_FLAG, 1, 8, 0xcf9);
	EXPECT_STR(run(), NULL);
	EXPECT(!reset.memory);
	EXPECT_EQ(reset.address, 0xcf9);
	EXPECT_EQ(reset.value, 0x0f);
}

TEST(fadt_in_memory)
{
	tables_with(LENGTH, RESET_FLAG, 0, 8, 0xfed01000);
	EXPECT_STR(run(), NULL);
	EXPECT(reset.memory);
	EXPECT_EQ(reset.address, 0xfed01000);
}

TEST(fadt_register_counts_only_with_its_flag)
{
	tables_with(LENGTH, ~RESET_FLAG, 1, 8, 0xcf9);
	EXPECT_STR(run(), "the FADT says that there is no reset register");
}

TEST(fadt_of_acpi_1_has_none)
{
	tables_with(116, RESET_FLAG, 1, 8, 0xcf9);
	EXPECT_STR(run(), "the FADT is of a time before reset registers");
	tables_with(VALUE, RESET_FLAG, 1, 8, 0xcf9); /* one byte short */
	EXPECT_STR(run(), "the FADT is of a time before reset registers");
	tables_with(VALUE + 1, RESET_FLAG, 1, 8, 0xcf9);
	EXPECT_STR(run(), NULL);
}

TEST(fadt_register_must_be_a_byte_that_can_be_reached)
{
	const char *place = "the reset register of the FADT has an impossible address";

	tables_with(LENGTH, RESET_FLAG, 1, 16, 0xcf9);
	EXPECT_STR(run(), "the reset register of the FADT is not a byte");
	tables_with(LENGTH, RESET_FLAG, 2, 8, 0x1f0000); /* PCI */
	EXPECT_STR(run(),
		   "the reset register of the FADT is neither a port nor in memory");
	tables_with(LENGTH, RESET_FLAG, 1, 8, 0x10000);
	EXPECT_STR(run(), place);
	tables_with(LENGTH, RESET_FLAG, 1, 8, 0);
	EXPECT_STR(run(), place);
	tables_with(LENGTH, RESET_FLAG, 0, 8, 1ull << 32);
	EXPECT_STR(run(), place);
}

TEST(fadt_damaged_is_not_used)
{
	tables_with(LENGTH, RESET_FLAG, 1, 8, 0xcf9);
	tables.b[fadt_at + VALUE] ^= 1;
	EXPECT_STR(run(), "there is no FADT");
	tables_with(LENGTH, RESET_FLAG, 1, 8, 0xcf9);
	memset(bios.b + RSDP_AT, 0, 20);
	EXPECT_STR(run(), "there is no FADT");
}
