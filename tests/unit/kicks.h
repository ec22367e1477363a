/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kicks - how many kicks have been sent; cpus.c writes them down.
 */
#ifndef TESTS_UNIT_KICKS_H
#define TESTS_UNIT_KICKS_H

extern unsigned kick_count;

#endif
