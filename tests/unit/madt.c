/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * madt - tests of boot/acpi.c on the entries of a MADT
 */
#include "tests/unit/acpi_tables.h"
#include "tests/host/test.h"

TEST(madt_x2apic_and_disabled_cpus)
{
	acpi_begin();
	acpi_lapic(0, 10, 1);
	acpi_lapic(2, 11, 0);
	acpi_lapic(4, 12, 2); /* online-capable only */
	acpi_lapic(6, 13, 3);
	acpi_x2apic(0x100, 14, 1);
	acpi_x2apic(0x101, 15, 0);
	acpi_end();
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 3);
	EXPECT_EQ(cpus.disabled, 3);
	EXPECT_EQ(cpus.disabled_id[2], 0x101);
	EXPECT_EQ(cpus.cpu[1].apic_id, 6);
	EXPECT_EQ(cpus.cpu[1].acpi_uid, 13);
	EXPECT_EQ(cpus.cpu[2].apic_id, 0x100);
	EXPECT_EQ(cpus.cpu[2].acpi_uid, 14);
	EXPECT(cpus.cpu[2].x2apic_entry);
}

TEST(madt_cpus_told_twice)
{
	acpi_begin();
	acpi_lapic(1, 1, 1);
	acpi_x2apic(1, 1, 1);
	acpi_x2apic(2, 2, 1);
	acpi_lapic(2, 2, 1);
	acpi_lapic(3, 3, 0);
	acpi_x2apic(3, 3, 1);
	acpi_x2apic(4, 4, 1);
	acpi_lapic(4, 4, 0);
	acpi_lapic(5, 5, 0);
	acpi_x2apic(5, 5, 0);
	acpi_end();
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 4);
	EXPECT(cpus.cpu[0].x2apic_entry && cpus.cpu[1].x2apic_entry);
	EXPECT_EQ(cpus.disabled, 1);
	EXPECT_EQ(cpus.disabled_id[0], 5);
}

TEST(madt_broadcast_ids_are_no_cpus)
{
	acpi_begin();
	acpi_lapic(0xff, 1, 1);
	acpi_lapic(0xff, 2, 0);
	acpi_x2apic(~0u, 3, 1);
	acpi_x2apic(0xff, 4, 1);
	acpi_end();
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 1);
	EXPECT_EQ(cpus.cpu[0].apic_id, 0xff);
	EXPECT_EQ(cpus.cpu[0].acpi_uid, 4);
	EXPECT_EQ(cpus.disabled, 0);
}

TEST(madt_255_cpus_as_in_qemu)
{
	acpi_like_qemu(255);
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 255);
	EXPECT(!cpus.truncated);
}

TEST(madt_600_cpus_are_cut_and_say_so)
{
	for (u32 flags = 0; flags < 2; flags++) {
		acpi_begin();
		acpi_lapic(0, 0, 1);
		for (u32 i = 1; i < 600; i++)
			acpi_x2apic(i, i, flags);
		acpi_end();
		EXPECT_STR(acpi_run(), NULL);
		EXPECT(cpus.truncated);
		EXPECT_EQ(cpus.n, flags ? CPU_MAX : 1);
		EXPECT_EQ(cpus.disabled, flags ? 0 : CPU_MAX);
		EXPECT_EQ(cpus.cpu[cpus.n - 1].apic_id, cpus.n - 1);
	}
	acpi_begin();
	for (u32 i = 0; i < CPU_MAX; i++)
		acpi_x2apic(i, i, 1);
	acpi_end();
	EXPECT_STR(acpi_run(), NULL);
	EXPECT(!cpus.truncated);
}

/*
 * Firmware of machines with more than 255 CPUs tells each in one of these ways: by both
 * kinds of entry where the ID has room in a byte, by type 9 alone, or type 0 as far as
 * it goes.  The order is that of the table; a CPU told twice is at its first place.
 */
TEST(madt_more_cpus_than_a_byte_has_ids)
{
	static const unsigned cpus_n[] = { 255, 256, 300, 511, CPU_MAX };

	for (unsigned way = 0; way < 3 * ARRAY_LEN(cpus_n); way++) {
		unsigned n = cpus_n[way / 3];

		acpi_begin();
		for (u32 i = 0; i < n && way % 3 != 1; i++)
			if (i < 0xff)
				acpi_lapic((u8)i, (u8)i, 1);
		for (u32 i = 0; i < n; i++)
			if (way % 3 != 2 || i >= 0xff)
				acpi_x2apic(i, i, 1);
		acpi_end();
		EXPECT_STR(acpi_run(), NULL);
		EXPECT_EQ(cpus.n, n);
		EXPECT_EQ(cpus.disabled, 0);
		EXPECT(!cpus.truncated);
		for (u32 i = 0; i < n; i++) {
			EXPECT_EQ(cpus.cpu[i].apic_id, i);
			EXPECT_EQ(cpus.cpu[i].acpi_uid, i);
			EXPECT_EQ(cpus.cpu[i].x2apic_entry, way % 3 != 2 || i >= 0xff);
		}
	}
}

/* IDs need not be dense: a package of 12 CPUs may have 16 or 64 of them. */
TEST(madt_wide_ids)
{
	acpi_begin();
	for (u32 i = 0; i < 300; i++)
		acpi_x2apic(i / 12 << 16 | i % 12, i, i % 100 ? 1 : 0);
	acpi_x2apic(0xfffffffe, 300, 1);
	acpi_end();
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 298);
	EXPECT_EQ(cpus.disabled, 3);
	EXPECT_EQ(cpus.disabled_id[1], 100 / 12 << 16 | 100 % 12);
	EXPECT_EQ(cpus.cpu[0].apic_id, 1);
	EXPECT_EQ(cpus.cpu[296].apic_id, 24 << 16 | 11);
	EXPECT_EQ(cpus.cpu[297].apic_id, 0xfffffffe);
}

