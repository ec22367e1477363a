/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mb1 - tests of boot/mb1.c: Multiboot 0.6.96 information, well-formed and not
 */
#include "boot/info.h"
#include "tests/host/blob.h"
#include "tests/host/infocheck.h"
#include "tests/host/phys.h"
#include "tests/host/test.h"

/* Odd addresses: nothing that a loader leaves has to be aligned. */
#define INFO_AT    0x9001
#define CMDLINE_AT 0x20003
#define MODS_AT    0xb002
#define NAMES_AT   0xc001
#define MMAP_AT    0xd003
#define MOD_AT     0x400000
#define MOD_LEN    0x2345
#define LOADER_AT  0xe007

/* The longest string that is kept whole. */
#define LINE_MAX ((u32)sizeof(out.cmdline) - 1)

/* The pieces of memory that a loader fills; each a region of its own. */
static struct blob info, cmdline, mods, names, mmap;
static struct boot_info out;
static struct phys phys;

static void entry(u32 size, u64 base, u64 len, u32 type)
{
	blob_u32(&mmap, size);
	blob_u64(&mmap, base);
	blob_u64(&mmap, len);
	blob_u32(&mmap, type);
	for (u32 i = 20; i < size; i++)
		blob_u8(&mmap, 0xee);
}

static void module(u32 start, u32 end, const char *name)
{
	blob_u32(&mods, start);
	blob_u32(&mods, end);
	blob_u32(&mods, name ? NAMES_AT + names.n : 0);
	blob_u32(&mods, 0);
	if (name)
		blob_str(&names, name);
}

/* The fixed part, for what the other pieces hold by now. */
static void fixed_part(u32 flags)
{
	info.n = 0;
	blob_u32(&info, flags);
	blob_u32(&info, 639);
	blob_u32(&info, 0x3fb80);
	blob_u32(&info, 0x8000ffff);
	blob_u32(&info, CMDLINE_AT);
	blob_u32(&info, mods.n / 16);
	blob_u32(&info, MODS_AT);
	blob_fill(&info, 44);
	blob_u32(&info, mmap.n);
	blob_u32(&info, MMAP_AT);
}

/* What QEMU 7.2 gives for -m 256 with two modules. */
static void like_qemu(void)
{
	info.n = cmdline.n = mods.n = names.n = mmap.n = 0;
	blob_str(&cmdline, "build/shootdown.elf run=remap/* cpus=4");
	module(MOD_AT, MOD_AT + MOD_LEN, "m1.bin arg1 x=1");
	module(MOD_AT + 0x3000, MOD_AT + 0x3001, NULL);
	entry(20, 0, 0x9fc00, 1);
	entry(20, 0x9fc00, 0x400, 2);
	entry(20, 0xf0000, 0x10000, 2);
	entry(20, 0x100000, 0xfee0000, 1);
	entry(20, 0xffe0000, 0x20000, 2);
	entry(20, 0xfffc0000, 0x40000, 2);
	fixed_part(0x24f);
}

static const char *parse(void)
{
	const char *why;

	phys_init(&phys);
	phys_add(&phys, INFO_AT, info.b, info.n);
	phys_add(&phys, CMDLINE_AT, cmdline.b, cmdline.n);
	phys_add(&phys, MODS_AT, mods.b, mods.n);
	phys_add(&phys, NAMES_AT, names.b, names.n);
	phys_add(&phys, LOADER_AT, names.b, names.n);
	phys_add(&phys, MMAP_AT, mmap.b, mmap.n);
	phys_add(&phys, MOD_AT, NULL, 0x4000);
	why = boot_info_parse(&out, BOOT_MB1_MAGIC, INFO_AT, &phys.view);
	EXPECT(!phys.wrong);
	if (!why)
		EXPECT_STR(info_wrong(&out), NULL);
	phys_free(&phys);
	return why;
}

