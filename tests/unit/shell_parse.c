/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell_parse - tests of tests/shell/parse.c: commands and their words.
 */
#include "boot/cmdline.h"
#include "lib/str.h"
#include "tests/host/test.h"
#include "tests/shell/parse.h"

static const char *words(const char *line, const char *key)
{
	static char text[200];

	return parse_words(text, sizeof(text), line, key) ? text : "too long";
}

TEST(verbs)
{
	char verb[PARSE_VERB];

	EXPECT_STR(parse_verb("run a  b", verb), "a  b");
	EXPECT_STR(verb, "run");
	EXPECT_STR(parse_verb("   list", verb), "");
	EXPECT_STR(verb, "list");
	EXPECT_STR(parse_verb("", verb), "");
	EXPECT_STR(verb, "");
	EXPECT_STR(parse_verb("  ", verb), "");
	EXPECT_STR(verb, "");
	EXPECT_STR(parse_verb("a-very-long-command-indeed x", verb), "x");
	EXPECT_EQ(strlen(verb), PARSE_VERB - 1);
}

TEST(words_without_a_key_are_one_list)
{
	EXPECT_STR(words("", "run"), "");
	EXPECT_STR(words("vmx/hello", "run"), "run=vmx/hello");
	EXPECT_STR(words("a b  c", "run"), "run=a,b,c");
	EXPECT_STR(words("a iters=3 b seed=7", "run"), "run=a,b iters=3 seed=7");
	EXPECT_STR(words("iters=3", "run"), "iters=3");
	EXPECT_STR(words("H1 H2", "mutant"), "mutant=H1,H2");
	EXPECT_STR(words("guest=\"module:a b\" x", "run"),
		   "run=x guest=\"module:a b\"");
	EXPECT_STR(words("\"a b\"", "run"), "run=\"a b\"");
	EXPECT_STR(words("=", "run"), "="); /* is refused by the next parser */
}

TEST(words_that_do_not_fit)
{
	char line[300], text[11];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	EXPECT_STR(words(line, "run"), "too long");
	line[150] = '=';
	EXPECT_STR(words(line, "run"), "too long");
	EXPECT(parse_words(text, 11, "abcdef", "run"));
	EXPECT_STR(text, "run=abcdef");
	EXPECT(!parse_words(text, 10, "abcdef", "run"));
}

TEST(repeats)
{
	u64 n = 77;

	EXPECT_STR(parse_number("3 run x", &n), "run x");
	EXPECT_EQ(n, 3);
	EXPECT_STR(parse_number("0x10", &n), "");
	EXPECT_EQ(n, 16);
	EXPECT(!parse_number("", &n));
	EXPECT(!parse_number("x 3", &n));
	EXPECT(!parse_number("-1 a", &n));
	EXPECT(!parse_number("99999999999999999999999 a", &n));
	EXPECT(!parse_number("99999999999999999999 a", &n));
}

TEST(records_stay_whole)
{
	char text[10];

	parse_clean(text, sizeof(text), "a\"b\\c\n\x7f\x80z");
	EXPECT_STR(text, "a'b'c'''z");
	parse_clean(text, sizeof(text), "longer than it may be");
	EXPECT_STR(text, "longer th");
}

/* Whatever comes out, the command line's parser takes it, or says why not. */
TEST(random_words_reach_the_command_lines_parser)
{
	static const char alphabet[] = "ab=\" ,\\/*";
	struct rng rng = test_rng();

	for (unsigned i = 0; i < 20000; i++) {
		const char *at, *error = NULL;
		static struct cmdword w;
		char line[40];
		size_t n = rng_below(&rng, sizeof(line));

		for (size_t k = 0; k < n; k++)
			line[k] = alphabet[rng_below(&rng, sizeof(alphabet) - 1)];
		line[n] = 0;
		at = words(line, "run");
		EXPECT(strlen(at) <= n + 4);
		while (cmdline_next(&at, &w, &error))
			EXPECT(*w.key);
		EXPECT(error || !*at);
	}
}
