/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvh - the information of a PVH loader (QEMU -kernel without multiboot, Xen)
 *
 * Xen's public header arch-x86/hvm/start_info.h: a struct whose later fields are there
 * from version 1 on.  Everything in it is a physical address, 0 for what is not there.
 */
#include "boot/mb.h"

#define PVH_MAGIC    0
#define PVH_VERSION  4
#define PVH_MODULES  12 /* count, 32 bits, then the address of the list */
#define PVH_CMDLINE  24 /* address of a string     */
#define PVH_RSDP     32 /* address of the table    */
#define PVH_FIRST    40 /* bytes of version 0      */
#define PVH_MAP      40 /* address, count, 32 bits */
#define PVH_MAP_LAST 52

/* A module: address, size, address of a string, reserved. */
#define PVH_MODULE_SIZE 32

/* A map entry: base, size, type of 32 bits, reserved.  The types are the firmware's. */
#define PVH_ENTRY_SIZE 24
#define PVH_ENTRIES    4096u

/* Sizes of the ACPI 1.0 and 2.0 RSDP, and where its revision is (ACPI 6.5, 5.2.5.3). */
#define RSDP_OLD      20u
#define RSDP_NEW      36u
#define RSDP_REVISION 15

static const char *read_map(struct boot_info *out, u64 addr,
			    const struct phys_view *view)
{
	u8 map[PVH_MAP_LAST - PVH_MAP], entry[PVH_ENTRY_SIZE];
	const char *why = NULL;

	if (!view_read(view, addr + PVH_MAP, map, sizeof(map)))
		return "the PVH information is cut off before the memory map";
	if (!peek64(map) || !peek32(map + 8))
		return "the PVH information has no memory map";
	if (peek32(map + 8) > PVH_ENTRIES)
		return "the PVH memory map has an absurd number of entries";
	for (u32 i = 0; !why && i < peek32(map + 8); i++) {
		if (!view_read(view, peek64(map) + (u64)i * PVH_ENTRY_SIZE, entry,
			       sizeof(entry)))
			return "the PVH memory map runs out of readable memory";
		why = boot_info_add_range(out, peek64(entry), peek64(entry + 8),
					  peek32(entry + 16));
	}
	return why;
}

static const char *read_module(struct boot_info *out, const u8 *entry,
			       const struct phys_view *view)
{
	u64 start = peek64(entry), end, name = peek64(entry + 16);
	struct boot_module *m;
	const char *why;

	if (__builtin_add_overflow(start, peek64(entry + 8), &end))
		return "a PVH module runs past the end of all addresses";
	why = boot_info_add_module(out, start, end, view, &m);
	if (why)
		return why;
	if (name &&
	    !view_string(view, name, m->name, sizeof(m->name), &m->name_truncated))
		return "a PVH module's string is not all readable";
	return NULL;
}

static const char *read_modules(struct boot_info *out, const u8 *info,
				const struct phys_view *view)
{
	u64 list = peek64(info + PVH_MODULES + 4);
	u8 entry[PVH_MODULE_SIZE];
	const char *why = NULL;

	for (u32 i = 0; !why && i < peek32(info + PVH_MODULES); i++) {
		if (!view_read(view, list + (u64)i * PVH_MODULE_SIZE, entry,
			       sizeof(entry)))
			return "the PVH modules run out of readable memory";
		why = read_module(out, entry, view);
	}
	return why;
}

/* A copy, as multiboot 2 has one; where it cannot be read the firmware's is looked for.
 */
static void read_rsdp(struct boot_info *out, u64 pa, const struct phys_view *view)
{
	if (!pa || !view_read(view, pa, out->rsdp, RSDP_OLD))
		return;
	out->rsdp_len = RSDP_OLD;
	if (out->rsdp[RSDP_REVISION] >= 2 && view_read(view, pa, out->rsdp, RSDP_NEW))
		out->rsdp_len = RSDP_NEW;
}

const char *pvh_parse(struct boot_info *out, u64 addr, const struct phys_view *view)
{
	u8 info[PVH_FIRST];
	const char *why;

	if (!view_read(view, addr, info, sizeof(info)))
		return "the PVH information is not in readable memory";
	if (peek32(info + PVH_MAGIC) != BOOT_PVH_MAGIC)
		return "the PVH information does not begin with its magic number";
	if (!peek32(info + PVH_VERSION))
		return "the PVH information is of version 0, which has no memory map";
	why = read_map(out, addr, view);
	if (!why && peek64(info + PVH_CMDLINE) &&
	    !view_string(view, peek64(info + PVH_CMDLINE), out->cmdline,
			 sizeof(out->cmdline), &out->cmdline_truncated))
		why = "the PVH command line runs out of readable memory";
	if (!why)
		why = read_modules(out, info, view);
	read_rsdp(out, peek64(info + PVH_RSDP), view);
	return why;
}
