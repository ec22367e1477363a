/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmdline - tests of boot/cmdline.c
 */
#include <stdlib.h>

#include "boot/cmdline.h"
#include "lib/str.h"
#include "tests/host/test.h"

static struct cmdword w;
static const char *error;

/* All words of a line as "key|value;" or "key;", or the sentence of the error. */
static const char *words(const char *line)
{
	static char out[4096];
	const char *at = cmdline_start(line);
	size_t n = 0;

	out[0] = 0;
	while (cmdline_next(&at, &w, &error)) {
		str_copy(out + n, w.key, sizeof(out) - n);
		n += strlen(out + n);
		if (w.has_value) {
			str_copy(out + n, "|", sizeof(out) - n);
			str_copy(out + n + 1, w.value, sizeof(out) - n - 1);
			n += strlen(out + n);
		}
		str_copy(out + n, ";", sizeof(out) - n);
		n += strlen(out + n);
	}
	return error ? error : out;
}

TEST(words_and_values)
{
	EXPECT_STR(words(""), "");
	EXPECT_STR(words("  \t\r\n "), "");
	EXPECT_STR(words("run=remap/* cpus=4"), "run|remap/*;cpus|4;");
	EXPECT_STR(words("  verbose\tx= \n"), "verbose;x|;");
	EXPECT_STR(words("a=b=c ==" /* the second word has no name */),
		   "a word on the command line has no name");
	EXPECT_STR(words("a=b=c"), "a|b=c;");
}

TEST(image_name_is_skipped)
{
	EXPECT_STR(words("/boot/k.elf run=x"), "run|x;");
	EXPECT_STR(words("tftp://10.0.2.2/boot/k cpus=2"), "cpus|2;");
	EXPECT_STR(words("shootdown.elf"), "");
	EXPECT_STR(words("k.bin  a"), "a;");
	EXPECT_STR(words(".elf a"), "a;");
	EXPECT_STR(words("elf a"), "elf;a;");
	EXPECT_STR(words("run=proto/x a"), "run|proto/x;a;");
	EXPECT_STR(words("a /boot/k.elf"), "a;/boot/k.elf;");
	EXPECT_STR(words("k.elfx a"), "k.elfx;a;");
}

TEST(quotes_keep_spaces)
{
	EXPECT_STR(words("run=\"a b\" c"), "run|a b;c;");
	EXPECT_STR(words("\"run=a b\" c"), "run|a b;c;");
	EXPECT_STR(words("a=\"\""), "a|;");
	EXPECT_STR(words("a=x\"y z\"w"), "a|xy zw;");
	EXPECT_STR(words("\"a\"=1"), "a|1;");
	EXPECT_STR(words("\"\""), "a word on the command line has no name");
	EXPECT_STR(words("a=\"b c"), "a quote on the command line is not closed");
	EXPECT_STR(words("\""), "a quote on the command line is not closed");
}

TEST(backslash_as_grub_writes_it)
{
	EXPECT_STR(words("a=\\\"x\\\""), "a|\"x\";");
	EXPECT_STR(words("a=it\\'s"), "a|it's;");
	EXPECT_STR(words("a=\\\\"), "a|\\;");
	EXPECT_STR(words("a=b\\c\\"), "a|b\\c\\;");
	EXPECT_STR(words("\"a=\\\" \\\"\""), "a|\" \";");
}

/* A line of `n` times c behind `head`. */
static char *long_line(const char *head, size_t n, char c)
{
	size_t len = strlen(head);
	char *line = malloc(len + n + 1);

	memcpy(line, head, len);
	memset(line + len, c, n);
	line[len + n] = 0;
	return line;
}

TEST(too_long_is_an_error_not_a_cut)
{
	char *key31 = long_line("", 31, 'k'), *key32 = long_line("", 32, 'k');
	char *val1023 = long_line("v=", 1023, 'x'),
	     *val1024 = long_line("v=", 1024, 'x');
	char *huge = long_line("v=", 100000, 'x');

	words(key31);
	EXPECT(!error);
	EXPECT_STR(words(key32), "a word on the command line is too long");
	EXPECT_EQ(strlen(words(val1023)), 1023 + 3);
	EXPECT_STR(words(val1024), "a value on the command line is too long");
	EXPECT_STR(words(huge), "a value on the command line is too long");
	free(key31);
	free(key32);
	free(val1023);
	free(val1024);
	free(huge);
}

TEST(an_error_stays_where_it_is)
{
	const char *line = "a \"b", *at = line;

	EXPECT(cmdline_next(&at, &w, &error));
	EXPECT(!cmdline_next(&at, &w, &error));
	EXPECT(error != NULL);
	EXPECT(at == line + 2);
	EXPECT(!cmdline_next(&at, &w, &error));
	EXPECT(error != NULL);
}

TEST(find_takes_the_last)
{
	EXPECT(cmdline_find("k.elf seed=1 x seed=2 y", "seed", &w, &error));
	EXPECT_STR(w.value, "2");
	EXPECT(cmdline_find("seed=7", "seed", &w, &error));
	EXPECT_STR(w.value, "7");
	EXPECT(!cmdline_find("seeds=7 see=1", "seed", &w, &error));
	EXPECT(!error);
	EXPECT(!cmdline_find("\" seed=7", "seed", &w, &error));
	EXPECT(error != NULL);
}

TEST(find_before_an_error)
{
	EXPECT(cmdline_find("seed=7 \"", "seed", &w, &error));
	EXPECT_STR(w.value, "7");
	EXPECT(!error);
}

TEST(random_lines_end)
{
	static const char alphabet[] = "ab=\"\\ \t/.'\x80";
	struct rng rng = test_rng();

	for (unsigned i = 0; i < 20000; i++) {
		size_t len = rng_below(&rng, 60);
		char *line = malloc(len + 1);

		for (size_t k = 0; k < len; k++)
			line[k] = alphabet[rng_below(&rng, sizeof(alphabet) - 1)];
		line[len] = 0;
		EXPECT(words(line) != NULL);
		EXPECT(w.key[sizeof(w.key) - 1] == 0);
		free(line);
	}
}
