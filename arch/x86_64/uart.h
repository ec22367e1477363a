/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uart - COM1 and the debug port 0xe9, each if it is there.
 */
#ifndef ARCH_UART_H
#define ARCH_UART_H

/* Finds the devices and adds them to the console. */
void uart_init(void);

/* To those that are there, whatever has become of the console: a crash's last word. */
void uart_say(const char *text);

/* Waits until the last byte has left COM1 (LSR bit 6, TEMT). */
void uart_drain(void);

#endif
