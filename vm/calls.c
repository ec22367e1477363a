/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls - what a guest may ask for by VMCALL.
 */
#include "vm/calls.h"
#include "lib/console.h"
#include "tests/guest/abi.h"
#include "vm/vm.h"

#define PRINT_MAX 1024

static bool call_null(struct vcpu *v)
{
	(void)v;
	return true;
}

/* Text goes out line by line, each marked, without what a terminal might obey. */
static bool call_print(struct vcpu *v)
{
	u64 len = MIN(v->g.rsi, PRINT_MAX);
	const char *text = vm_ptr(v->vm, GPA(v->g.rdi), len);
	char line[PRINT_MAX + 1];
	u64 n = 0;

	if (!text) {
		v->stopped = "it prints from memory that it does not have";
		return false;
	}
	for (u64 i = 0; i < len; i++) {
		char c = *(const volatile char *)&text[i]; /* others may write it */

		if (c != '\n')
			line[n++] = c >= ' ' && c <= '~' ? c : '?';
		if (c == '\n' || i + 1 == len) {
			line[n] = 0;
			print("# guest %u: %s\n", v->id, line);
			n = 0;
		}
	}
	return true;
}

static bool call_exit(struct vcpu *v)
{
	v->exited = true;
	v->exit_code = v->g.rdi;
	return false;
}

static __attribute__((noinline)) bool no_call(struct vcpu *v)
{
	print("# guest: VMCALL %lu\n", v->g.rax);
	v->stopped = "it makes a call that does not exist";
	return false;
}

static bool call_owner(struct vcpu *v)
{
	return v->vm->called ? v->vm->called(v) : no_call(v);
}

static bool (*const call[CALL_COUNT])(struct vcpu *) = {
	[CALL_NULL] = call_null,
	[CALL_PRINT] = call_print,
	[CALL_EXIT] = call_exit,
	[CALL_OWNER] = call_owner,
};

bool calls_dispatch(struct vcpu *v)
{
	return v->g.rax < CALL_COUNT ? call[v->g.rax](v) : no_call(v);
}
