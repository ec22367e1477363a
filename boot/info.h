/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info - what the loader told us, copied out by value
 *
 * Multiboot 1 and 2 and PVH end in the same struct.  Nothing in it points into the
 * loader's memory, so that memory can be reused once boot_info_parse() is done;
 * only the modules' contents stay where they are, and the map says so.
 */
#ifndef BOOT_INFO_H
#define BOOT_INFO_H

#include "boot/view.h"
#include "lib/pixels.h"
#include "lib/types.h"

/* What the loader leaves in EAX (Multiboot 0.6.96, 3.2; Multiboot2 2.0, 3.3). */
#define BOOT_MB1_MAGIC 0x2badb002u
#define BOOT_MB2_MAGIC 0x36d76289u

/* PVH leaves none; start.S puts that of the information itself there. */
#define BOOT_PVH_MAGIC 0x336ec578u

#define BOOT_CMDLINE_MAX 4096 /* characters of words, without the NUL    */
#define BOOT_IMAGE_MAX   1024 /* of the image's name that may precede them */
#define BOOT_MAP_MAX     256  /* ranges, as told and as sanitised        */
#define BOOT_MODULE_MAX  16
#define BOOT_NAME_MAX    128 /* bytes of a module's string, with the NUL */

/* No amd64 CPU addresses more (MAXPHYADDR is at most 52). */
#define BOOT_ADDR_END BIT(52)

/* Types of a range.  1 to 5 are the firmware's; others of its own are reserved. */
#define BOOT_AVAILABLE 1u
#define BOOT_RESERVED  2u
#define BOOT_ACPI      3u /* tables, reclaimable */
#define BOOT_NVS       4u
#define BOOT_BAD       5u
#define BOOT_MODULE    0x80000001u /* a module lies here         */
#define BOOT_KERNEL    0x80000002u /* for boot_info_reserve()    */

struct boot_range {
	u64 base, len;
	u32 type;
};

struct boot_module {
	u64 base, len;
	char name[BOOT_NAME_MAX]; /* the loader's string: maybe a path, then arguments
				   */
	bool name_truncated;
};

struct boot_info {
	char loader[16]; /* "multiboot1", "multiboot2" or "pvh" */
	char cmdline[BOOT_IMAGE_MAX + BOOT_CMDLINE_MAX + 1];
	bool cmdline_truncated;

	/* Sorted, disjoint, never empty; available ranges begin and end on pages. */
	struct boot_range map[BOOT_MAP_MAX];
	unsigned map_n;

	/* As told, in the loader's order, and what boot_info_reserve() added. */
	struct boot_range told[BOOT_MAP_MAX];
	unsigned told_n;
	unsigned map_clipped; /* ranges that ran past BOOT_ADDR_END: cut or dropped */

	struct boot_module module[BOOT_MODULE_MAX];
	unsigned module_n;

	u8 rsdp[36];       /* as found in the loader's information, not checked */
	unsigned rsdp_len; /* 36, 20, or 0 when the loader gave none */

	struct framebuffer screen; /* as told, not checked; no width when none was */
};

/*
 * Reads the information at physical address `addr` into *out.  NULL when all is
 * well, else a sentence that says what is wrong; then *out must not be used.
 */
must_check const char *boot_info_parse(struct boot_info *out, u32 magic, u64 addr,
				       const struct phys_view *view);

/*
 * Takes [base, base + len) out of the available memory and marks it as `type`
 * (not BOOT_AVAILABLE) in the map.  NULL or a sentence, as above.
 */
must_check const char *boot_info_reserve(struct boot_info *b, u64 base, u64 len,
					 u32 type);

/* The i-th range of whole free pages, in rising order; NULL past the last one. */
const struct boot_range *boot_info_usable(const struct boot_info *b, unsigned i);

/* Is all of [base, base + len) in whole free pages? */
bool boot_info_free(const struct boot_info *b, u64 base, u64 len);

/*
 * The highest free page between 4 KiB and 640 KiB, for what starts in real mode; false
 * when there is none.  The highest, as firmware scribbles on the lowest ones.
 */
must_check bool boot_info_low_page(const struct boot_info *b, u64 *out);

/*
 * One past the last byte of RAM: available memory, modules, the kernel, and what
 * the firmware keeps its ACPI tables in.  0 when the map is empty.
 */
u64 boot_info_top(const struct boot_info *b);

/* Why nothing can be shown on b->screen, in a sentence; NULL when it can. */
must_check const char *boot_info_screen_wrong(const struct boot_info *b);

/*
 * The module whose string starts with the word `name`, with or without a path in
 * front of it; NULL when there is none.
 */
const struct boot_module *boot_info_module(const struct boot_info *b, const char *name);

#endif
