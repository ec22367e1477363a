/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf - a guest's image: what a statically linked ELF64 wants loaded, and where
 *
 * Whoever built the image is not trusted: every number in it is checked against the
 * file's size, the guest's size and the other segments before it is used.
 * Structures and names are those of the System V gABI, chapter 4 and 5.
 */
#include "vm/elf.h"
#include "lib/str.h"

struct ehdr {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct ehdr) == 64, "ELF64 header");
_Static_assert(sizeof(struct phdr) == 56, "ELF64 program header");

#define EI_CLASS    4
#define EI_DATA     5
#define EI_VERSION  6
#define ELFCLASS64  2
#define ELFDATA2LSB 1
#define EV_CURRENT  1
#define ET_EXEC     2
#define ET_DYN      3
#define EM_X86_64   62
#define PT_LOAD     1
#define PT_INTERP   3

/* Headers of any type; more say that the file is damaged. */
#define PHDRS_MAX 64

/* Where segments may lie in the guest: [floor, limit). */
struct bounds {
	u64 floor, limit;
};

static const char *check_header(const struct ehdr *h, u64 size)
{
	if (h->ident[EI_CLASS] != ELFCLASS64)
		return "the guest image is not a 64-bit ELF";
	if (h->ident[EI_DATA] != ELFDATA2LSB)
		return "the guest image is not a little-endian ELF";
	if (h->ident[EI_VERSION] != EV_CURRENT || h->version != EV_CURRENT)
		return "the guest image has an unknown ELF version";
	if (h->type == ET_DYN)
		return "the guest image is position-independent; link it with -no-pie";
	if (h->type != ET_EXEC)
		return "the guest image is not an executable";
	if (h->machine != EM_X86_64)
		return "the guest image is not for x86-64";
	if (!h->phnum)
		return "the guest image has no program headers";
	if (h->phentsize != sizeof(struct phdr))
		return "the guest image has program headers of a wrong size";
	if (h->phnum > PHDRS_MAX)
		return "the guest image has too many program headers";
	if (h->phoff > size || size - h->phoff < h->phnum * sizeof(struct phdr))
		return "the guest image's program headers run past the file";
	return NULL;
}

static bool overlaps(const struct elf *e, u64 gpa, u64 len)
{
	for (unsigned i = 0; i < e->segments; i++) {
		const struct elf_segment *s = &e->segment[i];

		if (gpa < s->gpa + s->memsz && s->gpa < gpa + len)
			return true;
	}
	return false;
}

/* Checks one PT_LOAD against the file, the guest and the segments before it. */
static const char *add_segment(struct elf *e, const struct phdr *p, const u8 *image,
			       u64 size, struct bounds in)
{
	if (p->filesz > p->memsz)
		return "a segment of the guest image has more bytes than memory";
	if (p->offset > size || p->filesz > size - p->offset)
		return "a segment of the guest image runs past the file";
	if (!p->memsz)
		return NULL;
	if (p->paddr < in.floor || p->paddr > in.limit ||
	    p->memsz > in.limit - p->paddr)
		return "a segment of the guest image is not in the guest's memory";
	if (p->memsz - 1 > ~0ull - p->vaddr)
		return "a segment of the guest image wraps around the address space";
	if (overlaps(e, p->paddr, p->memsz))
		return "two segments of the guest image overlap";
	if (e->segments == ELF_SEGMENTS_MAX)
		return "the guest image has too many segments";
	e->segment[e->segments++] = (struct elf_segment){
		.gpa = p->paddr,
		.memsz = p->memsz,
		.bytes = image + p->offset,
		.filesz = p->filesz,
		.flags = p->flags & (ELF_R | ELF_W | ELF_X),
	};
	return NULL;
}

/*
 * e_entry is a virtual address, but images that are linked high and started low give
 * a physical one: take it for that when it is in no segment's virtual range.  Only
 * bytes of code from the file count.
 */
enum entry { ENTRY_NONE, ENTRY_PHYSICAL, ENTRY_VIRTUAL };

static enum entry find_entry(struct elf *e, const struct phdr *p, u64 entry,
			     enum entry found)
{
	if (!(p->flags & ELF_X) || found == ENTRY_VIRTUAL)
		return found;
	if (entry >= p->vaddr && entry - p->vaddr < p->filesz) {
		e->entry = p->paddr + (entry - p->vaddr);
		return ENTRY_VIRTUAL;
	}
	if (entry < p->paddr || entry - p->paddr >= p->filesz)
		return found;
	e->entry = entry;
	return ENTRY_PHYSICAL;
}

static const char *add_all(struct elf *e, const struct ehdr *h, const u8 *image,
			   u64 size, struct bounds in)
{
	enum entry found = ENTRY_NONE;
	const char *why;
	struct phdr p;

	for (u64 i = 0; i < h->phnum; i++) {
		memcpy(&p, image + h->phoff + i * sizeof(p), sizeof(p));
		if (p.type == PT_INTERP)
			return "the guest image is dynamic; link it with -static";
		if (p.type != PT_LOAD)
			continue;
		why = add_segment(e, &p, image, size, in);
		if (why)
			return why;
		found = find_entry(e, &p, h->entry, found);
	}
	if (!e->segments)
		return "the guest image loads nothing";
	return found ? NULL
		     : "the guest image's entry point is in no code that it loads";
}

const char *elf_open(struct elf *e, const void *image, u64 size, u64 floor, u64 limit)
{
	const char *why;
	struct ehdr h;

	memset(e, 0, sizeof(*e));
	if (size < 4 || memcmp(image, "\177ELF", 4))
		return "the guest image is not an ELF file";
	if (size < sizeof(h))
		return "the guest image ends inside its ELF header";
	memcpy(&h, image, sizeof(h));
	why = check_header(&h, size);
	return why ? why : add_all(e, &h, image, size, (struct bounds){ floor, limit });
}

bool elf_segment(const struct elf *e, unsigned i, struct elf_segment *out)
{
	if (i >= e->segments)
		return false;
	*out = e->segment[i];
	return true;
}
