/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delay - waiting for real time, for the few steps of bring-up that ask for it.
 */
#ifndef ARCH_DELAY_H
#define ARCH_DELAY_H

/* Waits at least `us` microseconds, at most 50000, by channel 2 of the 8254 timer. */
void delay_us(unsigned us);

#endif
