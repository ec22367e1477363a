/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_info - tests of boot/info.c: the memory map made safe, and what is asked of it
 */
#include "boot/mb.h"
#include "lib/str.h"
#include "tests/host/infocheck.h"
#include "tests/host/phys.h"
#include "tests/host/test.h"

#define AVAIL BOOT_AVAILABLE
#define RESV  BOOT_RESERVED

static struct boot_info b;

static void clear(void)
{
	memset(&b, 0, sizeof(b));
}

static void told(u64 base, u64 len, u32 type)
{
	EXPECT_STR(boot_info_add_range(&b, base, len, type), NULL);
}

/* Sanitises what was told; reserving nothing changes nothing else. */
static const char *sanitise(void)
{
	const char *why = boot_info_reserve(&b, 0, 0, BOOT_KERNEL);

	if (!why)
		EXPECT_STR(info_wrong(&b), NULL);
	return why;
}

static void is(unsigned i, u64 base, u64 end, u32 type)
{
	EXPECT(i < b.map_n);
	EXPECT_EQ(b.map[i].base, base);
	EXPECT_EQ(b.map[i].base + b.map[i].len, end);
	EXPECT_EQ(b.map[i].type, type);
}

TEST(unknown_loader)
{
	struct phys phys;

	phys_init(&phys);
	EXPECT_STR(boot_info_parse(&b, 0, 0, &phys.view),
		   "the loader speaks neither multiboot 1 or 2 nor PVH");
	EXPECT(boot_info_parse(&b, BOOT_MB1_MAGIC, 0x1000, &phys.view) != NULL);
	EXPECT(boot_info_parse(&b, BOOT_MB2_MAGIC, 0x1000, &phys.view) != NULL);
	EXPECT(boot_info_parse(&b, BOOT_MB2_MAGIC, ~0ull, &phys.view) != NULL);
	EXPECT(!phys.wrong);
	phys_free(&phys);
}

TEST(map_is_sorted_and_joined)
{
	clear();
	told(0x300000, 0x100000, AVAIL);
	told(0x100000, 0x100800, AVAIL);
	told(0x200800, 0xff800, AVAIL);
	told(0, 0x1000, RESV);
	EXPECT_STR(sanitise(), NULL);
	EXPECT_EQ(b.map_n, 2);
	is(0, 0, 0x1000, RESV);
	is(1, 0x100000, 0x400000, AVAIL);
}

TEST(reserved_beats_available_wherever_it_lies)
{
	static const u64 at[][2] = { { 0, 0x2000 },
				     { 0x1000, 0x2000 },
				     { 0x4000, 0x5000 },
				     { 0x8000, 0xa000 },
				     { 0, 0x20000 } };

	for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
		for (unsigned order = 0; order < 2; order++) {
			clear();
			if (order)
				told(0x1000, 0x8000, AVAIL);
			told(at[i][0], at[i][1] - at[i][0], RESV);
			if (!order)
				told(0x1000, 0x8000, AVAIL);
			EXPECT_STR(sanitise(), NULL);
			EXPECT_EQ(b.map_n, i == 2 ? 3 : i == 4 ? 1 : 2);
		}
	}
}

TEST(ranks_among_what_is_not_available)
{
	clear();
	told(0, 0x10000, AVAIL);
	told(0x1000, 0x5000, BOOT_MODULE);
	told(0x2000, 0x4000, BOOT_ACPI);
	told(0x3000, 0x3000, BOOT_NVS);
	told(0x4000, 0x2000, 77);
	told(0x5000, 0x1000, BOOT_BAD);
	told(0x4000, 0x1000, RESV); /* of the same rank: the first told wins */
	told(0x8000, 0x1000, 0);
	EXPECT_STR(sanitise(), NULL);
	is(0, 0, 0x1000, AVAIL);
	is(1, 0x1000, 0x2000, BOOT_MODULE);
	is(2, 0x2000, 0x3000, BOOT_ACPI);
	is(3, 0x3000, 0x4000, BOOT_NVS);
	is(4, 0x4000, 0x5000, 77);
	is(5, 0x5000, 0x6000, BOOT_BAD);
	is(7, 0x8000, 0x9000, RESV);
	EXPECT_EQ(b.map_n, 9);
}

TEST(available_ranges_shrink_to_pages)
{
	clear();
	told(1, 0x1fff, AVAIL);
	told(0x10001, 0xffe, AVAIL);
	told(0x20fff, 2, AVAIL);
	told(0x30000, 0x1000, AVAIL);
	told(0x30800, 1, RESV);
	told(0x40000, 0x3000, AVAIL);
	told(0x41fff, 2, RESV);
	EXPECT_STR(sanitise(), NULL);
	is(0, 0x1000, 0x2000, AVAIL);
	is(1, 0x30800, 0x30801, RESV);
	is(2, 0x40000, 0x41000, AVAIL);
	is(3, 0x41fff, 0x42001, RESV);
	EXPECT_EQ(b.map_n, 4);
	EXPECT_EQ(boot_info_usable(&b, 1)->base, 0x40000);
	EXPECT(!boot_info_usable(&b, 2));
}

