/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info - what the loader told us: the memory map made safe, modules, queries
 *
 * Firmware maps come unsorted, overlapping and with ends that wrap.  The sanitised
 * map is made by a sweep over the addresses: at each address the range with the
 * highest rank wins, and a piece ends where any range begins or ends.
 *
 *   told      available  [--------------------------------]
 *             reserved          [-----]         [=====)  type 4
 *   map       [---1----][--2--][---1---][--4--][----1----]
 *
 * Only then are available pieces rounded inward to whole pages, so that two that
 * touch inside a page do not lose it.
 */
#include "boot/info.h"
#include "boot/mb.h"

#define LOW_END 0xa0000ull /* of the memory that real mode addresses */

/* Who wins where ranges overlap.  Nothing beats a range that says "not memory". */
static unsigned rank(u32 type)
{
	switch (type) {
	case BOOT_AVAILABLE:
		return 1;
	case BOOT_MODULE:
	case BOOT_KERNEL:
		return 2;
	case BOOT_ACPI:
		return 3;
	case BOOT_NVS:
		return 4;
	case BOOT_BAD:
		return 6;
	default:
		return 5;
	}
}

const char *boot_info_add_range(struct boot_info *b, u64 base, u64 len, u32 type)
{
	u64 end;

	if (!len)
		return NULL;
	if (__builtin_add_overflow(base, len, &end) || end > BOOT_ADDR_END) {
		b->map_clipped++;
		if (type == BOOT_AVAILABLE || base >= BOOT_ADDR_END)
			return NULL;
		end = BOOT_ADDR_END;
	}
	if (b->told_n == BOOT_MAP_MAX)
		return "the memory map has more ranges than there is room for";
	b->told[b->told_n++] = (struct boot_range){ base, end - base, type };
	return NULL;
}

const char *boot_info_add_basic(struct boot_info *b, u32 lower, u32 upper)
{
	const char *why;

	/* Conventional memory ends at 640 KiB, whatever the loader says. */
	why = boot_info_add_range(b, 0, MIN(lower, 640u) * 1024ull, BOOT_AVAILABLE);
	if (why)
		return why;
	return boot_info_add_range(b, BIT(20), upper * 1024ull, BOOT_AVAILABLE);
}

const char *boot_info_add_module(struct boot_info *b, u64 start, u64 end,
				 const struct phys_view *view, struct boot_module **out)
{
	if (end < start)
		return "a module ends before it starts";
	if (end > start && !view_at(view, start, end - start))
		return "a module lies outside of readable memory";
	if (b->module_n == BOOT_MODULE_MAX)
		return "the loader passes more modules than there is room for";
	*out = &b->module[b->module_n++];
	(*out)->base = start;
	(*out)->len = end - start;
	return boot_info_add_range(b, start, end - start, BOOT_MODULE);
}

/* What `pa` is, 0 for a hole, and in *next the first address where that may change. */
static u32 type_at(const struct boot_info *b, u64 pa, u64 *next)
{
	u32 type = 0;
	unsigned best = 0;

	*next = BOOT_ADDR_END;
	for (unsigned i = 0; i < b->told_n; i++) {
		const struct boot_range *r = &b->told[i];
		u64 end = r->base + r->len;

		if (pa < r->base) {
			*next = MIN(*next, r->base);
		} else if (pa < end) {
			*next = MIN(*next, end);
			if (rank(r->type) > best) {
				best = rank(r->type);
				type = r->type ? r->type : BOOT_RESERVED;
			}
		}
	}
	return type;
}

/* Adds [base, end) behind what the map has, growing the last range if it can. */
static bool map_append(struct boot_info *b, u64 base, u64 end, u32 type)
{
	struct boot_range *last = b->map_n ? &b->map[b->map_n - 1] : NULL;

	if (last && last->type == type && last->base + last->len == base) {
		last->len += end - base;
		return true;
	}
	if (b->map_n == BOOT_MAP_MAX)
		return false;
	b->map[b->map_n++] = (struct boot_range){ base, end - base, type };
	return true;
}

/* Available ranges shrink to whole pages; those without one go. */
static void map_trim(struct boot_info *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->map_n; i++) {
		struct boot_range r = b->map[i];

		if (r.type == BOOT_AVAILABLE) {
			u64 end = ALIGN_DOWN(r.base + r.len, PAGE_SIZE);

			r.base = ALIGN_UP(r.base, PAGE_SIZE);
			if (r.base >= end)
				continue;
			r.len = end - r.base;
		}
		b->map[n++] = r;
	}
	b->map_n = n;
}

