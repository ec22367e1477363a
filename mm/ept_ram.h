/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ept_ram - maps memory with the types that the MTRRs give it
 */
#ifndef MM_EPT_RAM_H
#define MM_EPT_RAM_H

#include "mm/ept.h"
#include "mm/mtrr.h"

/*
 * ept_map() of R, W and X in `rwx`, run by run: no leaf reaches over a change of type.
 * Errors and duties are those of ept_map.
 */
enum err must_check ept_map_ram(struct ept *e, const struct mtrrs *m, gpa_t gpa,
				hpa_t hpa, u64 len, u64 rwx, struct gather *g);

#endif
