/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf - tests of vm/elf.c: guest images, well-formed and not
 */
#include "tests/host/blob.h"
#include "tests/host/test.h"
#include "vm/elf.h"

#define FLOOR 0x8000
#define LIMIT 0x200000

/* Offsets of fields that the tests damage. */
#define E_TYPE      16
#define E_MACHINE   18
#define E_VERSION   20
#define E_ENTRY     24
#define E_PHOFF     32
#define E_PHENTSIZE 54
#define E_PHNUM     56
#define PH(i)       (64 + 56 * (i))
#define P_TYPE      0
#define P_FLAGS     4
#define P_OFFSET    8
#define P_VADDR     16
#define P_PADDR     24
#define P_FILESZ    32
#define P_MEMSZ     40

static struct blob image;
static struct elf elf;

static void phdr(u32 type, u32 flags, u64 offset, u64 addr, u64 filesz, u64 memsz)
{
	blob_u32(&image, type);
	blob_u32(&image, flags);
	blob_u64(&image, offset);
	blob_u64(&image, addr);
	blob_u64(&image, addr);
	blob_u64(&image, filesz);
	blob_u64(&image, memsz);
	blob_u64(&image, 0x1000);
	image.b[E_PHNUM]++;
}

static void header(u64 entry)
{
	image.n = 0;
	blob_bytes(&image, "\177ELF\2\1\1", 7);
	blob_fill(&image, 16);
	blob_u16(&image, 2);
	blob_u16(&image, 62);
	blob_u32(&image, 1);
	blob_u64(&image, entry);
	blob_u64(&image, 64);
	blob_fill(&image, 52);
	blob_u16(&image, 64);
	blob_u16(&image, 56);
	blob_u16(&image, 0);
	blob_fill(&image, 64);
}

/* Text, data with a .bss behind it, and the note and stack headers of GNU ld. */
static void like_ld(void)
{
	header(0x100010);
	phdr(1, ELF_R | ELF_X, 0x200, 0x100000, 0x123, 0x123);
	phdr(1, ELF_R | ELF_W, 0x323, 0x101000, 0x21, 0x5000);
	phdr(4, ELF_R, 0x200, 0x100000, 0x20, 0x20);
	phdr(0x6474e551, ELF_R | ELF_W, 0, 0, 0, 0);
	while (image.n < 0x344)
		blob_u8(&image, (u8)image.n);
}

static u64 touched;

/* Opens the first n bytes in a block of just that size, `skew` bytes off alignment. */
static const char *open_cut(u32 n, u32 skew)
{
	u8 *block = malloc(n + skew);
	struct elf_segment s, other;
	const char *why;

	memcpy(block + skew, image.b, n);
	why = elf_open(&elf, block + skew, n, FLOOR, LIMIT);
	for (unsigned i = 0; !why && elf_segment(&elf, i, &s); i++) {
		for (u64 k = 0; k < s.filesz; k++)
			touched += ((const u8 *)s.bytes)[k];
		EXPECT(s.filesz <= s.memsz && s.memsz && s.gpa >= FLOOR &&
		       s.gpa <= LIMIT && s.memsz <= LIMIT - s.gpa);
		for (unsigned k = 0; k < i && elf_segment(&elf, k, &other); k++)
			EXPECT(s.gpa + s.memsz <= other.gpa ||
			       other.gpa + other.memsz <= s.gpa);
	}
	EXPECT(why || (elf.entry >= FLOOR && elf.entry < LIMIT));
	free(block);
	return why;
}

static const char *open_all(void)
{
	return open_cut(image.n, 0);
}

TEST(elf_like_ld)
{
	struct elf_segment s;

	like_ld();
	EXPECT_STR(elf_open(&elf, image.b, image.n, FLOOR, LIMIT), NULL);
	EXPECT_EQ(elf.entry, 0x100010);
	EXPECT_EQ(elf.segments, 2);
	EXPECT(elf_segment(&elf, 1, &s));
	EXPECT_EQ(s.gpa, 0x101000);
	EXPECT_EQ(s.memsz, 0x5000);
	EXPECT_EQ(s.filesz, 0x21);
	EXPECT_EQ(s.flags, ELF_R | ELF_W);
	EXPECT(s.bytes == image.b + 0x323);
	EXPECT(!elf_segment(&elf, 2, &s));
	EXPECT(!elf_segment(&elf, ~0u, &s));
}

TEST(elf_at_any_alignment)
{
	like_ld();
	for (u32 skew = 0; skew < 16; skew++)
		EXPECT_STR(open_cut(image.n, skew), NULL);
}

TEST(elf_cut_anywhere)
{
	like_ld();
	for (u32 n = 0; n < image.n; n++)
		if (!EXPECT(open_cut(n, 0) != NULL))
			test_say("cut after %u of %u bytes", n, image.n);
	EXPECT_STR(elf_open(&elf, NULL, 0, FLOOR, LIMIT),
		   "the guest image is not an ELF file");
}

