# SPDX-License-Identifier: BSD-2-Clause
"""trace_svg - one invalidation of each test as a picture, for documents

Of each test the first invalidation that makes the most CPUs leave the guest: from its
edit to the last of them that is back in the guest.  What a guest does behind the return
is red.
"""
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, LANE, BAR, TITLE = 940, 80, 20, 44, 20, 40
FILLS = {'edit': '#e8a33d', 'publish': '#3d7de8', 'wait': '#b9d2f7', 'guest': '#7cc47f',
         'stale': '#d9534f', 'hook': '#9a9a9a', 'flush': '#8e5bc0'}
STYLE = ('<style>text{font:12px sans-serif;fill:#222}.t{font-weight:bold}'
         '.s{font-size:10px}</style>')
HEAD = ('<marker id="head" markerWidth="7" markerHeight="6" refX="6" refY="3" '
        'orient="auto"><path d="M0,0L7,3L0,6z" fill="#444"/></marker>')


def choose(story):
    """(invalidation, its kicks that ended a stay), or None."""
    ended = [(inval, [kick for kick in inval.kicks if kick.stay and kick.stay.leaving and
                      kick.stay.next and kick.stay.next.enter])
             for inval in story.invals if inval.edits and inval.done and inval.publish]
    return max(ended, key=lambda item: len(item[1]), default=None)


class Panel:
    """One test; y grows downwards from `top`."""

    def __init__(self, log, test, inval, kicks, top):
        self.log, self.inval, self.kicks, self.top = log, inval, kicks, top
        self.out, self.title = [], f'{test.name} {test.proto}'
        self.cpus = sorted({inval.cpu, *(kick.target for kick in kicks)})
        first = inval.edits[-1][0]
        last = max((kick.stay.next.enter for kick in kicks), key=log.time,
                   default=inval.done)
        self.zero = log.time(first)
        span = max(log.time(last), log.time(inval.done)) - self.zero
        self.begin, self.end = self.zero - span * 0.05, self.zero + span * 1.15

    @property
    def height(self):
        return TITLE + LANE * len(self.cpus) + 24

    def x(self, time):
        part = (time - self.begin) / (self.end - self.begin)
        return LEFT + min(max(part, 0), 1) * (WIDTH - LEFT - RIGHT)

    def y(self, cpu):
        return self.top + TITLE + LANE * self.cpus.index(cpu)

    def text(self, x, y, text, kind='s'):
        self.out.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>')

    def bar(self, cpu, begin, end, kind, label=''):
        left, right = self.x(begin), self.x(end)
        if right <= left:
            return
        self.out.append(f'<rect x="{left:.1f}" y="{self.y(cpu)}" '
                        f'width="{right - left:.1f}" height="{BAR}" fill="{FILLS[kind]}"/>')
        if label and right - left > 6 * len(label):
            self.text(left + 3, self.y(cpu) + 14, label)

    def arrow(self, begin, end):
        x1, x2 = self.x(self.log.time(begin)), self.x(self.log.time(end))
        down = self.y(end.cpu) > self.y(begin.cpu)
        y1, y2 = self.y(begin.cpu) + BAR * down, self.y(end.cpu) + BAR * (not down)
        self.out.append(f'<line x1="{x1:.1f}" y1="{y1}" x2="{x2:.1f}" y2="{y2}" '
                        'stroke="#444" marker-end="url(#head)"/>')

    def stay(self, kick):
        time, cpu, stay, after = self.log.time, kick.target, kick.stay, kick.stay.next
        out, back = time(stay.exit), time(self.inval.done)
        entered = time(stay.enter) if stay.enter else self.begin
        self.bar(cpu, entered, min(out, back), 'guest', 'guest')
        self.bar(cpu, max(back, entered), out, 'stale', 'guest: stale')
        self.bar(cpu, time(stay.leaving), time(stay.out), 'hook', 'exit')
        if after.hook:
            self.bar(cpu, time(after.hook), time(after.enter), 'hook', 'enter')
        if after.flush:
            self.bar(cpu, time(after.flush), time(after.enter), 'flush', 'flush')
        self.bar(cpu, time(after.enter), time(after.exit) if after.exit else self.end,
                 'guest', 'guest')

    def initiator(self):
        time, inval = self.log.time, self.inval
        for label, edits in (('edit', inval.edits), ('settle', inval.settles)):
            for begin, end in edits:
                self.bar(inval.cpu, time(begin), time(end), 'edit', label)
        self.bar(inval.cpu, time(inval.publish), time(inval.wait or inval.done), 'publish',
                 'publish')
        if inval.wait:
            self.bar(inval.cpu, time(inval.wait), time(inval.done), 'wait', 'wait')

    def draw(self):
        time, done = self.log.time, self.inval.done
        self.text(LEFT, self.top + 16, self.title, 't')
        for cpu in self.cpus:
            self.text(8, self.y(cpu) + 14, f'CPU {cpu}')
        for kick in self.kicks:
            self.stay(kick)
        self.initiator()
        for kick in self.kicks:
            self.arrow(kick.sent, kick.stay.exit)
            if self.inval.wait and time(kick.stay.leaving) <= time(done):
                self.arrow(kick.stay.leaving, done)
        x, bottom = self.x(time(done)), self.top + self.height - 20
        self.out.append(f'<line x1="{x:.1f}" y1="{self.top + 24}" x2="{x:.1f}" '
                        f'y2="{bottom}" stroke="#222" stroke-dasharray="4 3"/>')
        self.text(x + 3, bottom + 10, f'return, {time(done) - self.zero} ticks after the '
                                      'edit begins')
        return self.out


def picture(log, stories):
    """An SVG of all tests that have such an invalidation, one below the other."""
    top, body = 8, []
    for test, story in zip(log.tests, stories):
        chosen = choose(story)
        if chosen and chosen[1]:
            panel = Panel(log, test, *chosen, top)
            body += panel.draw()
            top += panel.height + 16
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" '
            f'viewBox="0 0 {WIDTH} {top}">{STYLE}<defs>{HEAD}</defs>'
            f'<rect width="{WIDTH}" height="{top}" fill="#fff"/>' + '\n'.join(body) +
            '</svg>\n')
