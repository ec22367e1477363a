/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mb2 - tests of boot/mb2.c: Multiboot2 2.0 information, well-formed and not
 */
#include "boot/info.h"
#include "tests/host/blob.h"
#include "tests/host/infocheck.h"
#include "tests/host/phys.h"
#include "tests/host/test.h"

#define INFO_AT 0x10008
#define MOD_AT  0x5000

/* The longest command line that is kept whole. */
#define LINE_MAX ((u32)sizeof(out.cmdline) - 1)

static struct blob info;
static struct boot_info out;
static u32 tag_at; /* offset of the tag that is being built */

static void begin(void)
{
	info.n = 0;
	blob_u64(&info, 0);
}

static void tag(u32 type)
{
	blob_align(&info, 8);
	tag_at = info.n;
	blob_u32(&info, type);
	blob_u32(&info, 0);
}

static void tag_done(void)
{
	blob_poke(&info, tag_at + 4, info.n - tag_at, 4);
}

static void end(void)
{
	tag(0);
	tag_done();
	blob_poke(&info, 0, info.n, 4);
}

static void string_tag(u32 type, const char *s)
{
	tag(type);
	blob_str(&info, s);
	tag_done();
}

static void module_tag(u32 start, u32 stop, const char *s)
{
	tag(3);
	blob_u32(&info, start);
	blob_u32(&info, stop);
	blob_str(&info, s);
	tag_done();
}

static void entry(u64 base, u64 len, u32 type)
{
	blob_u64(&info, base);
	blob_u64(&info, len);
	blob_u64(&info, type);
}

static void map_tag(u32 size)
{
	tag(6);
	blob_u32(&info, size);
	blob_u32(&info, 0);
	entry(0, 0x9fc00, 1);
	entry(0x9fc00, 0x400, 2);
	entry(0xe8000, 0x18000, 2);
	entry(0x100000, 0xfef0000, 1);
	entry(0xfff0000, 0x10000, 3);
	entry(0xfffc0000, 0x40000, 2);
	tag_done();
}

static void begin_with_map(void)
{
	begin();
	map_tag(24);
}

/* Bytes that count up from the type. */
static void bytes_tag(u32 type, u32 len)
{
	tag(type);
	for (u32 i = 0; i < len; i++)
		blob_u8(&info, (u8)(type + i));
	tag_done();
}

/* The tags of GRUB 2.06 on a BIOS machine with one module, in its order. */
static void like_grub(void)
{
	begin();
	bytes_tag(21, 4);
	string_tag(1, "run=remap/* cpus=4");
	string_tag(2, "GRUB 2.06-13+deb12u1");
	bytes_tag(10, 20);
	module_tag(MOD_AT, MOD_AT + 0x321, "guest.elf one two");
	map_tag(24);
	bytes_tag(9, 201);
	tag(4);
	blob_u32(&info, 639);
	blob_u32(&info, 0x3fbc0);
	tag_done();
	bytes_tag(5, 12);
	bytes_tag(8, 24);
	bytes_tag(14, 20);
	end();
}

static const char *parse_readable(u32 len)
{
	const char *why;
	struct phys phys;

	phys_init(&phys);
	phys_add(&phys, INFO_AT, info.b, len);
	phys_add(&phys, MOD_AT, NULL, 0x1000);
	why = boot_info_parse(&out, BOOT_MB2_MAGIC, INFO_AT, &phys.view);
	EXPECT(!phys.wrong);
	if (!why)
		EXPECT_STR(info_wrong(&out), NULL);
	phys_free(&phys);
	return why;
}

static const char *parse(void)
{
	return parse_readable(info.n);
}

TEST(mb2_like_grub)
{
	like_grub();
	EXPECT_STR(parse(), NULL);
	EXPECT_STR(out.loader, "multiboot2");
	EXPECT_STR(out.cmdline, "run=remap/* cpus=4");
	EXPECT_EQ(out.module_n, 1);
	EXPECT_EQ(out.module[0].base, MOD_AT);
	EXPECT_EQ(out.module[0].len, 0x321);
	EXPECT_STR(out.module[0].name, "guest.elf one two");
	EXPECT_EQ(out.told_n, 7);
	EXPECT_EQ(out.rsdp_len, 20);
	EXPECT_EQ(out.rsdp[0], 14);
	EXPECT_EQ(out.rsdp[19], 33);
	EXPECT_EQ(boot_info_usable(&out, 0)->len, 0x5000);
	EXPECT_EQ(boot_info_usable(&out, 1)->base, 0x6000);
	EXPECT_EQ(boot_info_usable(&out, 2)->base, 0x100000);
	EXPECT_EQ(boot_info_top(&out), 0x10000000);
}

TEST(mb2_new_rsdp_beats_the_old_one)
{
	for (unsigned turn = 0; turn < 2; turn++) {
		begin_with_map();
		bytes_tag(turn ? 14 : 15, turn ? 20 : 36);
		bytes_tag(turn ? 15 : 14, turn ? 36 : 20);
		end();
		EXPECT_STR(parse(), NULL);
		EXPECT_EQ(out.rsdp_len, 36);
		EXPECT_EQ(out.rsdp[0], 15);
	}
}

