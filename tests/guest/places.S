/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * places - where the payload `events` can be when an event comes, to the instruction
 *
 * void ask(void);          CALL_OWNER.  The event comes at asked_by_*, which follows.
 * void ask_in_shadow(void);  the same under the shadow of STI
 * void open(void);         STI; what waits comes at `opened`, one instruction later
 * void touch(void);        STI and a read of the window; what waits comes at `touched`
 * void sleep(void);        STI and HLT; what waits comes at `woken`
 */
#include "tests/guest/abi.h"

	.text
	.globl	ask, ask_in_shadow, open, sleep, touch, touched
	.globl	asked_by_vmcall, asked_by_vmmcall, opened, woken
	.globl	shadow_by_vmcall, shadow_by_vmmcall
ask:
	movl	$CALL_OWNER, %eax
	cmpq	$GUEST_VMMCALL, guest_call_by(%rip)
	je	1f
	vmcall
asked_by_vmcall:
	ret
1:	vmmcall
asked_by_vmmcall:
	ret

ask_in_shadow:
	movl	$CALL_OWNER, %eax
	cmpq	$GUEST_VMMCALL, guest_call_by(%rip)
	je	1f
	sti
	vmcall
shadow_by_vmcall:
	ret
1:	sti
	vmmcall
shadow_by_vmmcall:
	ret

open:
	sti
	nop
opened:
	nop
	nop
	ret

touch:
	movl	$GUEST_WINDOW, %eax
	cli
	sti
	movq	(%rax), %rax
touched:
	ret

sleep:
	sti
	hlt
woken:
	ret

	.section .note.GNU-stack, "", @progbits
