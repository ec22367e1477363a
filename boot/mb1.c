/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mb1 - the information of a Multiboot 0.6.96 loader (QEMU -kernel, iPXE, GRUB)
 *
 * Section 3.3 of the specification: a struct whose first word says which of its
 * fields hold something.  Fields that are not announced are never read.
 */
#include "boot/mb.h"

/* Section 3.3: flags, and where the announced fields lie. */
#define MB1_HAS_MEM     BIT(0)
#define MB1_HAS_CMDLINE BIT(2)
#define MB1_HAS_MODS    BIT(3)
#define MB1_HAS_MMAP    BIT(6)
#define MB1_HAS_LOADER  BIT(9)

#define MB1_FLAGS   0
#define MB1_MEM     4  /* lower, upper in KiB    */
#define MB1_CMDLINE 16 /* address of a string    */
#define MB1_MODS    20 /* count, address         */
#define MB1_MMAP    44 /* length in bytes, address */
#define MB1_LOADER  64 /* address of a string    */

/*
 * iPXE puts all strings into a buffer of 512 bytes, the command line first, and cuts
 * what does not fit.  So its last character but the NUL is there only if they fill it.
 */
#define IPXE_LAST 510

/* A module: start, end, address of a string, reserved. */
#define MB1_MOD_SIZE 16

/* A map entry: size of what follows, then base, length, type. */
#define MB1_ENTRY_MIN 20

static const char *read_cmdline(struct boot_info *out, u64 addr,
				const struct phys_view *view)
{
	u32 at;

	if (!view_read(view, addr + MB1_CMDLINE, &at, sizeof(at)))
		return "the multiboot 1 information is cut off before the command line";
	if (!view_string(view, at, out->cmdline, sizeof(out->cmdline),
			 &out->cmdline_truncated))
		return "the multiboot 1 command line runs out of readable memory";
	return NULL;
}

static const char *read_modules(struct boot_info *out, u64 addr,
				const struct phys_view *view)
{
	u32 mods[2], mod[MB1_MOD_SIZE / 4];
	struct boot_module *m;
	const char *why;

	if (!view_read(view, addr + MB1_MODS, mods, sizeof(mods)))
		return "the multiboot 1 information is cut off before the modules";
	for (u32 i = 0; i < mods[0]; i++) {
		if (!view_read(view, mods[1] + (u64)i * MB1_MOD_SIZE, mod, sizeof(mod)))
			return "the multiboot 1 modules run out of readable memory";
		why = boot_info_add_module(out, mod[0], mod[1], view, &m);
		if (why)
			return why;
		if (mod[2] && !view_string(view, mod[2], m->name, sizeof(m->name),
					   &m->name_truncated))
			return "a multiboot 1 module's string is not all readable";
	}
	return NULL;
}

static const char *read_map(struct boot_info *out, u64 addr,
			    const struct phys_view *view)
{
	u32 mmap[2], size;
	u8 entry[MB1_ENTRY_MIN];
	const char *why;
	u64 at, end;

	if (!view_read(view, addr + MB1_MMAP, mmap, sizeof(mmap)))
		return "the multiboot 1 information is cut off before the memory map";
	at = mmap[1];
	for (end = at + mmap[0]; at < end; at += size) {
		if (end - at < sizeof(size) ||
		    !view_read(view, at, &size, sizeof(size)))
			return "the multiboot 1 memory map is cut off";
		at += sizeof(size);
		if (size < MB1_ENTRY_MIN)
			return "a multiboot 1 memory map entry is too small";
		if (size > end - at)
			return "a multiboot 1 memory map entry runs past the map";
		if (!view_read(view, at, entry, sizeof(entry)))
			return "the multiboot 1 memory map runs out of readable memory";
		why = boot_info_add_range(out, peek64(entry), peek64(entry + 8),
					  peek32(entry + 16));
		if (why)
			return why;
	}
	return NULL;
}

static const char *read_mem(struct boot_info *out, u64 addr,
			    const struct phys_view *view)
{
	u32 mem[2];

	if (!view_read(view, addr + MB1_MEM, mem, sizeof(mem)))
		return "the multiboot 1 information is cut off before the memory sizes";
	return boot_info_add_basic(out, mem[0], mem[1]);
}

static bool ipxe_is_full(u64 addr, const struct phys_view *view)
{
	u32 line, name;
	char text[5], last;

	return view_read(view, addr + MB1_CMDLINE, &line, sizeof(line)) &&
	       view_read(view, addr + MB1_LOADER, &name, sizeof(name)) &&
	       view_read(view, name, text, sizeof(text)) &&
	       !memcmp(text, "iPXE ", sizeof(text)) &&
	       view_read(view, (u64)line + IPXE_LAST, &last, 1) && last;
}

const char *mb1_parse(struct boot_info *out, u64 addr, const struct phys_view *view)
{
	const char *why = NULL;
	u32 flags;

	if (!view_read(view, addr + MB1_FLAGS, &flags, sizeof(flags)))
		return "the multiboot 1 information is not in readable memory";
	if (flags & MB1_HAS_MMAP)
		why = read_map(out, addr, view);
	else if (flags & MB1_HAS_MEM)
		why = read_mem(out, addr, view);
	else
		return "the multiboot 1 information has no memory map";
	if (!why && flags & MB1_HAS_CMDLINE)
		why = read_cmdline(out, addr, view);
	if (!why && flags & MB1_HAS_MODS)
		why = read_modules(out, addr, view);
	if (!why && flags & MB1_HAS_CMDLINE && flags & MB1_HAS_LOADER &&
	    ipxe_is_full(addr, view))
		why = "iPXE has cut the command line or a module's: 512 bytes hold all";
	return why;
}
