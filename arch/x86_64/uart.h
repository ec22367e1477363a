/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uart - COM1 and the debug port 0xe9, each if it is there.
 */
#ifndef ARCH_UART_H
#define ARCH_UART_H

#include "lib/types.h"

/* Finds the devices and adds them to the console. */
void uart_init(void);

/* To those that are there, whatever has become of the console: a crash's last word. */
void uart_say(const char *text);

/* Waits until the last byte has left COM1 (LSR bit 6, TEMT). */
void uart_drain(void);

/* Is COM1 there? */
bool uart_present(void);

/* Takes what has arrived at COM1.  Any CPU, as often as once in 16 bytes' time. */
void uart_poll(void);

#define UART_NONE (-1)
#define UART_LOST 0x100 /* in the place of bytes that came damaged, or not at all */

/* The next byte that arrived, UART_LOST or UART_NONE; for one CPU alone. */
int uart_get(void);

/* Is there no room for more until uart_get() makes some? */
bool uart_full(void);

/* How many Ctrl-C (0x03) has uart_get() still to give?  Any CPU. */
unsigned uart_interrupts(void);

/* Bytes that came damaged, by what the device says of them; a break is framing too. */
struct uart_errors {
	u32 overruns, framing, parity;
};
struct uart_errors uart_errors(void);

#endif
