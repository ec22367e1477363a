/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fmt - printf formatting into a sink, without floating point and without memory.
 */
#include "lib/fmt.h"

struct spec {
	bool left, zero, wide;
	int width, precision;
};

static void pad(struct fmt_sink *to, int n, char c)
{
	while (n-- > 0)
		to->put(to, c);
}

static void put_str(struct fmt_sink *to, const struct spec *sp, const char *s)
{
	int n = 0;

	if (!s)
		s = "(null)";
	while (s[n] && (sp->precision < 0 || n < sp->precision))
		n++;
	if (!sp->left)
		pad(to, sp->width - n, ' ');
	for (int i = 0; i < n; i++)
		to->put(to, s[i]);
	if (sp->left)
		pad(to, sp->width - n, ' ');
}

static void put_num(struct fmt_sink *to, const struct spec *sp, u64 v, unsigned base,
		    bool negative)
{
	char digits[24];
	int n = 0, fill;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	fill = sp->width - n - negative;
	if (!sp->left && !sp->zero)
		pad(to, fill, ' ');
	if (negative)
		to->put(to, '-');
	if (!sp->left && sp->zero)
		pad(to, fill, '0');
	while (n)
		to->put(to, digits[--n]);
	if (sp->left)
		pad(to, fill, ' ');
}

static int number(const char **f)
{
	int v = 0;

	while (**f >= '0' && **f <= '9')
		v = v * 10 + *(*f)++ - '0';
	return v;
}

static struct spec parse_spec(const char **f)
{
	struct spec sp = { .precision = -1 };

	for (; **f == '-' || **f == '0'; (*f)++)
		*(**f == '-' ? &sp.left : &sp.zero) = true;
	sp.width = number(f);
	if (**f == '.') {
		(*f)++;
		sp.precision = number(f);
	}
	for (; **f == 'l' || **f == 'z'; (*f)++)
		sp.wide = true;
	return sp;
}

void fmt_va(struct fmt_sink *to, const char *f, va_list ap)
{
	for (; *f; f++) {
		struct spec sp;
		i64 v;

		if (*f != '%') {
			to->put(to, *f);
			continue;
		}
		f++;
		sp = parse_spec(&f);
		switch (*f) {
		case 'c':
			to->put(to, (char)va_arg(ap, int));
			break;
		case 's':
			put_str(to, &sp, va_arg(ap, const char *));
			break;
		case 'd':
		case 'i':
			v = sp.wide ? va_arg(ap, i64) : va_arg(ap, int);
			put_num(to, &sp, v < 0 ? -(u64)v : (u64)v, 10, v < 0);
			break;
		case 'u':
		case 'x':
			put_num(to, &sp,
				sp.wide ? va_arg(ap, u64) : va_arg(ap, unsigned),
				*f == 'x' ? 16 : 10, false);
			break;
		case 'p':
			put_str(to, &(struct spec){ .precision = -1 }, "0x");
			put_num(to, &(struct spec){ .zero = true, .width = 16 },
				(u64)va_arg(ap, void *), 16, false);
			break;
		case 0:
			return;
		default:
			to->put(to, *f);
		}
	}
}

struct str_sink {
	struct fmt_sink sink;
	char *buf;
	size_t size, n;
};

static void str_put(struct fmt_sink *sink, char c)
{
	struct str_sink *s = container_of(sink, struct str_sink, sink);

	if (s->n + 1 < s->size)
		s->buf[s->n] = c;
	s->n++;
}

size_t fmt_str_va(char *buf, size_t size, const char *f, va_list ap)
{
	struct str_sink s = { { str_put }, buf, size, 0 };

	fmt_va(&s.sink, f, ap);
	if (size)
		buf[MIN(s.n, size - 1)] = 0;
	return s.n;
}

size_t fmt_str(char *buf, size_t size, const char *f, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, f);
	n = fmt_str_va(buf, size, f, ap);
	va_end(ap);
	return n;
}
