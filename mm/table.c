/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table - the pages that an EPT's tables are made of, and those set aside for splits
 *
 * No walk knows the pages that are set aside, so they are a list through their own
 * first words.
 */
#include "mm/table.h"
#include "lib/str.h"

enum err table_new(struct ept *e, hpa_t *out)
{
	enum err err = pool_alloc(e->pool, 0, out);

	if (err)
		return err;
	memset(mem_ptr(*out), 0, PAGE_SIZE);
	e->tables++;
	return E_OK;
}

void table_drop(struct ept *e, hpa_t table)
{
	e->tables--;
	pool_free(e->pool, table);
}

void table_retire(struct ept *e, hpa_t table, struct gather *g)
{
	e->tables--;
	gather_block(g, e->pool, table);
}

enum err table_reserve(struct ept *e, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		hpa_t pa;
		enum err err = pool_alloc(e->pool, 0, &pa);

		if (err) {
			table_release(e, i);
			return err;
		}
		*(hpa_t *)mem_ptr(pa) = e->spare;
		e->spare = pa;
		e->spares++;
	}
	return E_OK;
}

static hpa_t pop(struct ept *e)
{
	hpa_t pa = e->spare;

	assert(e->spares);
	e->spare = *(hpa_t *)mem_ptr(pa);
	e->spares--;
	return pa;
}

void table_release(struct ept *e, u32 n)
{
	while (n--)
		pool_free(e->pool, pop(e));
}

hpa_t table_spare(struct ept *e)
{
	e->tables++;
	return pop(e);
}