/* Changes `size` bytes of a good image and opens it. */
static const char *with(u32 at, u64 v, unsigned size)
{
	like_ld();
	blob_poke(&image, at, v, size);
	return open_all();
}

TEST(elf_headers_that_are_not_ours)
{
	EXPECT_STR(with(0, 'x', 1), "the guest image is not an ELF file");
	EXPECT_STR(with(3, 'x', 1), "the guest image is not an ELF file");
	EXPECT_STR(with(4, 1, 1), "the guest image is not a 64-bit ELF");
	EXPECT_STR(with(5, 2, 1), "the guest image is not a little-endian ELF");
	EXPECT_STR(with(6, 2, 1), "the guest image has an unknown ELF version");
	EXPECT_STR(with(E_VERSION, 0, 4), "the guest image has an unknown ELF version");
	EXPECT_STR(with(E_TYPE, 1, 2), "the guest image is not an executable");
	EXPECT_STR(with(E_TYPE, 3, 2),
		   "the guest image is position-independent; link it with -no-pie");
	EXPECT_STR(with(E_MACHINE, 183, 2), "the guest image is not for x86-64");
	EXPECT_STR(with(PH(2) + P_TYPE, 3, 4),
		   "the guest image is dynamic; link it with -static");
}

TEST(elf_program_headers_out_of_bounds)
{
	EXPECT_STR(with(E_PHNUM, 0, 2), "the guest image has no program headers");
	EXPECT_STR(with(E_PHNUM, 65, 2),
		   "the guest image has too many program headers");
	EXPECT_STR(with(E_PHNUM, 0xffff, 2),
		   "the guest image has too many program headers");
	EXPECT_STR(with(E_PHNUM, 14, 2),
		   "the guest image's program headers run past the file");
	EXPECT_STR(with(E_PHENTSIZE, 55, 2),
		   "the guest image has program headers of a wrong size");
	EXPECT_STR(with(E_PHENTSIZE, 0, 2),
		   "the guest image has program headers of a wrong size");
	EXPECT_STR(with(E_PHOFF, 0x344 - 4 * 56 + 1, 8),
		   "the guest image's program headers run past the file");
	EXPECT_STR(with(E_PHOFF, 0x345, 8),
		   "the guest image's program headers run past the file");
	EXPECT_STR(with(E_PHOFF, ~0ull, 8),
		   "the guest image's program headers run past the file");
	EXPECT_STR(with(E_PHOFF, ~0ull - 200, 8),
		   "the guest image's program headers run past the file");
}

TEST(elf_segments_out_of_the_file)
{
	static const char past[] = "a segment of the guest image runs past the file";
	u32 p = PH(1);

	EXPECT_STR(with(p + P_OFFSET, 0x324, 8), past);
	EXPECT_STR(with(p + P_OFFSET, 0x345, 8), past);
	EXPECT_STR(with(p + P_OFFSET, ~0ull, 8), past);
	EXPECT_STR(with(p + P_OFFSET, ~0ull - 0x20, 8), past);
	EXPECT_STR(with(p + P_FILESZ, 0x22, 8), past);
	like_ld();
	blob_poke(&image, p + P_FILESZ, ~0ull, 8);
	blob_poke(&image, p + P_MEMSZ, ~0ull, 8);
	EXPECT_STR(open_all(), past);
	EXPECT_STR(with(p + P_FILESZ, 0x5001, 8),
		   "a segment of the guest image has more bytes than memory");
	EXPECT_STR(with(p + P_FILESZ, 0, 8), NULL);
	EXPECT_STR(with(p + P_FILESZ, ~0ull, 8),
		   "a segment of the guest image has more bytes than memory");
	EXPECT_STR(with(p + P_MEMSZ, 0x20, 8),
		   "a segment of the guest image has more bytes than memory");
}

TEST(elf_segments_out_of_the_guest)
{
	static const char out[] =
		"a segment of the guest image is not in the guest's memory";
	u32 p = PH(1);

	EXPECT_STR(with(p + P_PADDR, LIMIT - 0x5000, 8), NULL);
	EXPECT_STR(with(p + P_PADDR, LIMIT - 0x4fff, 8), out);
	EXPECT_STR(with(p + P_PADDR, LIMIT, 8), out);
	EXPECT_STR(with(p + P_PADDR, LIMIT + 1, 8), out);
	EXPECT_STR(with(p + P_PADDR, ~0ull, 8), out);
	EXPECT_STR(with(p + P_PADDR, 0ull - 0x5000, 8), out);
	EXPECT_STR(with(p + P_PADDR, FLOOR, 8), NULL);
	EXPECT_STR(with(p + P_PADDR, FLOOR - 1, 8), out);
	EXPECT_STR(with(p + P_PADDR, 0, 8), out);
	EXPECT_STR(with(p + P_MEMSZ, LIMIT - 0x101000, 8), NULL);
	EXPECT_STR(with(p + P_MEMSZ, LIMIT - 0x100fff, 8), out);
	EXPECT_STR(with(p + P_MEMSZ, ~0ull, 8), out);
	EXPECT_STR(with(p + P_VADDR, ~0ull - 0x4fff, 8), NULL);
	EXPECT_STR(with(p + P_VADDR, ~0ull - 0x4ffe, 8),
		   "a segment of the guest image wraps around the address space");
}