TEST(mb1_like_qemu)
{
	like_qemu();
	EXPECT_STR(parse(), NULL);
	EXPECT_STR(out.loader, "multiboot1");
	EXPECT_STR(out.cmdline, "build/shootdown.elf run=remap/* cpus=4");
	EXPECT(!out.cmdline_truncated);
	EXPECT_EQ(out.module_n, 2);
	EXPECT_EQ(out.module[0].base, MOD_AT);
	EXPECT_EQ(out.module[0].len, MOD_LEN);
	EXPECT_STR(out.module[0].name, "m1.bin arg1 x=1");
	EXPECT_STR(out.module[1].name, "");
	EXPECT_EQ(out.told_n, 8);
	EXPECT_EQ(out.rsdp_len, 0);
	EXPECT_EQ(boot_info_usable(&out, 0)->len, 0x9f000);
	EXPECT_EQ(boot_info_usable(&out, 1)->base, 0x100000);
	EXPECT_EQ(boot_info_usable(&out, 1)->len, MOD_AT - 0x100000);
	EXPECT_EQ(boot_info_usable(&out, 2)->base, MOD_AT + 0x4000);
	EXPECT_EQ(boot_info_usable(&out, 2)->len, 0xffe0000 - MOD_AT - 0x4000);
	EXPECT(!boot_info_usable(&out, 3));
	EXPECT_EQ(boot_info_top(&out), 0xffe0000);
}

TEST(mb1_only_announced_fields_are_read)
{
	like_qemu();
	fixed_part(BIT(0));
	mmap.n = mods.n = cmdline.n = 0;
	info.n = 12;
	EXPECT_STR(parse(), NULL);
	EXPECT_STR(out.cmdline, "");
	EXPECT_EQ(out.module_n, 0);
	EXPECT_EQ(boot_info_usable(&out, 0)->len, 0x9f000);
	EXPECT_EQ(boot_info_usable(&out, 1)->base, 0x100000);
	EXPECT_EQ(boot_info_usable(&out, 1)->len, 0x3fb80 * 1024ull);
	EXPECT_EQ(boot_info_top(&out), 0x100000 + 0x3fb80 * 1024ull);
}

TEST(mb1_without_a_map)
{
	like_qemu();
	fixed_part(BIT(2) | BIT(3));
	EXPECT_STR(parse(), "the multiboot 1 information has no memory map");
	like_qemu();
	mmap.n = 0;
	fixed_part(0x24f);
	EXPECT_STR(parse(), "the memory map has no available page");
}

TEST(mb1_lower_memory_ends_at_640k)
{
	like_qemu();
	fixed_part(BIT(0));
	blob_poke(&info, 4, ~0u, 4);
	blob_poke(&info, 8, ~0u, 4);
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(boot_info_usable(&out, 0)->len, 0xa0000);
	EXPECT_EQ(boot_info_usable(&out, 1)->len, 0xfffffffcull * 1024);
}

/* Each byte less of any piece is noticed: nothing is read that is not there. */
static void cut(struct blob *piece, u32 enough)
{
	u32 full = piece->n;

	for (piece->n = 0; piece->n < full; piece->n++)
		if (!EXPECT_EQ(parse() != NULL, piece->n < enough))
			test_say("cut after %u of %u bytes", piece->n, full);
	EXPECT_STR(parse(), NULL);
}

TEST(mb1_truncated_anywhere)
{
	like_qemu();
	cut(&info, 52);
	cut(&cmdline, cmdline.n);
	cut(&mods, mods.n);
	cut(&names, names.n);
	cut(&mmap, mmap.n);
}

TEST(mb1_map_length_cut_anywhere)
{
	like_qemu();
	for (u32 len = 0; len < mmap.n; len++) {
		blob_poke(&info, 44, len, 4);
		EXPECT_EQ(parse() != NULL, len % 24 || !len);
	}
}