TEST(ranges_that_run_over_the_end)
{
	clear();
	told(0x100000, 0x1000, AVAIL);
	told(0x1000, ~0ull, AVAIL);                  /* wraps            */
	told(BOOT_ADDR_END - 0x1000, 0x2000, AVAIL); /* half of it absurd */
	told(BOOT_ADDR_END, 0x1000, RESV);           /* all of it        */
	told(~0ull, 1, RESV);                        /* ends at 2^64     */
	told(BOOT_ADDR_END - 0x2000, ~0ull, RESV);   /* wraps            */
	told(BOOT_ADDR_END - 0x8000, 0x6000, AVAIL); /* good             */
	told(0x5000, 0, AVAIL);
	EXPECT_EQ(b.map_clipped, 5);
	EXPECT_EQ(b.told_n, 3);
	EXPECT_STR(sanitise(), NULL);
	EXPECT_EQ(b.map_n, 3);
	is(0, 0x100000, 0x101000, AVAIL);
	is(1, BOOT_ADDR_END - 0x8000, BOOT_ADDR_END - 0x2000, AVAIL);
	is(2, BOOT_ADDR_END - 0x2000, BOOT_ADDR_END, RESV);
}

TEST(top_is_the_end_of_ram)
{
	clear();
	EXPECT_EQ(boot_info_top(&b), 0);
	told(0, 0x100000, AVAIL);
	told(0xfee00000, 0x1000, RESV);
	told(0x200000, 0x1000, BOOT_BAD);
	EXPECT_STR(sanitise(), NULL);
	EXPECT_EQ(boot_info_top(&b), 0x100000);
	told(0x100000, 0x800, BOOT_ACPI);
	EXPECT_STR(sanitise(), NULL);
	EXPECT_EQ(boot_info_top(&b), 0x100800);
	told(0x180000, 0x1000, BOOT_NVS);
	EXPECT_STR(sanitise(), NULL);
	EXPECT_EQ(boot_info_top(&b), 0x181000);
}

TEST(reserve_takes_out_and_stays)
{
	clear();
	told(0x100000, 0x100000, AVAIL);
	EXPECT_STR(boot_info_reserve(&b, 0x100000, 0x1001, BOOT_KERNEL), NULL);
	EXPECT_STR(boot_info_reserve(&b, 0x180000, 0x1000, BOOT_KERNEL), NULL);
	is(0, 0x100000, 0x101001, BOOT_KERNEL);
	is(1, 0x102000, 0x180000, AVAIL);
	is(2, 0x180000, 0x181000, BOOT_KERNEL);
	is(3, 0x181000, 0x200000, AVAIL);
	EXPECT_EQ(b.map_n, 4);
}

TEST(full_maps_are_refused)
{
	clear();
	for (unsigned i = 0; i < BOOT_MAP_MAX; i++)
		told(i * 0x2000ull, 0x1000, AVAIL);
	EXPECT_STR(sanitise(), NULL);
	EXPECT_EQ(b.map_n, BOOT_MAP_MAX);
	EXPECT(boot_info_add_range(&b, 0, 1, RESV) != NULL);
	clear();
	told(0, 1ull << 40, AVAIL);
	for (unsigned i = 1; i < BOOT_MAP_MAX; i++)
		told(i * 0x2000ull, 0x1000, RESV);
	EXPECT_STR(sanitise(), "the memory map falls into too many pieces");
}

/* As GRUB leaves it on a UEFI machine: its information and modules lie in low memory.
 */
static void like_uefi(u64 low_end)
{
	clear();
	told(0, low_end, AVAIL);
	told(0x4000, 0x321, BOOT_MODULE);
	told(0x5000, 0x1000, BOOT_MODULE);
	told(0x100000, 0x706000, AVAIL);
	told(0x806000, 0x2000, BOOT_NVS);
	told(0x808000, 0x8000, AVAIL);
	told(0x810000, 0xf0000, BOOT_NVS);
	told(0x900000, 0xe700000, AVAIL);
	EXPECT_STR(sanitise(), NULL);
}

TEST(low_page_is_none_that_is_used)
{
	u64 pa;

	like_uefi(0xa0000);
	EXPECT(boot_info_low_page(&b, &pa));
	EXPECT_EQ(pa, 0x9f000);
	/* Whatever lies at the top of low memory, the next page below is taken. */
	for (u64 end = 0xa0000; end > 0x7000; end -= PAGE_SIZE) {
		static const u32 types[] = { RESV, BOOT_MODULE, BOOT_ACPI, BOOT_NVS };

		like_uefi(0xa0000);
		EXPECT_STR(boot_info_reserve(&b, end - 1, 0xa0001 - end,
					     types[end >> PAGE_SHIFT & 3]),
			   NULL);
		EXPECT(boot_info_low_page(&b, &pa));
		EXPECT_EQ(pa, end - 2 * PAGE_SIZE);
	}
	/* The last ones: below the modules, and not page 0, which has the BIOS's data.
	 */
	EXPECT_STR(boot_info_reserve(&b, 0x6000, 0x1000, RESV), NULL);
	EXPECT(boot_info_low_page(&b, &pa));
	EXPECT_EQ(pa, 0x3000);
	EXPECT_STR(boot_info_reserve(&b, 0x1000, 0x3000, BOOT_MODULE), NULL);
	EXPECT(!boot_info_low_page(&b, &pa));
}

