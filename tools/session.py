# SPDX-License-Identifier: BSD-2-Clause
"""session - a selection run on a machine behind a console, whatever happens to it

The course of a whole visit, as a generator like the talk below it: to the prompt, the
list, one `run` with the user's words, and then, as long as units are open, a `run` for
those alone.  A unit that takes the machine down is not run again.  One whose result
came garbled is, once, and the report says so.  What is cut off by the line or by the
power stays open and is run when the machine is back.  Every wait and every number of
attempts has a bound, so the visit ends.
"""
from collections import Counter
from dataclasses import dataclass

import status
from dialogue import (STOP, Cut, Cycle, Overdue, Pause, Reopen, Restarted, Send, Silent,
                      Stop, Talk)
from judge import refusal
from segment import Segment
from status import Trouble
from units import CHOICES, Names, Unit, command, part, title

DUMP_QUIET = 3.0              # seconds of silence after a dump: it is complete
LISTINGS = 3                  # how often a list is read that comes garbled
RESTARTS = 20                 # of a machine that comes to its prompt and starts again
REOPEN_WAITS = (0, 1, 2, 4, 8, 8, 8)
ASKED, ASK_WAIT = 2, 5.0      # how often a silent run is told to stop, and the wait
STOP_WAIT = 20.0              # for a run that has been told to stop
AGAIN = 1                     # how often a unit is run again whose result came garbled


@dataclass
class Patience:
    """How long, in seconds, and how often."""
    heartbeat: float = 30.0   # of silence in a run: the machine is wedged
    boot: float = 300.0       # from the power to the prompt
    timeout: float = 3600.0   # for the whole selection
    cycles: int = 3           # of the power; without a power command 0
    cuts: int = 5             # of the line


class GiveUp(Exception):
    """The visit ends here: (status, why)."""