static void override(u64 base)
{
	blob_u8(&tables, 5);
	blob_u8(&tables, 12);
	blob_u16(&tables, 0);
	blob_u64(&tables, base);
}

TEST(madt_lapic_address_override)
{
	static const u64 bad[] = { 1, 0xfff, 0xfee00010, BOOT_ADDR_END, ~0xfffull };

	acpi_begin();
	acpi_lapic(0, 0, 1);
	override(0x1fee00000);
	acpi_end();
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.lapic_base, 0x1fee00000);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		acpi_begin();
		acpi_lapic(0, 0, 1);
		override(bad[i]);
		acpi_end();
		EXPECT_STR(acpi_run(),
			   "the ACPI MADT has an impossible local APIC address");
	}
}

TEST(madt_without_cpus)
{
	acpi_begin();
	acpi_end();
	EXPECT_STR(acpi_run(), "the ACPI MADT lists no enabled CPU");
	acpi_begin();
	acpi_lapic(0, 0, 0);
	acpi_end();
	EXPECT_STR(acpi_run(), "the ACPI MADT lists no enabled CPU");
	EXPECT_EQ(cpus.disabled, 1);
}

TEST(madt_length_cut_anywhere)
{
	acpi_begin();
	acpi_lapic(0, 0, 1);
	acpi_x2apic(1, 1, 1);
	acpi_other_entries();
	acpi_end();
	for (u32 len = 0; len < madt_len; len++) {
		bool whole = len == 44 + 8 || len == 44 + 24 || len == 44 + 36 ||
			     len == 44 + 46;

		blob_poke(&tables, madt_at + 4, len, 4);
		acpi_seal(madt_at);
		if (!EXPECT_EQ(!acpi_run(), whole))
			test_say("with %u bytes of %u", len, madt_len);
	}
}

TEST(madt_entry_lengths_that_lie)
{
	static const u8 at[] = { 0, 8, 24 };
	static const u8 least[] = { 8, 16, 2 };

	for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
		for (unsigned len = 0; len < 256; len++) {
			const char *why;

			acpi_begin();
			acpi_lapic(0, 0, 1);
			acpi_x2apic(1, 1, 1);
			acpi_other_entries();
			tables.b[madt_at + 44 + at[i] + 1] = (u8)len;
			acpi_end();
			why = acpi_run();
			if (len < 2)
				EXPECT_STR(why, "an ACPI MADT entry has no length");
			else if (len < least[i])
				EXPECT_STR(
					why,
					"an ACPI MADT entry is too short for its type");
			else if (len > madt_len - 44 - at[i])
				EXPECT_STR(why,
					   "an ACPI MADT entry runs past the table");
		}
	}
}

TEST(madt_too_short_entries_by_type)
{
	static const u8 type[] = { 0, 5, 9 }, least[] = { 8, 12, 16 };

	for (unsigned i = 0; i < ARRAY_LEN(type); i++) {
		for (u8 len = 2; len <= least[i]; len++) {
			acpi_begin();
			acpi_lapic(7, 7, 1);
			blob_u8(&tables, type[i]);
			blob_u8(&tables, len);
			blob_fill(&tables, tables.n + len - 2);
			acpi_end();
			EXPECT_EQ(!acpi_run(), len == least[i]);
		}
	}
}

TEST(madt_unknown_entries_are_passed_over)
{
	acpi_begin();
	for (unsigned type = 0; type < 256; type++) {
		if (type == 0 || type == 5 || type == 9)
			continue;
		blob_u8(&tables, (u8)type);
		blob_u8(&tables, (u8)(2 + type % 20));
		for (unsigned i = 0; i < type % 20; i++)
			blob_u8(&tables, 0);
	}
	acpi_lapic(9, 9, 1);
	acpi_end();
	EXPECT_STR(acpi_run(), NULL);
	EXPECT_EQ(cpus.n, 1);
	EXPECT_EQ(cpus.cpu[0].apic_id, 9);
}

TEST(madt_random_entries)
{
	struct rng rng = test_rng();
	unsigned accepted = 0;

	for (unsigned i = 0; i < 20000; i++) {
		u32 entries;

		acpi_begin();
		acpi_lapic(0, 0, 1);
		entries = (u32)rng_below(&rng, 6);
		while (entries--) {
			static const u8 kind[] = { 0, 9, 5, 4, 1 };
			u8 len = (u8)(rng_below(&rng, 8) ? 16 : rng_below(&rng, 20));

			blob_u8(&tables, kind[rng_below(&rng, ARRAY_LEN(kind))]);
			blob_u8(&tables, len);
			for (unsigned k = 2; k < len; k++)
				blob_u8(&tables, (u8)(rng_next(&rng) & rng_next(&rng)));
		}
		acpi_end();
		memcpy(info.rsdp, bios.b + RSDP_AT, 20); /* searching takes time */
		info.rsdp_len = 20;
		accepted += !acpi_run();
		EXPECT(cpus.n <= CPU_MAX && cpus.disabled <= CPU_MAX);
	}
	EXPECT(accepted > 1000 && accepted < 19000);
}
