/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * err - the names of the errors.
 */
#include "lib/err.h"

const char *err_name(enum err e)
{
	static const char *const name[] = {
		[E_OK] = "no error",
		[E_NOMEM] = "out of memory",
		[E_INVAL] = "invalid argument",
		[E_EXIST] = "mapped already",
		[E_AGAIN] = "an edit is under way",
		[E_NOTSUP] = "not supported by this machine",
		[E_FORMAT] = "malformed input",
	};

	return name[e];
}
