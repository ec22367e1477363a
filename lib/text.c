/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text - glob, numbers and bounded copies; the part of str.h that no libc has.
 */
#include "lib/str.h"

bool str_glob(const char *glob, const char *name)
{
	const char *star = NULL, *resume = NULL;

	while (*name) {
		if (*glob == '*') {
			star = glob++;
			resume = name;
		} else if (*glob == '?' || *glob == *name) {
			glob++;
			name++;
		} else if (star) {
			glob = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}

static int digit(char c, unsigned base)
{
	int d = c >= '0' && c <= '9'   ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : 99;
	return d < (int)base ? d : -1;
}

bool str_u64(const char *s, u64 *out)
{
	unsigned base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
	u64 v = 0;

	if (base == 16)
		s += 2;
	if (!*s)
		return false;
	for (; *s; s++) {
		int d = digit(*s, base);

		if (d < 0 || __builtin_mul_overflow(v, (u64)base, &v) ||
		    __builtin_add_overflow(v, (u64)d, &v))
			return false;
	}
	*out = v;
	return true;
}

void str_copy(char *to, const char *s, size_t size)
{
	size_t i = 0;

	for (; i + 1 < size && s[i]; i++)
		to[i] = s[i];
	if (size)
		to[i] = 0;
}

/* A backslash of its own is garbage to who reads the log: none is made of one in s. */
void str_json(char *buf, const char *s, size_t size)
{
	size_t at = 0;

	for (; *s; s++) {
		bool plain = *s >= ' ' && *s <= '~';
		const char *code = *s == '"'    ? "\\u0022"
				   : *s == '\\' ? "\\u005c"
						: NULL;

		if (at + (code ? 6 : 1) >= size)
			break;
		if (code)
			memcpy(buf + at, code, 6);
		else
			buf[at] = plain ? *s : '?';
		at += code ? 6 : 1;
	}
	if (size)
		buf[at] = 0;
}
