/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirty - what the payload of that name can be told to do.
 */
#ifndef TESTS_GUEST_DIRTY_H
#define TESTS_GUEST_DIRTY_H

enum dirty_deed {
	DIRTY_WRITE, /* adds 1 to the first word of each page, in each of two rounds */
	DIRTY_READ,  /* reads it instead                                             */
	DIRTY_STAY,  /* writes, sets result to 1, and does not exit                  */
};

#define DIRTY_ROUNDS 2

#endif
