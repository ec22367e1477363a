/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * phys - a fake physical memory of a few readable regions, for the parsers
 */
#include <stdlib.h>

#include "lib/str.h"
#include "tests/host/phys.h"

struct phys_loan {
	struct phys_loan *next;
	void *copy;
};

static const void *lend(struct phys *p, const u8 *from, u64 len)
{
	struct phys_loan *loan = malloc(sizeof(*loan));

	*loan = (struct phys_loan){ p->loans, malloc(len) };
	p->loans = loan;
	if (from)
		memcpy(loan->copy, from, len);
	else
		memset(loan->copy, 0, len);
	return loan->copy;
}

static const void *at(const struct phys_view *view, u64 pa, u64 len)
{
	struct phys *p = container_of(view, struct phys, view);

	if (!len || len - 1 > ~0ull - pa) {
		p->wrong = true;
		return NULL;
	}
	for (unsigned i = 0; i < p->n; i++) {
		const struct phys_region *r = &p->region[i];

		if (pa >= r->pa && len <= r->len && pa - r->pa <= r->len - len)
			return lend(p, r->bytes ? r->bytes + (pa - r->pa) : NULL, len);
	}
	return NULL;
}

void phys_init(struct phys *p)
{
	*p = (struct phys){ .view = { at } };
}

void phys_add(struct phys *p, u64 pa, const void *bytes, u64 len)
{
	if (p->n == PHYS_REGIONS)
		abort();
	p->region[p->n++] = (struct phys_region){ pa, len, bytes };
}

void phys_clear(struct phys *p)
{
	while (p->loans) {
		struct phys_loan *loan = p->loans;

		p->loans = loan->next;
		free(loan->copy);
		free(loan);
	}
	p->n = 0;
}

void phys_free(struct phys *p)
{
	phys_clear(p);
}
