/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view - bounded access to physical memory that others wrote
 *
 * What a loader or a firmware left behind is hostile until checked: an address
 * may point anywhere, a length may wrap, nothing is aligned.  Parsers reach it
 * through a view alone and copy what they read into locals.
 */
#ifndef BOOT_VIEW_H
#define BOOT_VIEW_H

#include "lib/str.h"
#include "lib/types.h"

struct phys_view {
	/*
	 * Where [pa, pa + len) can be read, or NULL when not all of it can be.  The
	 * pointer stays good as long as the view does.  Never called with a range
	 * that is empty or that wraps, as long as callers use view_at().
	 */
	const void *(*at)(const struct phys_view *, u64 pa, u64 len);
};

/* view->at() for ranges that may be empty or wrap: those are not readable. */
static inline const void *view_at(const struct phys_view *v, u64 pa, u64 len)
{
	return len && len - 1 <= ~0ull - pa ? v->at(v, pa, len) : NULL;
}

/* Copies len bytes at pa to `to`; false, and nothing written, when not readable. */
must_check static inline bool view_read(const struct phys_view *v, u64 pa, void *to,
					u64 len)
{
	const void *from = view_at(v, pa, len);

	if (from)
		memcpy(to, from, len);
	return from != NULL;
}

/*
 * Copies the string at `pa` into the `size` bytes at `to`, always ended by a NUL.
 * *truncated tells that it did not fit.  False when it runs out of memory to read.
 */
must_check static inline bool view_string(const struct phys_view *v, u64 pa, char *to,
					  u64 size, bool *truncated)
{
	for (u64 i = 0; i < size; i++) {
		if (!view_read(v, pa + i, &to[i], 1))
			return false;
		if (!to[i])
			return true;
	}
	to[size - 1] = 0;
	*truncated = true;
	return true;
}

/* Little-endian words at any alignment. */
static inline u16 peek16(const void *p)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u32 peek32(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u64 peek64(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

#endif
