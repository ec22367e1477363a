/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uart - COM1 and the debug port 0xe9, each if it is there
 *
 * COM1 is there when its scratch register keeps two patterns.  Port 0xe9 is there
 * when it reads back 0xe9, as in Bochs and with QEMU's debugcon.  A line that is
 * never ready (no cable, flow control) must not hang the kernel: each byte waits for
 * a bounded number of polls.
 */
#include "arch/x86_64/uart.h"
#include "arch/x86_64/insn.h"
#include "lib/console.h"

#define COM1       0x3f8
#define UART_DATA  (COM1 + 0) /* divisor low while LCR_DLAB  */
#define UART_IER   (COM1 + 1) /* divisor high while LCR_DLAB */
#define UART_FCR   (COM1 + 2)
#define UART_LCR   (COM1 + 3)
#define UART_MCR   (COM1 + 4)
#define UART_LSR   (COM1 + 5)
#define UART_SCR   (COM1 + 7)
#define LCR_8N1    0x03
#define LCR_DLAB   0x80
#define MCR_DTR    0x01
#define MCR_RTS    0x02
#define FCR_FIFO   0x07
#define LSR_THRE   0x20
#define LSR_TEMT   0x40
#define DEBUG_PORT 0xe9
#define POLLS      100000

static bool present, debug; /* COM1, port 0xe9 */

static bool keeps(u8 pattern)
{
	outb(UART_SCR, pattern);
	return inb(UART_SCR) == pattern;
}

static void wait_for(u8 bit)
{
	for (unsigned i = 0; i < POLLS && !(inb(UART_LSR) & bit); i++)
		;
}

static void put_byte(char c)
{
	wait_for(LSR_THRE);
	outb(UART_DATA, (u8)c);
}

static void put_com1(char c)
{
	if (c == '\n')
		put_byte('\r');
	put_byte(c);
}

static void put_debug(char c)
{
	outb(DEBUG_PORT, (u8)c);
}

void uart_init(void)
{
	debug = inb(DEBUG_PORT) == DEBUG_PORT;
	if (debug)
		console_add(put_debug);
	present = keeps(0x5a) && keeps(0xa5);
	if (!present)
		return;
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_DLAB);
	outb(UART_DATA, 1); /* 115200 baud */
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_FCR, FCR_FIFO);
	outb(UART_MCR, MCR_DTR | MCR_RTS);
	console_add(put_com1);
}

void uart_say(const char *text)
{
	for (; *text; text++) {
		if (debug)
			put_debug(*text);
		if (present)
			put_com1(*text);
	}
}

void uart_drain(void)
{
	if (present)
		wait_for(LSR_TEMT);
}