static const char *map_sanitise(struct boot_info *b)
{
	u64 next;

	b->map_n = 0;
	for (u64 pa = 0; pa < BOOT_ADDR_END; pa = next) {
		u32 type = type_at(b, pa, &next);

		if (type && !map_append(b, pa, next, type))
			return "the memory map falls into too many pieces";
	}
	map_trim(b);
	return NULL;
}

const char *boot_info_reserve(struct boot_info *b, u64 base, u64 len, u32 type)
{
	const char *why = boot_info_add_range(b, base, len, type);

	return why ? why : map_sanitise(b);
}

/* The formats, by what start.S passes on. */
static const struct {
	u32 magic;
	const char *name;
	const char *(*parse)(struct boot_info *, u64, const struct phys_view *);
} format[] = {
	{ BOOT_MB1_MAGIC, "multiboot1", mb1_parse },
	{ BOOT_MB2_MAGIC, "multiboot2", mb2_parse },
	{ BOOT_PVH_MAGIC, "pvh", pvh_parse },
};

const char *boot_info_parse(struct boot_info *out, u32 magic, u64 addr,
			    const struct phys_view *view)
{
	const char *why = "the loader speaks neither multiboot 1 or 2 nor PVH";

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < ARRAY_LEN(format); i++) {
		if (magic != format[i].magic)
			continue;
		str_copy(out->loader, format[i].name, sizeof(out->loader));
		why = format[i].parse(out, addr, view);
	}
	if (!why)
		why = map_sanitise(out);
	if (!why && !boot_info_usable(out, 0))
		why = "the memory map has no available page";
	return why;
}

const struct boot_range *boot_info_usable(const struct boot_info *b, unsigned i)
{
	for (unsigned k = 0; k < b->map_n; k++)
		if (b->map[k].type == BOOT_AVAILABLE && !i--)
			return &b->map[k];
	return NULL;
}

bool boot_info_free(const struct boot_info *b, u64 base, u64 len)
{
	const struct boot_range *r;

	for (unsigned i = 0; (r = boot_info_usable(b, i)); i++)
		if (r->base <= base && base - r->base < r->len)
			return len <= r->len - (base - r->base);
	return false;
}

bool boot_info_low_page(const struct boot_info *b, u64 *out)
{
	const struct boot_range *r;
	bool found = false;

	for (unsigned i = 0; (r = boot_info_usable(b, i)) && r->base < LOW_END; i++) {
		u64 end = MIN(r->base + r->len, LOW_END);

		if (end >= MAX(r->base, PAGE_SIZE) + PAGE_SIZE) {
			*out = end - PAGE_SIZE;
			found = true;
		}
	}
	return found;
}

u64 boot_info_top(const struct boot_info *b)
{
	for (unsigned k = b->map_n; k--;)
		if (rank(b->map[k].type) <= rank(BOOT_NVS))
			return b->map[k].base + b->map[k].len;
	return 0;
}

const char *boot_info_screen_wrong(const struct boot_info *b)
{
	const struct framebuffer *fb = &b->screen;
	const char *why = framebuffer_wrong(fb);

	for (unsigned i = 0; !why && i < b->map_n; i++) {
		const struct boot_range *r = &b->map[i];

		if (rank(r->type) <= rank(BOOT_NVS) &&
		    r->base < fb->addr + framebuffer_len(fb) &&
		    fb->addr < r->base + r->len)
			why = "it lies in memory that has another use";
	}
	return why;
}

/* Is the first word of `text`, without what a path has in front, equal to `name`? */
static bool names(const char *text, const char *name)
{
	size_t len = 0, start = 0, want = strlen(name);

	for (; text[len] && text[len] != ' '; len++)
		if (text[len] == '/')
			start = len + 1;
	if (len == want && !strncmp(text, name, want))
		return true;
	return want && len - start == want && !strncmp(text + start, name, want);
}

const struct boot_module *boot_info_module(const struct boot_info *b, const char *name)
{
	for (unsigned i = 0; i < b->module_n; i++)
		if (names(b->module[i].name, name))
			return &b->module[i];
	return NULL;
}
