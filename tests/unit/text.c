/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text - tests of lib/text.c: globs, numbers, bounded copies.
 */
#include <stdlib.h>

#include "lib/str.h"
#include "tests/host/test.h"

TEST(glob_literal_and_question_mark)
{
	EXPECT(str_glob("remap", "remap"));
	EXPECT(!str_glob("remap", "remaps"));
	EXPECT(!str_glob("remaps", "remap"));
	EXPECT(str_glob("r?map", "remap"));
	EXPECT(!str_glob("remap?", "remap"));
	EXPECT(str_glob("", ""));
	EXPECT(!str_glob("", "x"));
	EXPECT(!str_glob("?", ""));
}

TEST(glob_star_takes_any_run)
{
	EXPECT(str_glob("*", ""));
	EXPECT(str_glob("**", "abc"));
	EXPECT(str_glob("proto/*", "proto/"));
	EXPECT(str_glob("proto/*/4k", "proto/remap/4k/4k"));
	EXPECT(!str_glob("proto/*/4k", "proto/remap/4k/2m"));
	EXPECT(str_glob("*a*b*", "xxaxxbxx"));
	EXPECT(!str_glob("*a*b*", "xxbxxaxx"));
	EXPECT(str_glob("*ab", "aab"));
	EXPECT(!str_glob("*ab", "aba"));
}

TEST(glob_gives_up_in_linear_memory_and_finite_time)
{
	char name[201];

	memset(name, 'a', 200);
	name[200] = 0;
	EXPECT(!str_glob("*a*a*a*a*a*a*a*a*b", name));
	EXPECT(str_glob("*a*a*a*a*a*a*a*a", name));
}

/* The number in s, or `wrong` when it is refused. */
static u64 number(const char *s, u64 wrong)
{
	u64 v = 0x5a5a;

	if (str_u64(s, &v))
		return v;
	EXPECT_EQ(v, 0x5a5a);
	return wrong;
}

TEST(numbers_decimal_and_hexadecimal)
{
	EXPECT_EQ(number("0", 1), 0);
	EXPECT_EQ(number("1234567890", 1), 1234567890);
	EXPECT_EQ(number("007", 1), 7);
	EXPECT_EQ(number("0xdeadBEEF", 1), 0xdeadbeef);
	EXPECT_EQ(number("0X10", 1), 16);
	EXPECT_EQ(number("18446744073709551615", 1), ~0ull);
	EXPECT_EQ(number("0xffffffffffffffff", 1), ~0ull);
}

TEST(numbers_refused)
{
	static const char *const bad[] = {
		"",
		"0x",
		"x",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1.5",
		"12a",
		"0xg",
		"0x1h",
		"18446744073709551616",
		"0x",
		"1_0",
		"0x10000000000000000",
		"99999999999999999999999999",
	};

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		if (!EXPECT_EQ(number(bad[i], 77), 77))
			test_say("the text was \"%s\"", bad[i]);
}

TEST(copy_stays_in_bounds_and_ends)
{
	char *to = malloc(4);

	str_copy(to, "abcdef", 4);
	EXPECT_STR(to, "abc");
	str_copy(to, "ab", 4);
	EXPECT_STR(to, "ab");
	str_copy(to, "", 4);
	EXPECT_STR(to, "");
	str_copy(to, "xyz", 1);
	EXPECT_STR(to, "");
	to[0] = 'k';
	str_copy(to, "xyz", 0);
	EXPECT_EQ(to[0], 'k');
	free(to);
}