TEST(mb1_map_entries_may_be_larger)
{
	like_qemu();
	mmap.n = 0;
	entry(24, 0, 0x9f000, 1);
	entry(29, 0x100000, 0x700000, 1);
	entry(20, 0x200000, 0x1000, 2);
	fixed_part(0x24f);
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.told_n, 5);
	EXPECT_EQ(boot_info_usable(&out, 1)->len, 0x100000);
}

TEST(mb1_map_entry_sizes_that_lie)
{
	static const u32 size[] = { 0, 1, 4, 19, 21, 24, 0x7fffffff, 0xfffffffc, ~0u };

	for (unsigned i = 0; i < ARRAY_LEN(size); i++) {
		like_qemu();
		blob_poke(&mmap, mmap.n - 24, size[i], 4);
		EXPECT_STR(
			parse(),
			size[i] < 20
				? "a multiboot 1 memory map entry is too small"
				: "a multiboot 1 memory map entry runs past the map");
		blob_poke(&mmap, 0, size[i], 4);
		EXPECT(parse() != NULL);
	}
}

TEST(mb1_addresses_that_lie)
{
	static const u32 field[] = { 16, 24, 48 };
	static const u32 pa[] = { 0, 1, 0x5000, 0x7fffffff, 0xfffffff8, ~0u };

	for (unsigned i = 0; i < ARRAY_LEN(field) * ARRAY_LEN(pa); i++) {
		like_qemu();
		blob_poke(&info, field[i / ARRAY_LEN(pa)], pa[i % ARRAY_LEN(pa)], 4);
		EXPECT(parse() != NULL);
	}
	EXPECT(boot_info_parse(&out, BOOT_MB1_MAGIC, ~0ull, &phys.view) != NULL);
	EXPECT(boot_info_parse(&out, BOOT_MB1_MAGIC, 0, &phys.view) != NULL);
}

TEST(mb1_map_length_that_lies)
{
	like_qemu();
	blob_poke(&info, 44, ~0u, 4);
	EXPECT_STR(parse(), "the multiboot 1 memory map is cut off");
	blob_poke(&info, 44, mmap.n + 3, 4);
	EXPECT_STR(parse(), "the multiboot 1 memory map is cut off");
}

TEST(mb1_pointers_into_itself)
{
	like_qemu();
	blob_poke(&info, 16, INFO_AT, 4);
	blob_poke(&info, 24, INFO_AT, 4);
	blob_poke(&info, 48, INFO_AT + 40, 4);
	EXPECT(parse() != NULL);
	like_qemu();
	blob_poke(&info, 16, INFO_AT, 4); /* the flags as a string: "O\2" */
	EXPECT_STR(parse(), NULL);
	EXPECT_STR(out.cmdline, "O\2");
}

TEST(mb1_modules_that_lie)
{
	like_qemu();
	blob_poke(&mods, 4, MOD_AT - 1, 4);
	EXPECT_STR(parse(), "a module ends before it starts");
	like_qemu();
	blob_poke(&mods, 4, ~0u, 4);
	EXPECT_STR(parse(), "a module lies outside of readable memory");
	like_qemu();
	blob_poke(&mods, 4, MOD_AT + 0x4001, 4);
	EXPECT_STR(parse(), "a module lies outside of readable memory");
	like_qemu();
	blob_poke(&mods, 8, 0x77777777, 4);
	EXPECT_STR(parse(), "a multiboot 1 module's string is not all readable");
	like_qemu();
	blob_poke(&info, 20, ~0u, 4);
	EXPECT_STR(parse(), "the multiboot 1 modules run out of readable memory");
	like_qemu();
	blob_poke(&mods, 4, MOD_AT, 4);
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.module[0].len, 0);
}

TEST(mb1_as_many_modules_as_there_is_room_for)
{
	like_qemu();
	while (mods.n / 16 < BOOT_MODULE_MAX)
		module(MOD_AT, MOD_AT + 1, "m");
	fixed_part(0x24f);
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.module_n, BOOT_MODULE_MAX);
	module(MOD_AT, MOD_AT + 1, "m");
	fixed_part(0x24f);
	EXPECT_STR(parse(), "the loader passes more modules than there is room for");
}