TEST(low_page_ends_at_640k)
{
	u64 pa;

	clear();
	told(0, 0x40000000, AVAIL);
	EXPECT_STR(sanitise(), NULL);
	EXPECT(boot_info_low_page(&b, &pa));
	EXPECT_EQ(pa, 0x9f000);
	clear();
	told(0, 0x1fff, AVAIL);
	told(0xa0000, 0x40000000, AVAIL);
	EXPECT_STR(sanitise(), NULL);
	EXPECT(!boot_info_low_page(&b, &pa));
}

TEST(image_lies_in_available_memory)
{
	like_uefi(0xa0000);
	EXPECT(boot_info_free(&b, 0x100000, 0x706000));
	EXPECT(!boot_info_free(&b, 0x100000, 0x706001)); /* over the firmware's NVS */
	EXPECT(!boot_info_free(&b, 0x100000, 0xd0c020));
	EXPECT(!boot_info_free(&b, 0xfffff, 0x1000));
	EXPECT(!boot_info_free(&b, 0x3000, 0x2000));
	EXPECT(!boot_info_free(&b, 0x10000000, 1));
	EXPECT(!boot_info_free(&b, 0x200000, ~0ull));
	EXPECT_STR(boot_info_reserve(&b, 0x300000, 0x1000, BOOT_MODULE), NULL);
	EXPECT(boot_info_free(&b, 0x100000, 0x200000));
	EXPECT(!boot_info_free(&b, 0x100000, 0x201000));
}

TEST(module_by_name)
{
	clear();
	b.module_n = 4;
	str_copy(b.module[0].name, "dir/guest.elf arg=/x/y", BOOT_NAME_MAX);
	str_copy(b.module[1].name, "linux two", BOOT_NAME_MAX);
	str_copy(b.module[2].name, "tftp://10.0.2.2/boot/m1.bin", BOOT_NAME_MAX);
	str_copy(b.module[3].name, "trailing/", BOOT_NAME_MAX);
	EXPECT(boot_info_module(&b, "guest.elf") == &b.module[0]);
	EXPECT(boot_info_module(&b, "dir/guest.elf") == &b.module[0]);
	EXPECT(boot_info_module(&b, "linux") == &b.module[1]);
	EXPECT(boot_info_module(&b, "m1.bin") == &b.module[2]);
	EXPECT(!boot_info_module(&b, "guest"));
	EXPECT(!boot_info_module(&b, "linux2"));
	EXPECT(!boot_info_module(&b, "y"));
	EXPECT(!boot_info_module(&b, "elf"));
	EXPECT(!boot_info_module(&b, ""));
}

/* The rule again, unit by unit: whom a byte belongs to, 0 for nobody. */
static unsigned weight(u32 type)
{
	return type == BOOT_BAD      ? 6
	       : type == BOOT_NVS    ? 4
	       : type == BOOT_ACPI   ? 3
	       : type == BOOT_MODULE ? 2
	       : type == AVAIL       ? 1
				     : 5;
}

#define UNIT  0x400u /* a quarter of a page */
#define UNITS 64u

static void check_against_units(const u32 *unit)
{
	for (unsigned u = 0; u < UNITS; u++) {
		u32 want = unit[u], got = 0;
		unsigned page = u & ~3u;

		for (unsigned i = 0; i < b.map_n; i++)
			if (u * UNIT >= b.map[i].base &&
			    u * UNIT < b.map[i].base + b.map[i].len)
				got = b.map[i].type;
		for (unsigned k = page; want == AVAIL && k < page + 4; k++)
			if (unit[k] != AVAIL)
				want = 0;
		if (!EXPECT_EQ(got, want))
			test_say("at unit %u", u);
	}
}

TEST(random_maps_against_a_simple_one)
{
	static const u32 type[] = { AVAIL,    AVAIL,    RESV,       BOOT_ACPI,
				    BOOT_NVS, BOOT_BAD, BOOT_MODULE };
	struct rng rng = test_rng();

	for (unsigned turn = 0; turn < 20000; turn++) {
		u32 unit[UNITS] = { 0 };

		clear();
		for (u64 n = rng_below(&rng, 12); n; n--) {
			u64 base = rng_below(&rng, UNITS);
			u64 len = rng_below(&rng, UNITS - base + 1);
			u32 t = type[rng_below(&rng, ARRAY_LEN(type))];

			told(base * UNIT, len * UNIT, t);
			for (u64 u = base; u < base + len; u++)
				if (!unit[u] || weight(t) > weight(unit[u]))
					unit[u] = t;
		}
		EXPECT_STR(sanitise(), NULL);
		check_against_units(unit);
	}
}
