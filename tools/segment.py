# SPDX-License-Identifier: BSD-2-Clause
"""segment - what one `run` command on the console has proved

The judge reads it as it reads a boot's log.  Where every byte came, its word is final.
A line may lose or bend bytes, though, and the kernel repeats nothing; so each unit's
result counts by itself: it is believed when the result line and the record agree and
no garbled line came since the unit before it.  The others stay open.
"""
import re

from judge import Judge, story_faults
from units import Unit, title

LINE_FAULT = re.compile(r'garbled|no KTAP result|a record in the middle of a line|'
                        r'a plan that is none|the log ends in the middle')
SPOKEN = re.compile(r'#|(not )?ok\b|\d+\.\.|KTAP version|Bail out!')
STOPPED = 'stopped from the console'


def unit_of(test):
    return Unit(test['name'], test.get('proto') or '')


class Segment:
    def __init__(self, units):
        self.units = units               # what was asked for, in order
        self.judge = Judge()
        self.told, self.lost = {}, []    # {unit: its record}; titles of garbled ones
        self.benches, self.pile = [], []     # figures of told units; of the present one
        self.garbled, self.faults = 0, []
        self.point, self.dirty, self.beat = None, False, None
        self.stopped = False             # we have sent a Ctrl-C

    def take(self, token):
        """Take the next token; events as the judge's, for whoever watches."""
        if token.kind == 'prompt' or self.over():
            return []
        if token.kind == 'garbled' or token.kind == 'line' and self._stray(token.text):
            self._bent()
            return [('line', token.text)]
        if token.record and token.record.get('type') in ('beat', 'run', 'done'):
            self._beat(token.record)
            return [('line', token.text)]
        known = len(self.judge.faults)
        events = self.judge.feed(token.text.encode('ascii', 'replace') + b'\n')
        if any(LINE_FAULT.match(fault) for fault in self.judge.faults[known:]):
            self._bent()
        return [event for event in events if self._event(*event)]

    def over(self):
        """Has the end record come?  What follows is no part of the run."""
        return self.judge.end is not None

    def bailed(self):
        return self.judge.bail is not None

    def _stray(self, text):
        """A kernel in a run prints no other lines than these."""
        return not SPOKEN.match(text) and not self.bailed()

    def _bent(self):
        """A garbled line: whose it was is told by where it stands."""
        self.garbled += 1
        if self.point is not None:
            self._lose(self.point.name)      # its record, which follows it at once
        else:
            self.dirty = True

    def _lose(self, name):
        self.lost.append(name)
        self.point, self.dirty, self.pile = None, False, []

    def _beat(self, record):
        if isinstance(record.get('test'), str):
            self.beat = record['test']

    def _event(self, kind, value):
        """Note what it means for the units; False if it is not to be shown."""
        if kind == 'point':
            if self.point is not None:
                self.lost.append(self.point.name)    # its record never came
            self.point = value
        elif kind == 'bench':
            self.pile.append(value)
        elif kind == 'test':
            return self._test(value)
        return True

    def _test(self, test):
        unit, point = unit_of(test), self.point
        if self.stopped and test['verdict'] == 'SKIP' and STOPPED in test.get('why', ''):
            self._lose(title(unit))
            return False
        if self.dirty or point is None:
            self._lose(title(unit))
            return False
        if unit not in self.units:
            self.faults.append(f'{title(unit)} was not asked for')
        if point.name != title(unit) or not point.says(test['verdict']):
            self.faults.append(f'result {point.number} is {point.name}, and does not say '
                               f'what its record says of {title(unit)}')
        self.told[unit] = test
        self.benches += self.pile
        self.point, self.beat, self.pile = None, None, []
        return True

    def current(self):
        """The unit that ran when the machine was last heard."""
        open_ = [unit for unit in self.units if unit not in self.told]
        for unit in open_:
            if self.beat in (title(unit), unit.name):
                return unit
        if self.beat:
            return Unit(self.beat, '')
        started = self.judge.plan is not None or self.told or self.point
        return open_[0] if open_ and started else None

    def complaints(self):
        """Faults that no bent byte explains."""
        planned = self.judge.plan
        if planned not in (None, len(self.units)):
            self.faults.append(f'the kernel plans {planned} tests, where its list makes '
                               f'{len(self.units)} of this selection')
        if self.garbled or self.stopped or not self.over():
            return self.faults + [fault for fault in self.judge.faults
                                  if not LINE_FAULT.match(fault)]
        return self.faults + story_faults(self.judge)

    def whole(self):
        """Did every byte of it come, to its end?"""
        return self.over() and not (self.garbled or self.stopped)
