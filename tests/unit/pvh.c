/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvh - tests of boot/pvh.c: PVH information, well-formed and not
 */
#include "boot/info.h"
#include "tests/host/blob.h"
#include "tests/host/infocheck.h"
#include "tests/host/phys.h"
#include "tests/host/test.h"

/* Odd addresses: nothing that a loader leaves has to be aligned. */
#define INFO_AT    0x9001
#define CMDLINE_AT 0xa003
#define MODS_AT    0xc002
#define NAMES_AT   0xd001
#define MMAP_AT    0xe003
#define RSDP_AT    0xf5b30
#define MOD_AT     0x4000000
#define MOD_LEN    0x2345

/* The longest command line that is kept whole. */
#define LINE_MAX ((u32)sizeof(out.cmdline) - 1)

/* The pieces of memory that a loader fills; each a region of its own. */
static struct blob info, cmdline, mods, names, mmap, rsdp;
static struct boot_info out;

static void entry(u64 base, u64 len, u32 type)
{
	blob_u64(&mmap, base);
	blob_u64(&mmap, len);
	blob_u32(&mmap, type);
	blob_u32(&mmap, 0xeeeeeeee); /* reserved */
}

static void module(u64 start, u64 len, const char *name)
{
	blob_u64(&mods, start);
	blob_u64(&mods, len);
	blob_u64(&mods, name ? NAMES_AT + names.n : 0);
	blob_u64(&mods, 0xeeeeeeeeeeeeeeee); /* reserved */
	if (name)
		blob_str(&names, name);
}

/* The fixed part, for what the other pieces hold by now. */
static void fixed_part(u32 version)
{
	info.n = 0;
	blob_u32(&info, 0x336ec578);
	blob_u32(&info, version);
	blob_u32(&info, 0);
	blob_u32(&info, mods.n / 32);
	blob_u64(&info, MODS_AT);
	blob_u64(&info, CMDLINE_AT);
	blob_u64(&info, RSDP_AT);
	if (!version)
		return;
	blob_u64(&info, MMAP_AT);
	blob_u32(&info, mmap.n / 24);
	blob_u32(&info, 0);
}

/* What QEMU 7.2 gives for -m 256, and a second module with a name. */
static void like_qemu(void)
{
	cmdline.n = mods.n = names.n = mmap.n = rsdp.n = 0;
	blob_str(&cmdline, "run=remap/* cpus=4");
	module(MOD_AT, MOD_LEN, NULL);
	module(MOD_AT + 0x3000, 1, "m1.bin arg1 x=1");
	entry(0, 0x9fc00, 1);
	entry(0x9fc00, 0x400, 2);
	entry(0xf0000, 0x10000, 2);
	entry(0x100000, 0xfee0000, 1);
	entry(0xffe0000, 0x20000, 2);
	entry(0xfffc0000, 0x40000, 2);
	blob_bytes(&rsdp, "RSD PTR x", 8);
	blob_fill(&rsdp, 20);
	fixed_part(1);
}

static const char *parse(void)
{
	const char *why;
	struct phys phys;

	phys_init(&phys);
	phys_add(&phys, INFO_AT, info.b, info.n);
	phys_add(&phys, CMDLINE_AT, cmdline.b, cmdline.n);
	phys_add(&phys, MODS_AT, mods.b, mods.n);
	phys_add(&phys, NAMES_AT, names.b, names.n);
	phys_add(&phys, MMAP_AT, mmap.b, mmap.n);
	phys_add(&phys, RSDP_AT, rsdp.b, rsdp.n);
	phys_add(&phys, MOD_AT, NULL, 0x4000);
	why = boot_info_parse(&out, BOOT_PVH_MAGIC, INFO_AT, &phys.view);
	EXPECT(!phys.wrong);
	if (!why)
		EXPECT_STR(info_wrong(&out), NULL);
	phys_free(&phys);
	return why;
}

TEST(pvh_like_qemu)
{
	like_qemu();
	EXPECT_STR(parse(), NULL);
	EXPECT_STR(out.loader, "pvh");
	EXPECT_STR(out.cmdline, "run=remap/* cpus=4");
	EXPECT(!out.cmdline_truncated);
	EXPECT_EQ(out.module_n, 2);
	EXPECT_EQ(out.module[0].base, MOD_AT);
	EXPECT_EQ(out.module[0].len, MOD_LEN);
	EXPECT_STR(out.module[0].name, "");
	EXPECT_STR(out.module[1].name, "m1.bin arg1 x=1");
	EXPECT_EQ(out.told_n, 8);
	EXPECT_EQ(out.rsdp_len, 20);
	EXPECT(!memcmp(out.rsdp, "RSD PTR ", 8));
	EXPECT_EQ(boot_info_usable(&out, 0)->len, 0x9f000);
	EXPECT_EQ(boot_info_usable(&out, 1)->base, 0x100000);
	EXPECT_EQ(boot_info_usable(&out, 1)->len, MOD_AT - 0x100000);
	EXPECT_EQ(boot_info_top(&out), 0xffe0000);
}

TEST(pvh_versions)
{
	like_qemu();
	fixed_part(0);
	EXPECT_STR(parse(),
		   "the PVH information is of version 0, which has no memory map");
	like_qemu();
	fixed_part(7); /* later ones add fields behind those of version 1 */
	EXPECT_STR(parse(), NULL);
	info.n = 40;
	EXPECT_STR(parse(), "the PVH information is cut off before the memory map");
}

