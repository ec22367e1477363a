/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault - a twist: the ticket is taken when the fill is made, as if F4 ignored seq.
 */
#include_next "mm/fault.h"

#undef ept_fill
#define ept_fill(e, ticket, gpa, hpa, len, attr, g) \
	((void)(ticket), (ept_fill)(e, ept_fill_begin(e), gpa, hpa, len, attr, g))