class Session:
    def __init__(self, selection, patience, show=lambda kind, value: None, now=0.0):
        self.selection, self.patience, self.show = dict(selection), patience, show
        self.talk = Talk(now)
        self.names, self.pending, self.told = None, [], {}
        self.benches, self.lines, self.faults, self.notes = [], [], [], []
        self.down = []               # (Unit, why) that took the machine down
        self.crashed = self.wedged = False
        self.last_words = []         # before the first of those
        self.bail = self.ended = None
        self.dump, self.unread, self.again = [], [], Counter()
        self.runs, self.said, self.boot = 0, [], None
        self.cycles = self.cuts = self.restarts = 0
        self.met = self.interrupted = False
        self.excused = False         # a line may break when the power goes
        self.limit = None

    def play(self):
        """The visit.  Drive it with tools/port.py; then ask tools/outcome.py."""
        try:
            yield from self._back(self._reach())
            yield from self._list()
            self.limit = self.talk.now + self.patience.timeout
            while self.pending:
                yield from self._part()
        except Stop:
            self.interrupted = True
        except GiveUp as end:
            self.ended = end.args
        except Trouble as trouble:
            if not self.told:
                raise
            self.ended = status.CRASH, str(trouble)
        yield from self._leave()
        if self.talk.resent:
            self.note(f'{self.talk.resent} commands came bent to the machine, which did not '
                      'run them, and were sent again')

    def note(self, text):
        self.notes.append(text)
        self.show('note', text)

    # To the prompt, from wherever the machine is.

    def _reach(self, pokes=3):
        yield from self.talk.reach_prompt(self.patience.boot, pokes)

    def _back(self, how):
        """To the prompt and to records: by `how`, else by the power."""
        while True:
            try:
                yield from how
                yield from self.talk.sync()
                self.met = True
                return
            except Cut as cut:
                yield from self._reopen(cut)
                how = self._reach(pokes=1 + int(self.patience.boot / 3))
            except Restarted:
                self.restarts += 1
                if self.restarts > RESTARTS:
                    raise GiveUp(status.CRASH, 'the machine starts again and again')
                how = self.talk.await_boot(self.patience.boot)
            except (Silent, Overdue) as why:
                yield from self._power(why)
                how = self.talk.await_boot(self.patience.boot)

    def _power(self, why):
        """Cycle the power, or give up."""
        if self.cycles >= self.patience.cycles:
            if not self.met:
                raise Trouble(f'no prompt: {why}.  Is the machine on, does it boot a kernel '
                              'with `console`, is this its line (a null modem crosses it)?')
            done = f' after {self.cycles} power cycles' if self.cycles else \
                '; with --power-cycle CMD it would be started again'
            raise GiveUp(None, f'the machine does not come back{done}')
        self.cycles += 1
        self.note(f'power cycle {self.cycles} of at most {self.patience.cycles}: {why}')
        error = yield Cycle()
        if error:
            raise GiveUp(None, f'the power command failed: {error}')
        self.talk.fresh()
        self.excused = True

    def _reopen(self, cut):
        self.cuts += not self.excused
        if not self.excused:
            self.note(f'the line was cut: {cut}')
        self.excused = False
        if self.cuts > self.patience.cuts:
            raise GiveUp(status.CRASH, f'the line was cut {self.cuts} times')
        for wait in REOPEN_WAITS:
            _, self.talk.now = yield Pause(self.talk.now + wait)
            error = yield Reopen()
            if not error:
                return self.talk.fresh()
        raise GiveUp(status.CRASH, f'the line is gone: {error}')

    # What there is to do.

    def _listing(self, words):
        """The records of a listing that came whole; what it changes is nothing."""
        for _ in range(LISTINGS):
            try:
                reply = yield from self.talk.command(words)
            except (Cut, Silent, Restarted):
                yield from self._back(self._reach())
                continue
            if not reply.garbled:
                break
        else:
            raise Trouble(f'the listing `{words}` came garbled {LISTINGS} times: is the '
                          'line at 115200 8N1, is the cable good?')
        if why := reply.refused():
            raise Trouble(f'the kernel does not know `{words}`: {why}')
        return reply.records('item')

    def _list(self):
        """Ask what there is, and what somebody has set."""
        self.names = Names((yield from self._listing('list')))
        for item in (yield from self._listing('set')):
            key, value = item.get('key'), item.get('value')
            if key in CHOICES and value and key not in self.selection:
                self.selection[key] = value
                self.note(f'{key}={value} is set on the console')
        self.names.check(self.selection)
        self.pending = self.names.units(self.selection)
        if not self.pending:
            raise Trouble('the selection is empty')

    def _next(self):
        """(command, its units): first the user's own words, then what is open."""
        if not self.runs:
            return command(self.selection), list(self.pending)
        mutants = {item['name'] for item in self.names.mutants}
        return part(self.pending, self.selection, mutants)

    # One `run`.

    def _part(self):
        words, units = self._next()
        segment = Segment(units)
        self.runs += 1
        try:
            reply = yield from self.talk.command(
                words, lambda: DUMP_QUIET if segment.bailed() else self.patience.heartbeat,
                lambda token: self._take(segment, token), self.limit)
            self._check(segment, reply)
        except Stop:
            yield from self._stop(segment)
            raise
        except Cut as cut:
            if segment.bailed():         # an emulator ends with its kernel
                self.crashed = True
                self._blame(segment, segment.judge.bail)
            elif segment.current():
                self.note(f'the line was cut in {title(segment.current())}, which is run '
                          'again')
            how = self._after_cut(cut)
        except Restarted:
            self.crashed = True
            self._blame(segment, segment.judge.bail or 'the machine reset itself')
            how = self.talk.await_boot(self.patience.boot)
        except Silent:
            how = self._after_silence(segment)
        except Overdue:
            yield from self._stop(segment)
            raise GiveUp(status.TIMEOUT, 'the selection did not end within '
                                         f'{self.patience.timeout:.0f} s') from None
        else:
            how = None
        finally:
            self._account(segment)
        if how:
            yield from self._back(how)

    def _take(self, segment, token):
        for event in segment.take(token):
            self.show(*event)

    def _check(self, segment, reply):
        """A run that was refused, or that somebody else has stopped."""
        end = segment.judge.end
        if reply.garbled and not segment.garbled:
            self.note('what followed the end record came garbled')
        if end is not None and end.get('status') == status.USAGE:
            raise Trouble('the kernel says: ' + '\n'.join(refusal(segment.judge)))
        if end is None and not reply.garbled:
            why = reply.refused() or 'it came to the prompt without an end record'
            raise Trouble(f'the kernel did not run it: {why}')
        if end is not None and end.get('stopped') and not segment.stopped:
            segment.stopped = True
            raise GiveUp(status.CRASH, 'somebody stopped the run from the console')

    def _after_cut(self, cut):
        yield from self._reopen(cut)
        yield from self._reach(pokes=1 + int(self.patience.boot / 3))

    def _after_silence(self, segment):
        """Silence is a dump's end, a wedge, or a prompt that came garbled."""
        if segment.bailed():
            self.crashed = True
            self._blame(segment, segment.judge.bail)
            return self._reboots()
        self.note(f'silent for {self.patience.heartbeat:.0f} s in '
                  f'{title(segment.current() or Unit("the run", ""))}')
        return self._ask(segment, segment.over())

    def _reboots(self):
        """A kernel that has printed its dump may start again by itself."""
        patience = self.patience
        quiet = patience.heartbeat if self.cycles < patience.cycles else patience.boot
        talk = self.talk
        if not (yield from talk.until_prompt(talk.now + patience.boot, quiet)):
            raise Silent('it does not start again after its crash')

    def _ask(self, segment, over):
        """Ctrl-C, and once more: a kernel that waits in vain then says for what, and panics.

        If the run was not over, its test is to blame.
        """
        segment.stopped, talk, back = True, self.talk, False
        for _ in range(ASKED):
            yield Send(STOP)
            back = back or (yield from talk.until_prompt(
                talk.now + STOP_WAIT, ASK_WAIT, lambda token: self._take(segment, token)))
            if back or segment.bailed():
                break
        more = 'and answered to Ctrl-C alone' if back else 'and did not answer to Ctrl-C'
        if segment.bailed():
            more = f'and then said: {segment.judge.bail}'
            self._dump(segment)
        if not over:
            self.wedged = True
            self._blame(segment, f'the machine fell silent, {more}')
        if not back:
            raise Silent(f'it fell silent, {more}')

    def _dump(self, segment):
        if self.bail is None and segment.bailed():
            self.bail, self.dump = segment.judge.bail, segment.judge.dump

    def _blame(self, segment, why):
        """The unit that was running took the machine down."""
        unit = segment.current() or Unit('run', '')
        self.down.append((unit, why))
        self.last_words = self.last_words or list(segment.judge.lines)
        if unit in self.pending:
            self.pending.remove(unit)
        self.show('note', f'{"CRASH":12}  {title(unit)}  {why}')

    def _stop(self, segment):
        """Ctrl-C to the machine, and what it still says."""
        segment.stopped = True
        try:
            yield Send(STOP)
            self.talk.n = None
            yield from self.talk.until_prompt(
                self.talk.now + STOP_WAIT, STOP_WAIT / 2,
                lambda token: self._take(segment, token))
        except (Cut, Stop):
            self.note('the run was left as it was')

    def _account(self, segment):
        """What the segment has proved, and what it leaves open."""
        judge = segment.judge
        self.told.update(segment.told)
        self.benches += segment.benches
        self.faults += segment.complaints()
        self.lines += judge.lines
        self._dump(segment)
        if judge.end is not None:
            self.said.append(judge.end.get('status'))
        settled = set(segment.told) | (set(segment.units) if segment.whole() else set())
        self.pending = [unit for unit in self.pending if unit not in settled]
        if segment.garbled:
            self._read_again(segment)

    def _read_again(self, segment):
        """Units whose result came garbled are run again, but not for ever."""
        text = f'{segment.garbled} lines came garbled'
        lost = [unit for unit in self.pending if unit in segment.units
                and (segment.over() or title(unit) in segment.lost)]
        for unit in lost:
            self.again[unit] += 1
            if self.again[unit] > AGAIN:
                self.unread.append(unit)
                self.pending.remove(unit)
        again = [title(unit) for unit in lost if unit in self.pending]
        self.note(text + (f'; run again: {", ".join(again)}' if again else ''))

    def _leave(self):
        """At the prompt and for people again, if it can still be talked to."""
        if not self.met or self.ended and self.ended[0] is None:
            return
        try:
            self.talk.n = None
            yield from self.talk.command('json off', quiet=5.0, bare=True)
        except (Cut, Stop, Silent, Restarted, Trouble):
            self.note('the machine could not be left with `json off`')
