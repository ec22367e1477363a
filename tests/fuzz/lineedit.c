/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lineedit - fuzzes keys; each line that comes of them goes through the shell's parser.
 *
 * A byte of 0xff, which is no key, stands for lost ones in one of two runs.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/lineedit.h"
#include "tests/shell/parse.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct lineedit l;

/* Touches all of what is put out. */
static void put(const char *text)
{
	if (strlen(text) > 200)
		abort();
}

static const char *some_words(const char *line, size_t stem, unsigned i)
{
	static const char *const words[] = {
		"",
		"a",
		"ab",
		"abc=",
		"run",
		"a-word-that-is-longer-than-a-cell-of-the-list-and-what-is-completed"
	};

	if (stem > strlen(line))
		abort();
	return i < ARRAY_LEN(words) ? words[i] : NULL;
}

static void parse(const char *line)
{
	static char text[LINE_MAX + 16];
	char verb[PARSE_VERB], clean[64];
	const char *rest = parse_verb(line, verb);
	u64 n;

	(void)!parse_words(text, sizeof(text), rest, "run");
	(void)parse_number(rest, &n);
	parse_clean(clean, sizeof(clean), line);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	memset(&l, 0, sizeof(l));
	l.prompt = "shootdown> ";
	l.put = put;
	l.words = some_words;
	l.quiet = size % 4 == 1;
	lineedit_begin(&l);
	for (size_t i = 0; i < size; i++) {
		bool lost = size % 2 && data[i] == 0xff;
		enum line_event e = lineedit_feed(&l, lost ? LINE_LOST : data[i]);

		if (l.at > l.len || l.len > LINE_MAX || l.text[l.len])
			abort();
		if (e == LINE_DONE)
			parse(l.text);
		if (e == LINE_MORE)
			lineedit_show(&l);
		else
			lineedit_begin(&l);
	}
	return 0;
}
