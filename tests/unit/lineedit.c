/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lineedit - tests of lib/lineedit.c: keys in, and what a terminal shows of it
 *
 * The terminal is a row of 80 characters that knows the few sequences which the editor
 * may send, and fails at any other.
 */
#include <string.h>

#include "lib/lineedit.h"
#include "lib/str.h"
#include "tests/host/test.h"

#define PROMPT  "> "
#define COLUMNS 80

static struct lineedit l;
static char row[COLUMNS + 1], listed[4000];
static size_t column, out;

static void newline(void)
{
	size_t n = strlen(listed);

	str_copy(listed + n, row, sizeof(listed) - n - 1);
	n = strlen(listed);
	while (n && listed[n - 1] == ' ')
		listed[--n] = 0;
	str_copy(listed + n, "\n", sizeof(listed) - n);
	memset(row, ' ', COLUMNS);
	column = 0;
}

/* Takes a sequence; one past its end. */
static const char *sequence(const char *s)
{
	unsigned n = 0;

	EXPECT_EQ(*s++, '[');
	while (*s >= '0' && *s <= '9')
		n = n * 10 + (unsigned)(*s++ - '0');
	if (*s == 'K')
		memset(row + column, ' ', COLUMNS - column);
	else if (EXPECT_EQ(*s, 'C') && EXPECT(n && column + n < COLUMNS))
		column += n;
	return s + 1;
}

static void put(const char *s)
{
	EXPECT(!l.quiet || (!strchr(s, 033) && !strchr(s, '\r') && !strchr(s, '\b')));
	out += strlen(s);
	while (*s) {
		char c = *s++;

		if (c == '\r')
			column = 0;
		else if (c == '\n')
			newline();
		else if (c == '\b')
			column -= EXPECT(column > 0);
		else if (c == 033)
			s = sequence(s);
		else if (EXPECT(c >= ' ' && c <= '~') && EXPECT(column < COLUMNS))
			row[column++] = c;
	}
}

static const char *some_words(const char *line, size_t stem, unsigned i)
{
	static const char *const commands[] = { "list", "run", "repeat", "reboot" };
	static const char *const values[] = { "proto/remap_4k", "proto/remap_2m",
					      "proto/unmap", "seed=", "run=" };

	(void)line;
	if (!stem)
		return i < ARRAY_LEN(commands) ? commands[i] : NULL;
	return i < ARRAY_LEN(values) ? values[i] : NULL;
}

static void begin(void)
{
	memset(&l, 0, sizeof(l));
	memset(row, ' ', COLUMNS);
	*listed = 0;
	column = out = 0;
	l.prompt = PROMPT;
	l.put = put;
	l.words = some_words;
	lineedit_begin(&l);
}

/* Feeds bytes and shows the line; after an event begins the next line. */
static enum line_event keys(const char *s, size_t n)
{
	enum line_event e = LINE_MORE;

	for (size_t i = 0; i < n; i++) {
		e = lineedit_feed(&l, (u8)s[i]);
		if (e != LINE_MORE && i + 1 < n)
			lineedit_begin(&l);
	}
	if (e == LINE_MORE)
		lineedit_show(&l);
	return e;
}

static enum line_event type(const char *s)
{
	return keys(s, strlen(s));
}

/* The line that comes of these keys, with | where the cursor is. */
static const char *line(const char *s)
{
	static char text[LINE_MAX + 2];

	begin();
	type(s);
	str_copy(text, l.text, l.at + 1);
	text[l.at] = '|';
	str_copy(text + l.at + 1, l.text + l.at, sizeof(text) - l.at - 1);
	return text;
}

/* Does the terminal show the part of the line with the cursor, and nothing else? */
static bool shown(void)
{
	size_t wide = 79 - strlen(PROMPT), first = l.at < wide ? 0 : l.at - wide + 1;
	char want[COLUMNS + 1];

	memset(want, ' ', COLUMNS);
	memcpy(want, PROMPT, strlen(PROMPT));
	memcpy(want + strlen(PROMPT), l.text + first, MIN(l.len - first, wide));
	want[COLUMNS] = row[COLUMNS] = 0;
	return EXPECT_STR(row, want) &&
	       EXPECT_EQ(column, strlen(PROMPT) + l.at - first);
}

