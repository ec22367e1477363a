/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flags - the bits of a word by their names, for people.
 */
#include "lib/flags.h"
#include "lib/fmt.h"
#include "lib/str.h"

/* Adds a word behind the text that ends at *at; false when it does not fit. */
static bool add(char *buf, size_t size, size_t *at, const char *word)
{
	size_t blank = *at != 0, n = strlen(word);

	if (*at + blank + n >= size)
		return false;
	if (blank)
		buf[*at] = ' ';
	memcpy(buf + *at + blank, word, n + 1);
	*at += blank + n;
	return true;
}

void flags_text(char *buf, size_t size, const struct flag *flags, unsigned n, u64 word)
{
	char rest[20];
	size_t at = 0;

	if (size)
		*buf = 0;
	for (unsigned i = 0; i < n; i++) {
		if (word & flags[i].bit && !add(buf, size, &at, flags[i].name))
			return;
		word &= ~flags[i].bit;
	}
	if (!word)
		return;
	fmt_str(rest, sizeof(rest), "0x%lx", word);
	add(buf, size, &at, rest);
}
