/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest - what a VM can be loaded with: a built-in payload or an ELF64 file.
 */
#ifndef VM_GUEST_H
#define VM_GUEST_H

#include "vm/vm.h"

/* A payload that was built with the image; tests/guest/blobs.S makes these records. */
struct guest {
	const char *name;
	const void *start, *end; /* an ELF64 executable */
	u64 mode;                /* enum vcpu_mode      */
};

/* The built-in payload of that name, or NULL. */
const struct guest *guest_find(const char *name);

/*
 * Copies an executable into the VM's RAM, builds page tables for 64-bit guests, and
 * sets the entry point.  NULL, or a sentence why the file is refused.
 */
const char *guest_load(struct vm *vm, const void *image, u64 size, enum vcpu_mode mode);

#endif
