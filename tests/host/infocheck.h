/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * infocheck - what must hold of every struct boot_info that was parsed, whatever from.
 */
#ifndef TESTS_HOST_INFOCHECK_H
#define TESTS_HOST_INFOCHECK_H

#include "boot/info.h"

static inline bool ends(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!s[i])
			return true;
	return false;
}

/* Does an available range touch memory that the loader called something else? */
static inline bool gives_away(const struct boot_info *b, const struct boot_range *r)
{
	for (unsigned i = 0; i < b->told_n; i++) {
		const struct boot_range *t = &b->told[i];

		if (t->type != BOOT_AVAILABLE && t->base < r->base + r->len &&
		    r->base < t->base + t->len)
			return true;
	}
	return false;
}

/* NULL, or what is wrong. */
static inline const char *info_wrong(const struct boot_info *b)
{
	u64 end = 0;

	if (!ends(b->cmdline, sizeof(b->cmdline)) ||
	    !ends(b->loader, sizeof(b->loader)))
		return "a string has no end";
	if (b->map_n > BOOT_MAP_MAX || b->told_n > BOOT_MAP_MAX ||
	    b->module_n > BOOT_MODULE_MAX || b->rsdp_len > sizeof(b->rsdp))
		return "a count is out of bounds";
	for (unsigned i = 0; i < b->module_n; i++)
		if (!ends(b->module[i].name, sizeof(b->module[i].name)))
			return "a module's name has no end";
	for (unsigned i = 0; i < b->map_n; i++) {
		const struct boot_range *r = &b->map[i];

		if (!r->len || r->base < end || r->len > BOOT_ADDR_END - r->base)
			return "the map is not sorted, overlaps or overflows";
		if (r->type == BOOT_AVAILABLE &&
		    (r->base % PAGE_SIZE || r->len % PAGE_SIZE || gives_away(b, r)))
			return "an available range has half a page or is not free";
		end = r->base + r->len;
	}
	return NULL;
}

#endif
