/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory - from the loader's map to the pool of page frames
 *
 * The pool spans physical 0 .. `mib` MiB; only usable ranges above 1 MiB are added, the
 * rest stays reserved.  Its bookkeeping lies at the start of the first range that has
 * room for it.
 */
#include "boot/memory.h"
#include "arch/x86_64/layout.h"
#include "mm/mem.h"

#define HIGH     0x100000ull
#define SENTINEL 4

extern char image_start[], image_end[];

static const void *at(const struct phys_view *view, u64 pa, u64 len)
{
	(void)view;
	if (pa < SENTINEL || pa >= DIRECT_SIZE || len > DIRECT_SIZE - pa)
		return NULL;
	return (const void *)(DIRECT_BASE + pa);
}

const struct phys_view memory_view = { at };

/* The i-th usable range, cut to [HIGH, end); false: past the last. */
static bool range(const struct boot_info *info, unsigned i, u64 end, u64 *from, u64 *to)
{
	const struct boot_range *r = boot_info_usable(info, i);

	if (!r)
		return false;
	*from = MAX(r->base, HIGH);
	*to = MIN(r->base + r->len, end);
	return true;
}

/* GRUB by UEFI loads a large image over what the firmware keeps, without a word. */
static const char *reserve_image(struct boot_info *info)
{
	u64 start = (u64)image_start, len = (u64)(image_end - image_start);

	if (!boot_info_free(info, start, len))
		return "the kernel lies over memory that a module, the firmware or "
		       "nothing has";
	return boot_info_reserve(info, start, len, BOOT_KERNEL);
}

const char *memory_init(struct pool *pool, struct boot_info *info, u64 mib)
{
	u64 end = mib << 20, from, to, need;
	u32 frames = (u32)(end >> PAGE_SHIFT);
	const char *why = reserve_image(info);
	bool have_books = false;

	if (why)
		return why;
	if (boot_info_top(info) < end)
		frames = (u32)(ALIGN_DOWN(boot_info_top(info), SIZE_2M) >> PAGE_SHIFT);
	need = ALIGN_UP(frames * sizeof(struct frame), PAGE_SIZE);
	for (unsigned i = 0; range(info, i, (u64)frames << PAGE_SHIFT, &from, &to);
	     i++) {
		if (from >= to)
			continue;
		if (!have_books && to - from >= need) {
			pool_init(pool, HPA(0), frames, mem_ptr(HPA(from)));
			have_books = true;
			i = ~0u; /* from the first range again */
			why = boot_info_reserve(info, from, need, BOOT_KERNEL);
			if (why)
				return why;
		} else if (have_books) {
			pool_add(pool, HPA(from), HPA(to));
		}
	}
	return have_books ? NULL : "there is not enough usable memory above 1 MiB";
}
