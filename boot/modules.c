/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modules - says what files the loader has brought
 */
#include "boot/modules.h"
#include "lib/console.h"

/* FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
#define FNV_OFFSET 0x811c9dc5u
#define FNV_PRIME  0x01000193u

static u32 sum(const u8 *p, u64 len)
{
	u32 h = FNV_OFFSET;

	while (len--)
		h = (h ^ *p++) * FNV_PRIME;
	return h;
}

void modules_say(const struct boot_info *info, const struct phys_view *view)
{
	for (unsigned i = 0; i < info->module_n; i++) {
		const struct boot_module *m = &info->module[i];

		print("# module %u at 0x%lx: %lu bytes, sum 0x%x, %s\"%s\"\n", i,
		      m->base, m->len, sum(view_at(view, m->base, m->len), m->len),
		      m->name_truncated ? "cut to " : "", m->name);
	}
}