TEST(mb1_long_strings_are_cut_and_say_so)
{
	char text[6000];

	for (u32 len = LINE_MAX - 1; len <= LINE_MAX + 1; len++) {
		like_qemu();
		memset(text, 'x', sizeof(text));
		text[len] = 0;
		cmdline.n = 0;
		blob_str(&cmdline, text);
		EXPECT_STR(parse(), NULL);
		EXPECT_EQ(strlen(out.cmdline), MIN(len, LINE_MAX));
		EXPECT_EQ(out.cmdline_truncated, len > LINE_MAX);
	}
	for (u32 len = BOOT_NAME_MAX - 2; len <= BOOT_NAME_MAX; len++) {
		like_qemu();
		memset(text, 'x', sizeof(text));
		text[len] = 0;
		names.n = 0;
		blob_str(&names, text);
		EXPECT_STR(parse(), NULL);
		EXPECT_EQ(strlen(out.module[0].name), MIN(len, BOOT_NAME_MAX - 1u));
		EXPECT_EQ(out.module[0].name_truncated, len > BOOT_NAME_MAX - 1);
	}
}

/* Those of iPXE lie in 512 bytes, one behind the other, and are cut at their end. */
static const char *like_ipxe(const char *loader, u32 len, u32 module_len)
{
	like_qemu();
	cmdline.n = mods.n = 0;
	module(MOD_AT, MOD_AT + 1, NULL);
	for (u32 i = 0; i < len; i++)
		blob_u8(&cmdline, 'x');
	blob_u8(&cmdline, 0);
	blob_poke(&mods, 8, CMDLINE_AT + MIN(cmdline.n, 511u), 4);
	for (u32 i = 0; i < module_len && cmdline.n < 511; i++)
		blob_u8(&cmdline, 'y');
	blob_fill(&cmdline, 512);
	fixed_part(0x24f);
	blob_fill(&info, 64);
	blob_u32(&info, LOADER_AT);
	names.n = 0;
	blob_str(&names, loader);
	return parse();
}

TEST(mb1_strings_that_ipxe_has_cut)
{
	static const char why[] =
		"iPXE has cut the command line or a module's: 512 bytes hold all";
	static const char ipxe[] = "iPXE 1.0.0+git-20190125.36a4c85-5.1";

	EXPECT_STR(like_ipxe(ipxe, 400, 100), NULL);
	EXPECT_STR(like_ipxe(ipxe, 400, 109), NULL);
	EXPECT_STR(like_ipxe(ipxe, 400, 110), why);
	EXPECT_STR(like_ipxe(ipxe, 400, 600), why);
	EXPECT_STR(like_ipxe(ipxe, 510, 0), NULL);
	EXPECT_STR(like_ipxe(ipxe, 511, 0), why);
	EXPECT_STR(like_ipxe("qemu", 511, 0), NULL);
	EXPECT_STR(like_ipxe("iPX", 511, 0), NULL);
}

TEST(mb1_empty_strings)
{
	like_qemu();
	blob_poke(&cmdline, 0, 0, 1);
	blob_poke(&names, 0, 0, 1);
	cmdline.n = names.n = 1;
	EXPECT_STR(parse(), NULL);
	EXPECT_STR(out.cmdline, "");
	EXPECT_STR(out.module[0].name, "");
}

TEST(mb1_random_damage)
{
	static struct blob *const piece[] = { &info, &mods, &mmap, &mmap, &cmdline };
	struct rng rng = test_rng();
	unsigned accepted = 0;

	for (unsigned i = 0; i < 20000; i++) {
		like_qemu();
		blob_mutate(piece[rng_below(&rng, ARRAY_LEN(piece))], &rng);
		accepted += !parse();
	}
	EXPECT(accepted > 1000 && accepted < 19000);
}
