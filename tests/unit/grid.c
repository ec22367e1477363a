/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grid - tests of lib/grid.c: where text goes on a screen, and how much is drawn
 */
#include "lib/grid.h"
#include "lib/str.h"
#include "tests/host/test.h"

static struct grid grid;
static char screen[GRID_ROWS][GRID_COLS + 1]; /* what was drawn */
static unsigned drawn, outside;

static void draw(unsigned col, unsigned row, char c)
{
	drawn++;
	if (col >= grid.cols || row >= grid.rows)
		outside++;
	else
		screen[row][col] = c;
}

static void begin(unsigned cols, unsigned rows)
{
	memset(screen, 0, sizeof(screen));
	drawn = outside = 0;
	grid_init(&grid, cols, rows, draw);
	EXPECT_EQ(drawn, 0);
	grid_redraw(&grid);
}

static void say(const char *s)
{
	while (*s)
		grid_put(&grid, *s++);
	EXPECT_EQ(outside, 0);
}

/* The line without the blanks at its end. */
static const char *line(unsigned row)
{
	static char text[GRID_COLS + 1];
	size_t n;

	str_copy(text, screen[row], sizeof(text));
	for (n = strlen(text); n && text[n - 1] == ' '; n--)
		;
	text[n] = 0;
	return text;
}

TEST(grid_lines_and_wrapping)
{
	begin(10, 6);
	say("one\ntwo\n0123456789abc\n");
	EXPECT_STR(line(0), "one");
	EXPECT_STR(line(1), "two");
	EXPECT_STR(line(2), "0123456789");
	EXPECT_STR(line(3), "abc");
	EXPECT_EQ(grid.row, 4);
	EXPECT_EQ(grid.col, 0);
}

TEST(grid_a_full_line_ends_once)
{
	begin(10, 6);
	say("0123456789\nnext");
	EXPECT_STR(line(0), "0123456789");
	EXPECT_STR(line(1), "next");
}

TEST(grid_what_moves_the_cursor)
{
	begin(20, 6);
	say("abc\rx\n\b\bdef\b\bE\n");
	EXPECT_STR(line(0), "xbc");
	EXPECT_STR(line(1), "dEf");
	say("a\tb\tc\n");
	EXPECT_STR(line(2), "a       b       c");
	say("0123456789012345678\tx");
	EXPECT_STR(line(3), "0123456789012345678");
	EXPECT_STR(line(4), "x");
}

TEST(grid_moves_up_by_a_quarter)
{
	begin(10, 8);
	say("0\n1\n2\n3\n4\n5\n6\n7");
	EXPECT_STR(line(0), "0");
	EXPECT_STR(line(7), "7");
	say("\n8");
	EXPECT_STR(line(0), "3");
	EXPECT_STR(line(4), "7");
	EXPECT_STR(line(5), "8");
	EXPECT_STR(line(6), "");
	EXPECT_STR(line(7), "");
}

TEST(grid_draws_what_changes)
{
	begin(10, 4);
	EXPECT_EQ(drawn, 40);
	drawn = 0;
	say("same\nsame\nsame\nsame");
	EXPECT_EQ(drawn, 16);
	drawn = 0;
	say("\rsame");
	EXPECT_EQ(drawn, 0);
	say("\n"); /* two lines move up onto their like, and two become blank */
	EXPECT_EQ(drawn, 8);
	drawn = 0;
	grid_redraw(&grid);
	EXPECT_EQ(drawn, 40);
}

TEST(grid_of_any_size)
{
	static const unsigned size[] = {
		0, 1, 2, 3, 80, GRID_ROWS, GRID_COLS, 4000, ~0u
	};
	struct rng rng = test_rng();

	for (unsigned i = 0; i < ARRAY_LEN(size) * ARRAY_LEN(size); i++) {
		begin(size[i / ARRAY_LEN(size)], size[i % ARRAY_LEN(size)]);
		EXPECT(grid.cols <= GRID_COLS && grid.rows <= GRID_ROWS);
		for (unsigned k = 0; k < 3000; k++)
			grid_put(&grid, (char)rng_below(&rng, 256));
		for (unsigned k = 0; k < 3 * GRID_ROWS; k++)
			grid_put(&grid, '\n');
		EXPECT_EQ(outside, 0);
		for (unsigned row = 0; row < grid.rows; row++)
			EXPECT(!memcmp(screen[row], grid.text[row], grid.cols));
	}
}
