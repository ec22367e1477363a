# SPDX-License-Identifier: BSD-2-Clause
"""plot - small pictures as inline SVG: one panel a protocol, and rates with their interval

Thirteen lines in one picture cannot be told apart by colour.  So each protocol has a
panel of its own on the same axes, with all the others behind it in grey.  Colours are
classes: the page's style has them for light and for dark.
"""
from markup import tag

WIDE, HIGH = 168, 118
LEFT, RIGHT, TOP, BOTTOM = 32, 32, 20, 20
RATE_WIDE, RATE_HIGH = 170, 16


def nice(value):
    """The least of 1, 2, 2.5, 5 times a power of ten that is no less than `value`."""
    if not 0 < value < 1e300:
        return 1.0
    power = 1.0
    while power > value:
        power /= 10
    while power * 10 < value:
        power *= 10
    return next((power * step for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
                 if power * step >= value), power * 10)


def short(value):
    """A figure in at most five characters."""
    for limit, unit in ((1e9, 'G'), (1e6, 'M'), (1e4, 'k')):
        if value >= limit:
            return f'{value / (1e3 if unit == "k" else limit):.3g}{unit}'
    return f'{value:g}' if value == int(value) else f'{value:.3g}'


class Axes:
    """Maps figures to places in a panel; both axes begin at 0."""

    def __init__(self, most_x, most_y):
        self.most_x, self.most_y = max(most_x, 1), nice(most_y)

    def x(self, value):
        return round(LEFT + value / self.most_x * (WIDE - LEFT - RIGHT), 1)

    def y(self, value):
        return round(HIGH - BOTTOM - value / self.most_y * (HIGH - TOP - BOTTOM), 1)

    def line(self, points, class_):
        """A line through points; a single one is drawn as a short stroke."""
        where = [(self.x(x), self.y(y)) for x, y in points]
        if len(where) == 1:
            (x, y), = where
            where = [(x - 3, y), (x + 3, y)]
        path = ' L'.join(f'{x} {y}' for x, y in where)
        return tag('path', d=f'M{path}', class_=class_)

    def frame(self):
        """The axes, with the figures at their ends."""
        bottom, right = self.y(0), self.x(self.most_x)
        text = [(LEFT - 4, bottom + 3, '0', 'end'),
                (LEFT - 4, self.y(self.most_y) + 3, short(self.most_y), 'end'),
                (self.x(0), bottom + 13, '0', 'middle'),
                (right, bottom + 13, str(self.most_x), 'middle')]
        return [tag('line', x1=LEFT, y1=bottom, x2=right, y2=bottom, class_='axis'),
                tag('line', x1=LEFT, y1=self.y(self.most_y), x2=LEFT, y2=bottom,
                    class_='axis'),
                *(tag('text', what, x=x, y=y, text_anchor=anchor)
                  for x, y, what, anchor in text)]


def _title(name, bad):
    return tag('text', name if len(name) <= 22 else name[:21] + '~', x=LEFT, y=11,
               class_='name bad' if bad else 'name')


def panel(name, lines, floor, axes, what, struck=()):
    """One protocol's line before the others'; `what` is for who cannot see it.

    Of those in `struck` the line is in their own panel alone, and that is faint.
    """
    x, y = lines[name][-1]
    said = ', '.join(f'{at}: {short(value)}' for at, value in lines[name])
    return tag('svg', tag('title', f'{name}: {what}; {said}'), *axes.frame(),
               *(axes.line(points, 'other') for other, points in lines.items()
                 if other != name and other not in struck),
               axes.line(floor, 'floor') if floor else None,
               axes.line(lines[name], 'mine'),
               tag('circle', cx=axes.x(x), cy=axes.y(y), r=2.5, class_='dot'),
               tag('text', short(y), x=axes.x(x) + 4, y=axes.y(y) + 3, class_='value'),
               _title(name, name in struck),
               class_='panel struck' if name in struck else 'panel',
               viewBox=f'0 0 {WIDE} {HIGH}', role='img')


def panels(lines, floor, what, struck=()):
    """A panel for each protocol; lines is {name: [(x, y)]} in rising order of x."""
    points = [point for line in (*lines.values(), floor) for point in line]
    axes = Axes(max(x for x, _ in points), max(y for _, y in points))
    return tag('div', *(panel(name, lines, floor, axes, what, struck)
                        for name in lines), class_='panels')


def rate(value, low, high, struck=False):
    """A rate and its interval on a line from 0 to 100 %."""
    middle, wide = RATE_HIGH / 2, RATE_WIDE - 8

    def at(share):
        return round(4 + share * wide, 1)
    return tag('svg', tag('title', f'{100 * value:.2f} %, between {100 * low:.2f} and '
                          f'{100 * high:.2f} %'),
               tag('line', x1=at(0), y1=middle, x2=at(1), y2=middle, class_='axis'),
               *(tag('line', x1=at(s), y1=middle - 3, x2=at(s), y2=middle + 3,
                     class_='axis') for s in (0, 0.25, 0.5, 0.75, 1)),
               tag('rect', x=at(low), y=middle - 3, height=6,
                   width=max(1.0, round(at(high) - at(low), 1)), class_='interval'),
               tag('circle', cx=at(value), cy=middle, r=3, class_='dot'),
               class_='rate struck' if struck else 'rate', role='img',
               viewBox=f'0 0 {RATE_WIDE} {RATE_HIGH}')