TEST(keys_edit)
{
	static const struct {
		const char *keys, *line;
	} rows[] = {
		{ "abc", "abc|" },
		{ "abc\b", "ab|" },
		{ "abc\x7f\x7f\x7f\x7f", "|" },
		{ "abc\033[D\033[DX", "aX|bc" },
		{ "abc\x02\x02\x06Y", "abY|c" },
		{ "abc\033[HX\033[FY", "XabcY|" },
		{ "abc\033OHX\033OFY", "XabcY|" },
		{ "abc\033[1~X\033[4~Y", "XabcY|" },
		{ "abc\033[7~X\033[8~Y", "XabcY|" },
		{ "abc\x01\033[3~\x04", "|c" },
		{ "abc\x01\x05Z", "abcZ|" },
		{ "abc\x02\x0b", "ab|" },
		{ "abc\x15x", "x|" },
		{ "one two  \x17", "one |" },
		{ "one two\x02\x02\x17", "one |wo" },
		{ "ab\x02\b\b\b", "|b" },
		{ "\033[C\033[D\033[3~\x0b\x17", "|" },
		{ "ab\x0c", "ab|" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		EXPECT_STR(line(rows[i].keys), rows[i].line);
		shown();
	}
}

TEST(bad_sequences_do_no_harm)
{
	static const char *const rows[] = {
		"ab\033[999999999999999999;5;1zc",
		"ab\033[?25hc",
		"ab\033[!pc",
		"ab\033xc",
		"ab\033OPc",
		"ab\033[5~c",
		"ab\033[\033[zc",
		"ab\033[99~c",
		"ab\033\033\033Oac",
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		EXPECT_STR(line(rows[i]), "abc|");
		shown();
	}
}

TEST(a_sequence_that_is_cut_short_ends_the_line)
{
	begin();
	EXPECT_EQ(type("ab\033["), LINE_MORE);
	EXPECT_EQ(type("\r"), LINE_DONE);
	EXPECT_STR(l.text, "ab");
	begin();
	EXPECT_EQ(type("ab\033\x03"), LINE_DROPPED);
}

TEST(line_ends)
{
	begin();
	EXPECT_EQ(type("run\r"), LINE_DONE);
	EXPECT_STR(l.text, "run");
	lineedit_begin(&l);
	EXPECT_EQ(type("\n"), LINE_MORE); /* the same end */
	EXPECT_EQ(type("x\n"), LINE_DONE);
	EXPECT_STR(l.text, "x");
	lineedit_begin(&l);
	EXPECT_EQ(type("\n"), LINE_DONE);
	EXPECT_STR(l.text, "");
	lineedit_begin(&l);
	EXPECT_EQ(type("\r"), LINE_DONE);
	lineedit_begin(&l);
	EXPECT_EQ(type("\r"), LINE_DONE);
	lineedit_begin(&l);
	EXPECT_EQ(type("abc\x03"), LINE_DROPPED);
	lineedit_begin(&l);
	EXPECT_EQ(l.len, 0);
}

TEST(history)
{
	begin();
	type("one\rtwo\rtwo\r\rthree\r");
	lineedit_begin(&l);
	type("half\033[A");
	EXPECT_STR(l.text, "three");
	type("\x10");
	EXPECT_STR(l.text, "two");
	type("\033[A\033[A\033[A");
	EXPECT_STR(l.text, "one");
	type("\033[B");
	EXPECT_STR(l.text, "two");
	type("\x0e\x0e");
	EXPECT_STR(l.text, "half");
	type("\x0e");
	EXPECT_STR(l.text, "half");
	shown();
	type("\033[A\b\b\b\b\bfour\r"); /* what is edited is a line of its own */
	EXPECT_STR(l.text, "four");
	lineedit_begin(&l);
	type("\x10\x10");
	EXPECT_STR(l.text, "three");
}

TEST(history_forgets_the_oldest)
{
	char text[8] = "aa\r";

	begin();
	for (unsigned i = 0; i < 3 * LINE_HISTORY; i++) {
		text[0] = (char)('a' + i / 26);
		text[1] = (char)('a' + i % 26);
		type(text);
		lineedit_begin(&l);
	}
	for (unsigned i = 0; i < 5 * LINE_HISTORY; i++)
		type("\x10");
	EXPECT_STR(l.text, "bg"); /* the 16th from the end: 32 */
}

/* Of 4096 bytes, or one more; the last is `end`. */
static enum line_event long_line(size_t n)
{
	begin();
	for (size_t i = 0; i < n; i++)
		keys("x", 1);
	shown();
	return type("\r");
}

TEST(too_long_is_refused)
{
	EXPECT_EQ(long_line(LINE_MAX), LINE_DONE);
	EXPECT_EQ(strlen(l.text), LINE_MAX);
	EXPECT_EQ(long_line(LINE_MAX + 1), LINE_REFUSED);
	EXPECT_EQ(l.flaw, LINE_LONG);
	begin();
	for (unsigned i = 0; i < 20000; i++)
		keys("y", 1);
	EXPECT_EQ(type("\x03"), LINE_DROPPED);
	lineedit_begin(&l);
	EXPECT_EQ(type("ok\r"), LINE_DONE);
	EXPECT_STR(l.text, "ok");
}

TEST(a_paste_costs_little_output)
{
	begin();
	for (unsigned i = 0; i < LINE_MAX; i++)
		lineedit_feed(&l, 'x');
	lineedit_show(&l);
	EXPECT(out < 500);
}

/* Every byte that is no text and no key, and the line is not to be used. */
TEST(binary_is_refused)
{
	static const char known[] =
		"\x01\x02\x03\x04\x05\x06\b\t\n\x0b\x0c\r\x0e\x10\x15"
		"\x17\033\x7f";

	for (unsigned c = 0; c < 256; c++) {
		char byte = (char)c;
		bool known_one = c && memchr(known, byte, sizeof(known) - 1);

		if (known_one || (c >= ' ' && c < 0x7f))
			continue;
		begin();
		type("run");
		keys(&byte, 1);
		EXPECT_EQ(type(" more\t\033[A\b"), LINE_MORE);
		if (!EXPECT_EQ(type("\r"), LINE_REFUSED))
			test_say("byte 0x%x", c);
		EXPECT_EQ(l.flaw, LINE_BINARY);
		lineedit_begin(&l);
		EXPECT_EQ(type("run\r"), LINE_DONE);
		lineedit_begin(&l);
		keys(&byte, 1);
		type("\x15list"); /* dropped, and typed again */
		EXPECT_EQ(type("\r"), LINE_DONE);
		EXPECT_STR(l.text, "list");
	}
}

TEST(lost_bytes)
{
	begin();
	EXPECT_EQ(lineedit_feed(&l, LINE_LOST), LINE_MORE);
	EXPECT_EQ(type("run\r"), LINE_DONE); /* a break before the line */
	lineedit_begin(&l);
	type("halt");
	EXPECT_EQ(lineedit_feed(&l, LINE_LOST), LINE_MORE);
	EXPECT_EQ(type("\r"), LINE_REFUSED);
	EXPECT_EQ(l.flaw, LINE_LOSSY);
}

TEST(completion)
{
	EXPECT_STR(line("l\t"), "list |");
	shown();
	EXPECT_STR(line("re\t"), "re|"); /* repeat, reboot */
	EXPECT_STR(line("rep\t3 ru"), "repeat 3 ru|");
	EXPECT_STR(line("x\t\t"), "x|");
	EXPECT_STR(line("run p\t"), "run proto/|");
	EXPECT_STR(line("run proto/r\t"), "run proto/remap_|");
	EXPECT_STR(line("run run=proto/u\t"), "run run=proto/unmap |");
	EXPECT_STR(line("run a,proto/u\t"), "run a,proto/unmap |");
	EXPECT_STR(line("run s\t7"), "run seed=7|"); /* no blank behind a '=' */
	EXPECT_STR(line("run proto/u z\x02\x02\t"), "run proto/unmap | z");
	shown();
	l.words = NULL;
	EXPECT_EQ(type("\t\t"), LINE_MORE);
}

TEST(a_second_tab_lists)
{
	line("r\t");
	EXPECT_STR(listed, "");
	type("\t");
	EXPECT_STR(listed, "> r\nrun                       repeat                    "
			   "reboot\n");
	EXPECT_STR(l.text, "r");
	shown();
	line("r\tx\b\t"); /* not one after the other */
	EXPECT_STR(listed, "");
}

/* A tool: what it types does not come back, and nothing that is for a terminal does. */
TEST(quiet)
{
	begin();
	l.quiet = true;
	out = 0;
	EXPECT_EQ(type("abd\bc\x02\x02-\x05.\033[A"), LINE_MORE);
	EXPECT_EQ(type("a-bc.\t\tx\b\b"), LINE_MORE);
	EXPECT_EQ(out, 0);
	EXPECT_EQ(type("\r"), LINE_DONE);
	EXPECT_EQ(out, 1);
	EXPECT_STR(l.text, "a-bc.a-bc. ");
	lineedit_begin(&l);
	EXPECT_EQ(type("x\x03"), LINE_DROPPED);
	EXPECT_STR(listed, ">\n>\n");
	lineedit_begin(&l);
	lineedit_spoilt(&l);
	lineedit_show(&l);
}

TEST(what_is_spoilt_is_shown_again)
{
	begin();
	type("run");
	put("\n# something else\n");
	lineedit_spoilt(&l);
	lineedit_show(&l);
	shown();
}

/* The same keys done to an array, in the plainest way. */
struct model {
	char text[LINE_MAX + 200];
	size_t len, at;
};

static void model_cut(struct model *m, size_t from, size_t to)
{
	memmove(m->text + from, m->text + to, m->len - to);
	m->len -= to - from;
	m->at = from;
}

static void model_key(struct model *m, char c)
{
	switch (c) {
	case 1:
		m->at = 0;
		break;
	case 2:
		m->at -= m->at > 0;
		break;
	case 4:
		if (m->at < m->len)
			model_cut(m, m->at, m->at + 1);
		break;
	case 5:
		m->at = m->len;
		break;
	case 6:
		m->at += m->at < m->len;
		break;
	case 8:
		if (m->at)
			model_cut(m, m->at - 1, m->at);
		break;
	case 11:
		m->len = m->at;
		break;
	default:
		memmove(m->text + m->at + 1, m->text + m->at, m->len - m->at);
		m->text[m->at++] = c;
		m->len++;
	}
}

TEST(random_keys_do_what_the_model_does)
{
	static const char choice[] = "\x01\x02\x02\x02\x04\x05\x06\x06\x08\x0b";
	struct rng rng = test_rng();
	struct model m;

	for (unsigned run = 0; run < 300; run++) {
		begin();
		m.len = m.at = 0;
		for (unsigned i = 0; i < 400; i++) {
			char c = rng_below(&rng, 3)
					 ? (char)('a' + rng_below(&rng, 26))
					 : choice[rng_below(&rng, sizeof(choice) - 1)];

			model_key(&m, c);
			m.text[m.len] = 0;
			lineedit_feed(&l, c);
			if (!rng_below(&rng, 3))
				continue;
			lineedit_show(&l);
			if (!shown() || !EXPECT_STR(l.text, m.text) ||
			    !EXPECT_EQ(l.at, m.at))
				return;
		}
	}
}

TEST(random_bytes_never_wedge)
{
	struct rng rng = test_rng();

	begin();
	for (unsigned i = 0; i < 300000; i++) {
		enum line_event e =
			lineedit_feed(&l, (int)rng_below(&rng, LINE_LOST + 1));

		if (e != LINE_MORE)
			lineedit_begin(&l);
		if (!rng_below(&rng, 5))
			lineedit_show(&l);
	}
	type("\x03");
	lineedit_begin(&l);
	EXPECT_EQ(type("help\r"), LINE_DONE);
	EXPECT_STR(l.text, "help");
}
