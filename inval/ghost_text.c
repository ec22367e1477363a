/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost_text - a violation that the ghost TLB found, as a sentence for people.
 */
#include "inval/ghost.h"
#include "lib/fmt.h"
#include "lib/str.h"

static const char *const why_name[] = { "unmap",   "rights",  "size",   "remap", "type",
					"clear A", "clear D", "A/D on", "root" };

static void why_text(char *buf, size_t size, u32 why)
{
	size_t n = 0;

	str_copy(buf, why ? "" : "?", size);
	for (unsigned i = 0; i < ARRAY_LEN(why_name); i++)
		if (why & BIT(i) && n < size)
			n += fmt_str(buf + n, size - n, "%s%s", n ? "+" : "",
				     why_name[i]);
}

/* The edit: its number since the VM began, what it did, and where. */
static void edit_text(char *buf, size_t size, const struct ghost_violation *v)
{
	char why[40], at[32] = "";

	why_text(why, sizeof(why), v->why);
	if (v->len)
		fmt_str(at, sizeof(at), " 0x%lx", v->start);
	fmt_str(buf, size, "edit %lu (%s%s)", v->edit - v->born, why, at);
}

void ghost_text(char *buf, size_t size, const struct ghost_violation *v)
{
	char edit[96];

	edit_text(edit, sizeof(edit), v);
	switch (v->kind) {
	case GHOST_IN_GUEST:
		fmt_str(buf, size,
			"ghost: CPU %u is in the guest with a translation that %s "
			"killed and that is said to be done",
			v->cpu, edit);
		return;
	case GHOST_STALE:
		fmt_str(buf, size,
			"ghost: CPU %u enters with a translation that %s killed",
			v->cpu, edit);
		return;
	case GHOST_REUSED:
		fmt_str(buf, size,
			"ghost: CPU %u enters with a translation of the dead VM that had "
			"root 0x%lx before",
			v->cpu, v->root);
		return;
	case GHOST_MIXED:
		fmt_str(buf, size,
			"ghost: CPU %u enters by root 0x%lx under tag %u, which may have "
			"translations of root 0x%lx",
			v->cpu, v->root, v->tag, v->other);
		return;
	case GHOST_KINDS:
		break;
	}
	str_copy(buf, "ghost: ?", size);
}
