/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi - tests of boot/acpi.c on tables like those of QEMU, Bochs and OVMF
 */
#include "tests/unit/acpi_tables.h"
#include "tests/host/test.h"

TEST(acpi_like_qemu)
{
	acpi_like_qemu(4);
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 4);
	EXPECT_EQ(cpus.disabled, 0);
	EXPECT_EQ(cpus.lapic_base, 0xfee00000);
	EXPECT_EQ(cpus.cpu[3].apic_id, 3);
	EXPECT_EQ(cpus.cpu[3].acpi_uid, 3);
	EXPECT(!cpus.cpu[3].x2apic_entry);
	EXPECT_EQ(cpus.notes, 0);
	EXPECT(!cpus.truncated);
}

TEST(acpi_names_who_made_the_tables)
{
	acpi_like_qemu(1);
	memcpy(bios.b + RSDP_AT + 9, "BOCHS ", 6);
	acpi_fix_rsdp(bios.b + RSDP_AT);
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_STR(cpus.oem, "BOCHS ");
	tables.b[root_at] ^= 1; /* known even if the tables cannot be used */
	EXPECT(acpi_run() != NULL);
	EXPECT_STR(cpus.oem, "BOCHS ");
	memset(bios.b + RSDP_AT, 0, 20);
	EXPECT_STR(acpi_run(), "the machine has no ACPI RSDP");
	EXPECT_STR(cpus.oem, "");
}

TEST(acpi_rsdp_from_the_loader)
{
	acpi_like_qemu(2);
	memcpy(info.rsdp, bios.b + RSDP_AT, 20);
	info.rsdp_len = 20;
	memset(bios.b + RSDP_AT, 0, 20);
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 2);
	info.rsdp[9] ^= 1;
	EXPECT_STR(acpi_run(), "the machine has no ACPI RSDP");
	EXPECT_EQ(cpus.notes, 1);
	EXPECT(cpus.note != NULL);
}

TEST(acpi_damaged_copy_of_the_rsdp_is_noted)
{
	acpi_like_qemu(2);
	info.rsdp_len = 20;
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 2);
	EXPECT_EQ(cpus.notes, 1);
}

TEST(acpi_xsdt_beats_rsdt)
{
	acpi_like_ovmf();
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 3);
	info.rsdp_len = 20; /* an old tag: the XSDT's address is not known */
	EXPECT_STR(acpi_run(),
		   "the ACPI RSDP points to something that is no root table");
	acpi_like_ovmf();
	memset(info.rsdp + 24, 0, 8);
	acpi_fix_rsdp(info.rsdp);
	EXPECT_STR(acpi_run(),
		   "the ACPI RSDP points to something that is no root table");
}

TEST(acpi_extended_checksum_counts)
{
	acpi_like_ovmf();
	info.rsdp[33] ^= 1; /* reserved, behind the first 20 bytes */
	EXPECT_STR(acpi_run(), "the machine has no ACPI RSDP");
	acpi_like_ovmf();
	info.rsdp[20] = 20; /* the length, with good checksums */
	acpi_fix_rsdp(info.rsdp);
	EXPECT_STR(acpi_run(), "the machine has no ACPI RSDP");
	EXPECT_EQ(cpus.notes, 1);
}

TEST(acpi_rsdp_anywhere_that_is_searched)
{
	static const struct {
		u64 pa;
		bool found;
	} at[] = { { 0xe0000, true },  { 0xfffe0, true },  { 0xe0008, false },
		   { 0xdfff0, false }, { 0x9fc00, true },  { 0x9fff0, true },
		   { 0xa0000, false }, { 0x9fbf0, false }, { 0x100000, false } };

	for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
		acpi_like_qemu(1);
		acpi_rsdp_at(at[i].pa);
		if (!EXPECT_EQ(!acpi_run(), at[i].found))
			test_say("with the RSDP at 0x%lx", at[i].pa);
	}
}

TEST(acpi_rsdp_cut_anywhere)
{
	acpi_like_qemu(1);
	for (u32 n = 0; n < 20; n++) {
		acpi_rsdp_at(0x9fc00);
		acpi_rsdp_len = n;
		EXPECT_STR(acpi_run(), "the machine has no ACPI RSDP");
	}
	acpi_like_ovmf();
	for (u32 n = 0; n < 36; n++) {
		info.rsdp_len = n;
		if (n != 20)
			EXPECT_STR(acpi_run(), "the machine has no ACPI RSDP");
	}
}

TEST(acpi_tables_cut_anywhere)
{
	u32 full;

	acpi_like_qemu(3);
	full = tables.n;
	for (tables.n = 0; tables.n < full; tables.n++) {
		const char *why = acpi_run();
		bool rsdt_there = tables.n >= root_at + root_len;
		bool madt_there = tables.n >= madt_at + madt_len;

		if (!EXPECT_EQ(why == NULL, rsdt_there && madt_there))
			test_say("cut after %u of %u bytes", tables.n, full);
	}
}

