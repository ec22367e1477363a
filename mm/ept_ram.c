/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_ram - maps memory with the types that the MTRRs give it
 */
#include "mm/ept_ram.h"

static bool args_ok(hpa_t hpa, u64 len)
{
	return len && IS_ALIGNED(len, PAGE_SIZE) && !(hpa.v & ~EPTE_ADDR) &&
	       len <= EPTE_ADDR + PAGE_SIZE - hpa.v;
}

/*
 * Maps what begins at hpa and is of one type; *len shrinks to that.  Where MTRRs apply
 * to a guest the leaf says WB, which keeps their type (APM vol. 2, table 15-20), and
 * still lies in one of their ranges: no leaf has two types (7.7).
 */
static enum err map_run(struct ept *e, const struct mtrrs *m, gpa_t gpa, hpa_t hpa,
			u64 *len, u64 rwx, struct gather *g)
{
	unsigned type;

	*len = mtrr_run(m, hpa, *len, &type);
	if (e->format->mtrrs)
		type = EPT_WB;
	return ept_map(e, gpa, hpa, *len, rwx | field_put(EPTE_TYPE, type), g);
}

static void undo(struct ept *e, gpa_t gpa, u64 len, struct gather *g)
{
	enum err err = len ? ept_unmap(e, gpa, len, g) : E_OK;

	assert(!err);
}

enum err ept_map_ram(struct ept *e, const struct mtrrs *m, gpa_t gpa, hpa_t hpa,
		     u64 len, u64 rwx, struct gather *g)
{
	if (!args_ok(hpa, len))
		return fail(E_INVAL);
	for (u64 done = 0, run; done < len; done += run) {
		enum err err;

		run = len - done;
		err = map_run(e, m, GPA(gpa.v + done), HPA(hpa.v + done), &run, rwx, g);
		if (err) {
			undo(e, gpa, done, g);
			return err;
		}
	}
	return E_OK;
}