TEST(mb2_memory_sizes_when_there_is_no_map)
{
	begin();
	tag(4);
	blob_u32(&info, 640);
	blob_u32(&info, 0x10000);
	tag_done();
	end();
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.map_n, 2);
	EXPECT_EQ(boot_info_top(&out), 0x100000 + 0x4000000);
	begin();
	string_tag(1, "x");
	end();
	EXPECT_STR(parse(), "the multiboot 2 information has no memory map");
}

TEST(mb2_memory_cut_anywhere)
{
	like_grub();
	for (u32 n = 0; n < info.n; n++)
		EXPECT(parse_readable(n) != NULL);
}

TEST(mb2_total_size_cut_anywhere)
{
	like_grub();
	for (u32 n = 0; n < info.n; n++) {
		blob_poke(&info, 0, n, 4);
		if (!EXPECT(parse() != NULL) || !EXPECT(parse_readable(n) != NULL))
			test_say("with a total size of %u", n);
	}
}

TEST(mb2_total_size_that_lies)
{
	static const u32 total[] = { 0,          7,          8,
				     15,         0x1000001,  0x7fffffff,
				     0x80000000, 0xfffffff8, 0xffffffff };

	for (unsigned i = 0; i < ARRAY_LEN(total); i++) {
		like_grub();
		blob_poke(&info, 0, total[i], 4);
		EXPECT_STR(parse(), "the multiboot 2 information has an absurd size");
	}
}

TEST(mb2_tag_sizes_that_lie)
{
	static const u32 size[] = { 0, 1, 7, 0x1000, 0x7fffffff, 0xfffffff0, ~0u };
	u32 next;

	like_grub();
	for (u32 at = 8; at < info.n; at = next) {
		u32 good = peek32(info.b + at + 4);

		next = (u32)ALIGN_UP(at + good, 8);
		for (unsigned i = 0; i < ARRAY_LEN(size); i++) {
			blob_poke(&info, at + 4, size[i], 4);
			if (!EXPECT(parse() != NULL))
				test_say("tag at %u with size %u", at, size[i]);
		}
		blob_poke(&info, at + 4, good, 4);
	}
}

TEST(mb2_end_tag_missing)
{
	like_grub();
	info.n -= 8;
	blob_poke(&info, 0, info.n, 4);
	EXPECT_STR(parse(), "the multiboot 2 information has no end tag");
	begin();
	blob_poke(&info, 0, 16, 4);
	blob_u64(&info, 0);
	EXPECT_STR(parse(), "a multiboot 2 tag is smaller than its header");
}

TEST(mb2_last_tag_ends_with_the_information)
{
	begin_with_map();
	end();
	blob_u8(&info, 0);
	blob_poke(&info, tag_at, 1, 4); /* the end tag becomes an empty command line */
	blob_poke(&info, tag_at + 4, 9, 4);
	blob_poke(&info, 0, info.n, 4);
	EXPECT_STR(parse(), "the multiboot 2 information has no end tag");
}

/* A tag of zeros behind a good map. */
static const char *with_tag(u32 type, u32 len)
{
	begin_with_map();
	tag(type);
	blob_fill(&info, info.n + len);
	if (type == 6 && len >= 4)
		blob_poke(&info, tag_at + 8, 24, 4);
	tag_done();
	end();
	return parse();
}

TEST(mb2_too_small_tags)
{
	static const struct {
		u32 type, least;
		const char *why;
	} kind[] = {
		{ 1, 1, "the multiboot 2 command line has no end" },
		{ 3, 8, "a multiboot 2 module tag is too small" },
		{ 4, 8, "the multiboot 2 memory size tag is too small" },
		{ 6, 8, "the multiboot 2 memory map tag is too small" },
		{ 14, 20, "a multiboot 2 RSDP tag is too small" },
		{ 15, 36, "a multiboot 2 RSDP tag is too small" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(kind); i++) {
		for (u32 len = 0; len < kind[i].least; len++)
			EXPECT_STR(with_tag(kind[i].type, len), kind[i].why);
		EXPECT_STR(with_tag(kind[i].type, kind[i].least),
			   kind[i].type == 3
				   ? "a multiboot 2 module's string has no end"
				   : NULL);
	}
}

TEST(mb2_strings_without_an_end)
{
	begin_with_map();
	tag(1);
	blob_bytes(&info, "run=xxxx", 8);
	tag_done();
	end();
	EXPECT_STR(parse(), "the multiboot 2 command line has no end");
	begin_with_map();
	tag(3);
	blob_u64(&info, 0);
	blob_bytes(&info, "guest", 5);
	tag_done();
	end();
	EXPECT_STR(parse(), "a multiboot 2 module's string has no end");
}

TEST(mb2_map_entry_sizes)
{
	static const u32 bad[] = { 0,  1,  8,          16,         23, 25,
				   28, 56, 0x80000000, 0xfffffff8, ~0u };

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		begin();
		map_tag(bad[i]);
		end();
		EXPECT(parse() != NULL);
	}
	begin();
	tag(6);
	blob_u64(&info, 28);
	entry(0x100000, 0x100000, 1);
	blob_u32(&info, 0);
	tag_done();
	end();
	EXPECT_STR(parse(), "the multiboot 2 memory map has a bad entry size");
	begin();
	map_tag(48); /* every other entry is taken for padding */
	end();
	EXPECT_STR(parse(), NULL);
	EXPECT_EQ(out.told_n, 3);
	EXPECT_EQ(out.told[1].base, 0xe8000);
}

