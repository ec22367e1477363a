/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uart - COM1 and the debug port 0xe9, each if it is there
 *
 * COM1 is there when its scratch register keeps two patterns.  Port 0xe9 is there
 * when it reads back 0xe9, as in Bochs and with QEMU's debugcon.  A line that is
 * never ready (no cable, flow control) must not hang the kernel: each byte waits for
 * a bounded number of polls.
 *
 * What comes in is taken by polls, into a ring.  The device keeps 16 bytes, which is
 * 1.4 ms at 115200 baud, so whoever waits to send looks for them as well:
 *
 *      print(), any CPU ---+
 *      uart_poll() --------+--> take(), one CPU at a time --> ring --> uart_get(), CPU
 * 0
 *
 * Nobody ever waits for the right to take: a CPU that was stopped in there, by an NMI
 * that ended in a panic, would be waited for for ever.  A read of the LSR clears its
 * error bits, so any read notes them for the byte that is taken next.
 */
#include "arch/x86_64/uart.h"
#include "arch/x86_64/insn.h"
#include "lib/atomic.h"
#include "lib/console.h"

/* Registers and bits of the 16550 (PC16550D data sheet, section 8). */
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
#define LSR_DR     0x01 /* a byte is there                              */
#define LSR_OE     0x02 /* overrun: some were lost before it was        */
#define LSR_PE     0x04 /* parity, of the byte that is read next        */
#define LSR_FE     0x08 /* framing: it has no stop bit                  */
#define LSR_BI     0x10 /* break: the line was low for all of a byte    */
#define LSR_THRE   0x20
#define LSR_TEMT   0x40
#define DEBUG_PORT 0xe9
#define POLLS      100000
#define LSR_ERRORS (LSR_OE | LSR_PE | LSR_FE | LSR_BI)
#define RING       8192 /* bytes, a power of two */
#define CTRL_C     0x03

static bool present, debug; /* COM1, port 0xe9 */

static u16 ring[RING];
static atomic32_t in, out; /* `in` by who holds `taking`, `out` by uart_get() */
static atomic32_t taking;
static atomic32_t noted;      /* LSR_ERRORS since the last byte  */
static atomic32_t interrupts; /* CTRL_C that are in the ring     */
static struct {
	atomic32_t overruns, framing, parity;
} errors;

static bool keeps(u8 pattern)
{
	outb(UART_SCR, pattern);
	return inb(UART_SCR) == pattern;
}

static u8 line_status(void)
{
	u8 lsr = inb(UART_LSR);

	if (lsr & LSR_ERRORS)
		or_fence(&noted, (u32)(lsr & LSR_ERRORS));
	return lsr;
}

static bool full(void)
{
	return load_relaxed(&in) - load_acquire(&out) >= RING - 1;
}

static void keep(u16 what)
{
	u32 at = load_relaxed(&in);

	ring[at % RING] = what;
	store_release(&in, at + 1);
	if (what == CTRL_C)
		add_fence(&interrupts, 1u);
}

/* Takes the byte that is there, and what has been noted of it. */
static void take_one(void)
{
	u8 c = inb(UART_DATA);
	u32 flaws = load_relaxed(&noted) ? swap(&noted, 0u) : 0;

	if (flaws & LSR_OE)
		add_fence(&errors.overruns, 1u);
	if (flaws & LSR_PE)
		add_fence(&errors.parity, 1u);
	if (flaws & (LSR_FE | LSR_BI))
		add_fence(&errors.framing, 1u);
	if (flaws && ring[(load_relaxed(&in) - 1) % RING] != UART_LOST)
		keep(UART_LOST); /* one for many: noise must not fill the ring */
	if (!(flaws & (LSR_PE | LSR_FE | LSR_BI)))
		keep(c);
}

/* What finds no room stays in the device, which holds back the other end, or loses it.
 */
static void take(void)
{
	if (swap(&taking, 1u))
		return;
	for (unsigned i = 0; i < RING && !full() && line_status() & LSR_DR; i++)
		take_one();
	store_release(&taking, 0u);
}

static void wait_for(u8 bit)
{
	for (unsigned i = 0; i < POLLS; i++) {
		u8 lsr = line_status();

		if (lsr & LSR_DR)
			take();
		if (lsr & bit)
			return;
	}
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

void uart_poll(void)
{
	if (present)
		take();
}

int uart_get(void)
{
	u32 at = load_relaxed(&out);
	int c;

	uart_poll();
	if (at == load_acquire(&in))
		return UART_NONE;
	c = ring[at % RING];
	store_release(&out, at + 1);
	if (c == CTRL_C)
		add_fence(&interrupts, ~0u);
	return c;
}

bool uart_present(void)
{
	return present;
}

bool uart_full(void)
{
	return full();
}

unsigned uart_interrupts(void)
{
	return load_acquire(&interrupts);
}

struct uart_errors uart_errors(void)
{
	return (struct uart_errors){ .overruns = load_relaxed(&errors.overruns),
				     .framing = load_relaxed(&errors.framing),
				     .parity = load_relaxed(&errors.parity) };
}
