/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operator - what a person, or a tool, at the serial line asks for while tests run
 *
 * Ctrl-C counts as long as uart_get() has not handed it out, which happens only when a
 * run is over: so one that comes right behind the command stops the run, too.
 */
#include "tests/operator.h"
#include "arch/x86_64/clock.h"
#include "arch/x86_64/insn.h"
#include "arch/x86_64/uart.h"
#include "lib/console.h"
#include "lib/err.h"
#include "lib/str.h"

#define FRAMING_MANY  8  /* bytes: a wrong rate, and no cable just plugged in */
#define FRAMING_PAUSE 10 /* seconds between two sentences about them         */
#define WEDGED        5  /* seconds in a wait before two Ctrl-C end it       */

static struct {
	bool listens, beats, running, stopped;
	char test[80];
	u64 beaten; /* TSC of the last beat */
	u64 beat;   /* its number           */
	u32 framing;
	u64 framing_said;
} op;

void operator_listen(void)
{
	op.listens = uart_present();
	if (op.listens)
		(void)clock_second();
}

void operator_beats(bool on)
{
	op.beats = on;
}

void operator_begin(void)
{
	op.running = op.listens;
	op.stopped = false;
	op.beaten = rdtsc();
	str_copy(op.test, "", sizeof(op.test));
}

/*
 * What was typed before the last Ctrl-C goes with it.  One that came after the last
 * look stops no test any more, but whoever repeats the run has to know.
 */
void operator_end(void)
{
	op.stopped |= op.running && uart_interrupts();
	while (op.running && uart_interrupts())
		(void)uart_get();
	op.running = false;
}

bool operator_pump(void)
{
	u32 framing;

	uart_poll();
	framing = uart_errors().framing;
	if (framing - op.framing < FRAMING_MANY ||
	    (op.framing_said &&
	     rdtsc() - op.framing_said < FRAMING_PAUSE * clock_second()))
		return false;
	op.framing = framing;
	op.framing_said = rdtsc();
	print("\n# serial line: framing errors: is the other end at 115200 8N1?\n");
	return true;
}

static void beat(void)
{
	op.beaten = rdtsc();
	print("@{\"type\":\"beat\",\"n\":%lu,\"test\":\"%s\"}\n", ++op.beat, op.test);
}

/* A beat at its start: one that takes the machine down at once has its name there. */
void operator_test(const char *name)
{
	str_copy(op.test, name, sizeof(op.test));
	if (op.running && op.beats)
		beat();
}

/* Type-ahead that fills all the room there is would hide a Ctrl-C behind it. */
static void make_room(void)
{
	if (!uart_full())
		return;
	while (!uart_interrupts() && uart_get() != UART_NONE)
		;
}

bool operator_stops(void)
{
	if (!op.running)
		return false;
	operator_pump();
	make_room();
	if (op.beats && rdtsc() - op.beaten >= clock_second())
		beat();
	op.stopped |= uart_interrupts() != 0;
	return op.stopped;
}

bool operator_stopped(void)
{
	return op.stopped;
}

void operator_wait(u64 since, const char *where)
{
	if (!op.running)
		return;
	uart_poll();
	if (uart_interrupts() > 1 && rdtsc() - since > WEDGED * clock_second())
		panic("stopped from the console while %s", where);
}
