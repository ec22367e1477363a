/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtc - the real-time clock's seconds: the one clock that needs no calibration
 */
#ifndef ARCH_X86_64_RTC_H
#define ARCH_X86_64_RTC_H

#include "arch/x86_64/insn.h"

#define RTC_INDEX    0x70 /* bit 7 masks NMIs: it stays 0 */
#define RTC_DATA     0x71
#define RTC_SECONDS  0x00
#define RTC_STATUS_A 0x0a
#define RTC_STATUS_B 0x0b
#define RTC_UPDATING 0x80 /* of A: the seconds are about to change */
#define RTC_BINARY   0x04 /* of B: not in BCD                      */
#define RTC_TRIES    100000

static inline u8 rtc_read(u8 reg)
{
	outb(RTC_INDEX, reg);
	return inb(RTC_DATA);
}

/* The second of the minute, 0 .. 59; of a machine without an RTC, always the same. */
static inline unsigned rtc_second(void)
{
	unsigned tries = RTC_TRIES, s;

	while (rtc_read(RTC_STATUS_A) & RTC_UPDATING && --tries)
		;
	s = rtc_read(RTC_SECONDS);
	return rtc_read(RTC_STATUS_B) & RTC_BINARY ? s % 60
						   : (s >> 4) % 6 * 10 + s % 16;
}

#endif