TEST(mb2_modules_that_lie)
{
	begin_with_map();
	module_tag(MOD_AT + 1, MOD_AT, "m");
	end();
	EXPECT_STR(parse(), "a module ends before it starts");
	begin_with_map();
	module_tag(MOD_AT, MOD_AT + 0x1001, "m");
	end();
	EXPECT_STR(parse(), "a module lies outside of readable memory");
	begin_with_map();
	for (unsigned i = 0; i <= BOOT_MODULE_MAX; i++)
		module_tag(MOD_AT, MOD_AT, "m");
	end();
	EXPECT_STR(parse(), "the loader passes more modules than there is room for");
}

TEST(mb2_long_command_line)
{
	static char text[9000];

	memset(text, 'y', sizeof(text) - 1);
	begin_with_map();
	string_tag(1, text);
	module_tag(MOD_AT, MOD_AT, text);
	end();
	EXPECT_STR(parse(), NULL);
	EXPECT(out.cmdline_truncated);
	EXPECT_EQ(strlen(out.cmdline), LINE_MAX);
	EXPECT(out.module[0].name_truncated);
	EXPECT_EQ(strlen(out.module[0].name), BOOT_NAME_MAX - 1);
}

TEST(mb2_command_lines_about_as_long_as_there_is_room_for)
{
	static char text[LINE_MAX + 2];

	for (u32 len = LINE_MAX - 1; len <= LINE_MAX + 1; len++) {
		memset(text, 'y', len);
		begin_with_map();
		string_tag(1, text);
		end();
		EXPECT_STR(parse(), NULL);
		EXPECT_EQ(out.cmdline_truncated, len > LINE_MAX);
		EXPECT_EQ(strlen(out.cmdline), MIN(len, LINE_MAX));
	}
}

TEST(mb2_random_damage)
{
	struct rng rng = test_rng();
	unsigned accepted = 0;

	for (unsigned i = 0; i < 20000; i++) {
		like_grub();
		blob_mutate(&info, &rng);
		accepted += !parse();
	}
	EXPECT(accepted > 1000 && accepted < 19000);
}

static void screen_tag(u64 addr, u8 type, unsigned len)
{
	static const u8 colours[] = { 16, 8, 8, 8, 0, 8 };

	tag(8);
	blob_u64(&info, addr);
	blob_u32(&info, 4096);
	blob_u32(&info, 1024);
	blob_u32(&info, 768);
	blob_u8(&info, 32);
	blob_u8(&info, type);
	blob_u8(&info, 0);
	blob_u8(&info, 0);
	blob_bytes(&info, colours, sizeof(colours));
	info.n = tag_at + 8 + len;
	tag_done();
}

static const char *with_screen(u64 addr, u8 type, unsigned len)
{
	begin_with_map();
	screen_tag(addr, type, len);
	end();
	EXPECT_STR(parse(), NULL);
	return boot_info_screen_wrong(&out);
}

TEST(mb2_screen)
{
	EXPECT_STR(with_screen(0xc0000000, FB_RGB, 30), NULL);
	EXPECT_EQ(out.screen.addr, 0xc0000000);
	EXPECT_EQ(out.screen.pitch, 4096);
	EXPECT_EQ(out.screen.width, 1024);
	EXPECT_EQ(out.screen.height, 768);
	EXPECT_EQ(out.screen.bpp, 32);
	EXPECT_EQ(out.screen.red.at, 16);
	EXPECT_EQ(out.screen.green.at, 8);
	EXPECT_EQ(out.screen.blue.bits, 8);
	EXPECT_STR(with_screen(0x4000000000, FB_RGB, 30), NULL);
}

TEST(mb2_screen_that_is_cut)
{
	for (unsigned len = 0; len < 24; len++) {
		EXPECT(with_screen(0xc0000000, FB_RGB, len) != NULL);
		EXPECT_EQ(out.screen.width, 0);
	}
	for (unsigned len = 24; len < 30; len++) {
		EXPECT_STR(with_screen(0xc0000000, FB_RGB, len),
			   "a colour lies outside of its pixels");
		EXPECT_EQ(out.screen.red.bits, 0);
	}
}

TEST(mb2_screen_in_memory)
{
	static const u64 bad[] = { 0x100000, 0xfeff000, 0xffff000,
				   0x1000,   0x9f000,   0xfcf0000 };

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		EXPECT_STR(with_screen(bad[i], FB_RGB, 30),
			   "it lies in memory that has another use");
	EXPECT_STR(with_screen(0x10000000, FB_RGB, 30), NULL);
	EXPECT(with_screen(0, FB_RGB, 30) != NULL);
	EXPECT(with_screen(~0ull, FB_RGB, 30) != NULL);
}
