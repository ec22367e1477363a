/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delay - waiting for real time, for the few steps of bring-up that ask for it
 *
 * The 8254's channel 2 counts 1193182 times a second and shows its end on bit 5 of
 * port 0x61, with no interrupt needed.  Where the timer is gated off the bit never
 * comes, so polls are bounded; each takes about a microsecond on a real bus.
 */
#include "arch/x86_64/delay.h"
#include "arch/x86_64/insn.h"

#define PIT_CH2     0x42
#define PIT_COMMAND 0x43
#define PIT_CH2_ONE 0xb0 /* channel 2, low then high byte, mode 0 */
#define PORT_B      0x61
#define GATE2       0x01
#define SPEAKER     0x02
#define OUT2        0x20
#define MAX_US      50000

void delay_us(unsigned us)
{
	unsigned count = MIN(us, MAX_US) * 1193ul / 1000 + 1;

	outb(PORT_B, (inb(PORT_B) & ~SPEAKER) | GATE2);
	outb(PIT_COMMAND, PIT_CH2_ONE);
	outb(PIT_CH2, (u8)count);
	outb(PIT_CH2, (u8)(count >> 8));
	for (unsigned i = 0; i < 4 * MAX_US && !(inb(PORT_B) & OUT2); i++)
		;
}
