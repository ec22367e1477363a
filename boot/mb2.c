/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mb2 - the information of a Multiboot2 2.0 loader (GRUB)
 *
 * Section 3.4 and 3.6 of the specification: a total size, then tags, each at a
 * multiple of 8 bytes, until a tag of type 0.  A tag's size counts its header and
 * not the padding behind it.  Of two tags of a kind the later one holds, but the
 * memory map and the modules add up.
 */
#include "boot/mb.h"

/* Section 3.6: the tags that are read; all others are passed over. */
enum {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_MODULE = 3,
	TAG_BASIC = 4,
	TAG_MMAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_RSDP_OLD = 14,
	TAG_RSDP_NEW = 15,
	TAG_KINDS
};

#define TAG_HEADER 8u /* type, size: 32 bits each */
#define INFO_MAX   (16u << 20)

/* Sizes of the ACPI 1.0 and 2.0 RSDP (ACPI 6.5, 5.2.5.3). */
#define RSDP_OLD 20u
#define RSDP_NEW 36u

/* What is behind a tag's header, and the memory size tag for when no map comes. */
struct tag {
	const u8 *data;
	u32 len;
};

struct walk {
	struct boot_info *out;
	const struct phys_view *view;
	bool have_map, have_basic;
	u32 basic[2];
};

/* A string that ends inside the tag; false when it does not. */
static bool tag_string(struct tag t, char *to, size_t size, bool *truncated)
{
	u32 n = 0;

	while (n < t.len && t.data[n])
		n++;
	if (n == t.len)
		return false;
	str_copy(to, (const char *)t.data, size);
	*truncated = n >= size;
	return true;
}

/* Section 3.6.3. */
static const char *on_cmdline(struct walk *w, struct tag t)
{
	struct boot_info *b = w->out;

	if (!tag_string(t, b->cmdline, sizeof(b->cmdline), &b->cmdline_truncated))
		return "the multiboot 2 command line has no end";
	return NULL;
}

/* Section 3.6.6: start and end, 32 bits each, then a string. */
static const char *on_module(struct walk *w, struct tag t)
{
	struct boot_module *m;
	const char *why;

	if (t.len < 8)
		return "a multiboot 2 module tag is too small";
	why = boot_info_add_module(w->out, peek32(t.data), peek32(t.data + 4), w->view,
				   &m);
	if (why)
		return why;
	t = (struct tag){ t.data + 8, t.len - 8 };
	if (!tag_string(t, m->name, sizeof(m->name), &m->name_truncated))
		return "a multiboot 2 module's string has no end";
	return NULL;
}

/* Section 3.6.4: lower and upper memory in KiB.  A memory map makes it moot. */
static const char *on_basic(struct walk *w, struct tag t)
{
	if (t.len < 8)
		return "the multiboot 2 memory size tag is too small";
	memcpy(w->basic, t.data, sizeof(w->basic));
	w->have_basic = true;
	return NULL;
}

/* Section 3.6.8: entry size, entry version, then entries of base, length, type. */
static const char *on_mmap(struct walk *w, struct tag t)
{
	const char *why = NULL;
	u32 size;

	if (t.len < 8)
		return "the multiboot 2 memory map tag is too small";
	size = peek32(t.data);
	if (size < 24 || size % 8)
		return "the multiboot 2 memory map has a bad entry size";
	if ((t.len - 8) % size)
		return "the multiboot 2 memory map ends inside an entry";
	w->have_map = true;
	for (u32 at = 8; !why && at < t.len; at += size)
		why = boot_info_add_range(w->out, peek64(t.data + at),
					  peek64(t.data + at + 8),
					  peek32(t.data + at + 16));
	return why;
}

static struct fb_colour colour(const u8 *at)
{
	return (struct fb_colour){ at[0], at[1] };
}

/*
 * Section 3.6.12, whose text has one reserved byte where loaders write two.  Only
 * taken down here: without a screen the kernel runs as well.
 */
static const char *on_framebuffer(struct walk *w, struct tag t)
{
	struct framebuffer *fb = &w->out->screen;

	if (t.len < 24)
		return NULL;
	*fb = (struct framebuffer){ .addr = peek64(t.data),
				    .pitch = peek32(t.data + 8),
				    .width = peek32(t.data + 12),
				    .height = peek32(t.data + 16),
				    .bpp = t.data[20],
				    .type = t.data[21] };
	if (fb->type == FB_RGB && t.len >= 30) {
		fb->red = colour(t.data + 24);
		fb->green = colour(t.data + 26);
		fb->blue = colour(t.data + 28);
	}
	return NULL;
}

/* Sections 3.6.15 and 3.6.16: a copy of the RSDP.  The new one beats the old one. */
static const char *on_rsdp(struct walk *w, struct tag t, u32 size)
{
	if (t.len < size)
		return "a multiboot 2 RSDP tag is too small";
	if (size >= w->out->rsdp_len) {
		memcpy(w->out->rsdp, t.data, size);
		w->out->rsdp_len = size;
	}
	return NULL;
}

static const char *on_rsdp_old(struct walk *w, struct tag t)
{
	return on_rsdp(w, t, RSDP_OLD);
}

static const char *on_rsdp_new(struct walk *w, struct tag t)
{
	return on_rsdp(w, t, RSDP_NEW);
}

static const char *(*const handler[TAG_KINDS])(struct walk *, struct tag) = {
	[TAG_CMDLINE] = on_cmdline,
	[TAG_MODULE] = on_module,
	[TAG_BASIC] = on_basic,
	[TAG_MMAP] = on_mmap,
	[TAG_FRAMEBUFFER] = on_framebuffer,
	[TAG_RSDP_OLD] = on_rsdp_old,
	[TAG_RSDP_NEW] = on_rsdp_new,
};

static const char *walk_tags(struct walk *w, const u8 *info, u32 total)
{
	const char *why = NULL;
	u64 size;

	for (u64 at = 8; !why; at = ALIGN_UP(at + size, 8)) {
		u32 type;

		if (at > total || total - at < TAG_HEADER)
			return "the multiboot 2 information has no end tag";
		type = peek32(info + at);
		size = peek32(info + at + 4);
		if (size < TAG_HEADER)
			return "a multiboot 2 tag is smaller than its header";
		if (size > total - at)
			return "a multiboot 2 tag runs past the information";
		if (type == TAG_END)
			break;
		if (type < TAG_KINDS && handler[type])
			why = handler[type](w, (struct tag){ info + at + TAG_HEADER,
							     size - TAG_HEADER });
	}
	return why;
}

const char *mb2_parse(struct boot_info *out, u64 addr, const struct phys_view *view)
{
	struct walk w = { .out = out, .view = view };
	const char *why;
	const u8 *info;
	u32 total;

	if (!view_read(view, addr, &total, sizeof(total)))
		return "the multiboot 2 information is not in readable memory";
	if (total < 8 + TAG_HEADER || total > INFO_MAX)
		return "the multiboot 2 information has an absurd size";
	info = view_at(view, addr, total);
	if (!info)
		return "the multiboot 2 information runs out of readable memory";
	why = walk_tags(&w, info, total);
	if (why || w.have_map)
		return why;
	if (!w.have_basic)
		return "the multiboot 2 information has no memory map";
	return boot_info_add_basic(out, w.basic[0], w.basic[1]);
}
