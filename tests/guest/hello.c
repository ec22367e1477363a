/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello - prints two lines and ends with a status that the test knows.
 */
#include "tests/guest/guest.h"

uint64_t guest_main(struct guest_page *page)
{
	guest_print("hello from 64-bit mode\nsecond line");
	return 42 + page->vcpu;
}