TEST(pvh_magic)
{
	like_qemu();
	blob_poke(&info, 0, 0x336ec579, 4);
	EXPECT_STR(parse(), "the PVH information does not begin with its magic number");
	EXPECT(boot_info_parse(&out, 0x336ec579, INFO_AT, NULL) != NULL);
}

TEST(pvh_without_a_map)
{
	static const char why[] = "the PVH information has no memory map";

	like_qemu();
	blob_poke(&info, 40, 0, 8);
	EXPECT_STR(parse(), why);
	like_qemu();
	mmap.n = 0;
	fixed_part(1);
	EXPECT_STR(parse(), why);
	like_qemu();
	mmap.n = 0;
	entry(0, 0x1000, 2);
	fixed_part(1);
	EXPECT_STR(parse(), "the memory map has no available page");
}

TEST(pvh_map_sizes_that_lie)
{
	like_qemu();
	blob_poke(&info, 48, 7, 4);
	EXPECT_STR(parse(), "the PVH memory map runs out of readable memory");
	blob_poke(&info, 48, 4097, 4);
	EXPECT_STR(parse(), "the PVH memory map has an absurd number of entries");
	blob_poke(&info, 48, ~0u, 4);
	EXPECT_STR(parse(), "the PVH memory map has an absurd number of entries");
}

TEST(pvh_without_the_rest)
{
	like_qemu();
	blob_poke(&info, 12, 0, 4);
	blob_poke(&info, 16, ~0ull, 8); /* of no modules no list is read */
	blob_poke(&info, 24, 0, 8);
	blob_poke(&info, 32, 0, 8);
	EXPECT_STR(parse(), NULL);
	EXPECT_STR(out.cmdline, "");
	EXPECT_EQ(out.module_n, 0);
	EXPECT_EQ(out.rsdp_len, 0);
}

/* The firmware's areas are searched where the address is of no use. */
TEST(pvh_rsdp)
{
	like_qemu();
	rsdp.b[15] = 2;
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.rsdp_len, 20);
	blob_fill(&rsdp, 36);
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.rsdp_len, 36);
	for (rsdp.n = 0; rsdp.n < 20; rsdp.n++) {
		EXPECT_STR(parse(), NULL);
		EXPECT_EQ(out.rsdp_len, 0);
	}
	blob_poke(&info, 32, ~0ull - 3, 8);
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.rsdp_len, 0);
}

/* Each byte less of any piece is noticed: nothing is read that is not there. */
static void cut(struct blob *piece)
{
	u32 full = piece->n;

	for (piece->n = 0; piece->n < full; piece->n++)
		if (!EXPECT(parse() != NULL))
			test_say("cut after %u of %u bytes", piece->n, full);
	EXPECT_STR(parse(), NULL);
}

TEST(pvh_truncated_anywhere)
{
	like_qemu();
	info.n = 52; /* what follows is reserved */
	cut(&info);
	cut(&cmdline);
	cut(&mods);
	cut(&names);
	cut(&mmap);
}

TEST(pvh_addresses_that_lie)
{
	static const u32 field[] = { 16, 24, 40 };
	static const u64 pa[] = { 1,         0x5000,      0x7fffffff,
				  ~0u,       0x100000000, 0x8000000000000000,
				  ~0ull - 7, ~0ull };

	for (unsigned i = 0; i < ARRAY_LEN(field) * ARRAY_LEN(pa); i++) {
		like_qemu();
		blob_poke(&info, field[i / ARRAY_LEN(pa)], pa[i % ARRAY_LEN(pa)], 8);
		EXPECT(parse() != NULL);
	}
}

TEST(pvh_modules_that_lie)
{
	like_qemu();
	blob_poke(&mods, 8, ~0ull - MOD_AT + 1, 8);
	EXPECT_STR(parse(), "a PVH module runs past the end of all addresses");
	like_qemu();
	blob_poke(&mods, 8, 0x4001, 8);
	EXPECT_STR(parse(), "a module lies outside of readable memory");
	like_qemu();
	blob_poke(&mods, 0, 0x100000000, 8);
	EXPECT_STR(parse(), "a module lies outside of readable memory");
	like_qemu();
	blob_poke(&mods, 32 + 16, 0x77777777, 8);
	EXPECT_STR(parse(), "a PVH module's string is not all readable");
	like_qemu();
	blob_poke(&info, 12, ~0u, 4);
	EXPECT_STR(parse(), "the PVH modules run out of readable memory");
	like_qemu();
	blob_poke(&mods, 8, 0, 8);
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.module[0].len, 0);
}

TEST(pvh_as_many_modules_as_there_is_room_for)
{
	like_qemu();
	while (mods.n / 32 < BOOT_MODULE_MAX)
		module(MOD_AT, 1, "m");
	fixed_part(1);
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.module_n, BOOT_MODULE_MAX);
	module(MOD_AT, 1, "m");
	fixed_part(1);
	EXPECT_STR(parse(), "the loader passes more modules than there is room for");
}

TEST(pvh_long_command_lines_are_cut_and_say_so)
{
	static char text[LINE_MAX + 2];

	for (u32 len = LINE_MAX - 1; len <= LINE_MAX + 1; len++) {
		like_qemu();
		memset(text, 'x', len);
		cmdline.n = 0;
		blob_str(&cmdline, text);
		EXPECT_STR(parse(), NULL);
		EXPECT_EQ(strlen(out.cmdline), MIN(len, LINE_MAX));
		EXPECT_EQ(out.cmdline_truncated, len > LINE_MAX);
	}
}

TEST(pvh_random_damage)
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