TEST(elf_segments_that_overlap)
{
	static const char two[] = "two segments of the guest image overlap";
	u32 p = PH(1);

	EXPECT_STR(with(p + P_PADDR, 0x100123, 8), NULL);
	EXPECT_STR(with(p + P_PADDR, 0x100122, 8), two);
	EXPECT_STR(with(p + P_PADDR, 0x100000, 8), two);
	EXPECT_STR(with(p + P_PADDR, 0x100000 - 0x5000, 8), NULL);
	EXPECT_STR(with(p + P_PADDR, 0x100000 - 0x4fff, 8), two);
	EXPECT_STR(with(p + P_PADDR, 0x100000 - 0x4000, 8), two);
}

TEST(elf_entry_in_code)
{
	static const char no[] =
		"the guest image's entry point is in no code that it loads";
	u32 p = PH(0);

	EXPECT_STR(with(E_ENTRY, 0x100000, 8), NULL);
	EXPECT_STR(with(E_ENTRY, 0x100122, 8), NULL);
	EXPECT_STR(with(E_ENTRY, 0x100123, 8), no);
	EXPECT_STR(with(E_ENTRY, 0xfffff, 8), no);
	EXPECT_STR(with(E_ENTRY, 0x101000, 8), no);
	EXPECT_STR(with(E_ENTRY, ~0ull, 8), no);
	EXPECT_STR(with(p + P_FLAGS, ELF_R | ELF_W, 4), no);
	EXPECT_STR(with(p + P_FILESZ, 0x10, 8), no); /* in the zeros behind the bytes */
}

TEST(elf_entry_virtual_or_physical)
{
	u64 high = 0xffffffff80000000;

	like_ld();
	blob_poke(&image, PH(0) + P_VADDR, high, 8);
	EXPECT_STR(open_all(), NULL); /* the physical address */
	EXPECT_EQ(elf.entry, 0x100010);
	blob_poke(&image, E_ENTRY, high + 0x20, 8);
	EXPECT_STR(open_all(), NULL);
	EXPECT_EQ(elf.entry, 0x100020);
	/* A later segment's virtual range beats an earlier one's physical range. */
	blob_poke(&image, E_ENTRY, 0x100010, 8);
	blob_poke(&image, PH(1) + P_FLAGS, ELF_R | ELF_X, 4);
	blob_poke(&image, PH(1) + P_VADDR, 0x100000, 8);
	EXPECT_STR(open_all(), NULL);
	EXPECT_EQ(elf.entry, 0x101010);
	/* Of two virtual ranges the first counts. */
	blob_poke(&image, PH(0) + P_VADDR, 0x100000, 8);
	EXPECT_STR(open_all(), NULL);
	EXPECT_EQ(elf.entry, 0x100010);
}

TEST(elf_nothing_to_load)
{
	header(0x100000);
	phdr(4, ELF_R, 0, 0x100000, 0, 0);
	EXPECT_STR(open_all(), "the guest image loads nothing");
	header(0x100000);
	phdr(1, ELF_R | ELF_X, 0, 0x100000, 0, 0);
	EXPECT_STR(open_all(), "the guest image loads nothing");
}

TEST(elf_as_many_segments_as_there_is_room_for)
{
	for (unsigned n = ELF_SEGMENTS_MAX; n <= ELF_SEGMENTS_MAX + 1; n++) {
		header(0x100000);
		for (unsigned i = 0; i < n; i++)
			phdr(1, ELF_R | ELF_X, 0, 0x100000 + 0x1000 * i, 0x40, 0x40);
		EXPECT_EQ(!open_all(), n == ELF_SEGMENTS_MAX);
	}
}

TEST(elf_random_damage)
{
	struct rng rng = test_rng();
	unsigned accepted = 0;

	for (unsigned i = 0; i < 20000; i++) {
		u32 all;

		like_ld();
		all = image.n;
		image.n = PH(4); /* damage headers, not contents */
		blob_mutate(&image, &rng);
		image.n = all;
		accepted += !open_all();
	}
	EXPECT(accepted > 500 && accepted < 19500);
	EXPECT(touched != 0);
}
