/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout - where things lie in the host's address space; shared with assembly
 *
 *   0x0000000000100000   the image, identity-mapped: text RX, rodata R, data RW
 *   0xffff800000000000   direct map of physical 0 .. 4 GiB, never executable
 *   0xffffc00000000000   stacks, a slot for each CPU, guard pages between
 *   0xffffd00000000000   the local APIC, uncacheable
 *   0xffffe00000000000   a frame buffer that the direct map does not reach
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

#define DIRECT_BASE 0xffff800000000000
#define DIRECT_SIZE 0x100000000
#define STACK_BASE  0xffffc00000000000
#define APIC_VADDR  0xffffd00000000000
#define SCREEN_BASE 0xffffe00000000000

/* A CPU's stack slot in pages: guard NMI guard #DF guard #MC guard main... guard */
#define STACK_SLOT_PAGES 16
#define STACK_NMI_PAGE   1
#define STACK_DF_PAGE    3
#define STACK_MC_PAGE    5
#define STACK_MAIN_PAGE  7
#define STACK_MAIN_PAGES 4

#endif