TEST(acpi_every_flipped_bit_of_rsdt_and_madt_is_noticed)
{
	acpi_like_qemu(2);
	for (u32 bit = 0; bit < 8 * root_len; bit++) {
		tables.b[root_at + bit / 8] ^= 1 << bit % 8;
		EXPECT(acpi_run() != NULL);
		tables.b[root_at + bit / 8] ^= 1 << bit % 8;
	}
	for (u32 bit = 0; bit < 8 * madt_len; bit++) {
		tables.b[madt_at + bit / 8] ^= 1 << bit % 8;
		EXPECT(acpi_run() != NULL);
		tables.b[madt_at + bit / 8] ^= 1 << bit % 8;
	}
	EXPECT_STR(acpi_run(), NULL);
}

TEST(acpi_bad_tables_that_do_not_matter_are_noted)
{
	acpi_like_qemu(2);
	tables.b[fadt_at + 50] ^= 1;
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.notes, 1);
	EXPECT_STR(cpus.note, "an ACPI table has a wrong checksum");
	blob_poke(&tables, fadt_at + 4, 35, 4);
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_STR(cpus.note, "an ACPI table has an absurd length");
	blob_poke(&tables, fadt_at + 4, (16 << 20) + 1, 4);
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_STR(cpus.note, "an ACPI table has an absurd length");
	blob_poke(&tables, fadt_at + 4, 16 << 20, 4);
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_STR(cpus.note, "an ACPI table runs out of readable memory");
}

/* Points the RSDT's first entry somewhere. */
static const char *with_entry(u64 pa)
{
	acpi_like_qemu(2);
	blob_poke(&tables, root_at + 36, pa, 4);
	acpi_seal(root_at);
	return acpi_run();
}

TEST(acpi_root_that_points_to_odd_places)
{
	EXPECT_STR(with_entry(TABLES_AT + root_at), NULL); /* itself: a sound RSDT */
	EXPECT_EQ(cpus.notes, 0);
	EXPECT_STR(with_entry(0xf0000 + RSDP_AT), NULL);
	EXPECT_EQ(cpus.notes, 1);
	EXPECT_STR(with_entry(0), NULL);
	EXPECT_EQ(cpus.notes, 1);
	EXPECT_STR(with_entry(~0u), NULL);
	EXPECT_EQ(cpus.notes, 1);
	EXPECT_STR(with_entry(TABLES_AT + madt_at + 1), NULL); /* overlaps the MADT */
	EXPECT_EQ(cpus.notes, 1);
	EXPECT_STR(with_entry(TABLES_AT + madt_at), NULL); /* the MADT listed twice */
	EXPECT_EQ(cpus.n, 2);
}

TEST(acpi_root_of_odd_length)
{
	acpi_like_qemu(1);
	blob_poke(&tables, root_at + 4, root_len + 3, 4);
	acpi_seal(root_at);
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_STR(cpus.note, "the ACPI root table ends inside an address");
	blob_poke(&tables, root_at + 4, 36, 4);
	acpi_seal(root_at);
	EXPECT_STR(acpi_run(), "the ACPI tables have no MADT");
	blob_poke(&tables, root_at + 4, 35, 4);
	EXPECT_STR(acpi_run(), "the ACPI root table has an absurd length");
	blob_poke(&tables, root_at + 4, ~0u, 4);
	EXPECT_STR(acpi_run(), "the ACPI root table has an absurd length");
}

TEST(acpi_root_of_many_tables_is_cut)
{
	acpi_long_root(300);
	EXPECT_STR(acpi_run(), "the ACPI tables have no MADT");
	EXPECT(cpus.notes > 0);
	acpi_long_root(255);
	EXPECT_STR(acpi_run(), NULL);
}

TEST(acpi_rsdp_without_a_root)
{
	acpi_like_qemu(1);
	memset(bios.b + RSDP_AT + 16, 0, 4);
	acpi_fix_rsdp(bios.b + RSDP_AT);
	EXPECT_STR(acpi_run(), "the ACPI RSDP points to no root table");
}

TEST(acpi_random_damage)
{
	struct rng rng = test_rng();
	unsigned accepted = 0;

	for (unsigned i = 0; i < 20000; i++) {
		acpi_like_ovmf();
		blob_mutate(&tables, &rng);
		if (rng_below(&rng, 8)) {
			acpi_seal(root_at);
			acpi_seal(madt_at);
		}
		accepted += !acpi_run();
		EXPECT(cpus.n <= CPU_MAX && cpus.disabled <= CPU_MAX);
	}
	EXPECT(accepted > 1000 && accepted < 19000);
}
