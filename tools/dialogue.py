# SPDX-License-Identifier: BSD-2-Clause
"""dialogue - the talk with the kernel's console, without any input or output

A talk is a generator.  It yields what is to be done (Send these bytes, Listen until
then, ...) and is sent what came of it; whoever drives it owns the line and the clock
(tools/port.py), so that a test plays an hour of talk in a millisecond.

The console's words are docs/console.md's: a prompt without a newline, records that
begin with '@', and after each command a `done` record with a running number.  That
number is how a second talker on the same line is noticed.
"""
import json
import math
import re
from collections import deque, namedtuple
from dataclasses import dataclass, field

from status import Trouble

PROMPT = b'shootdown> '
STOP = b'\x03'                # ends a run; drops what was typed at the prompt
ENTER = b'\r'
ESCAPE = re.compile(rb'\x1b\[[0-9;?]*[ -/]*[@-~]')     # what a line editor prints
BANNER = re.compile(r'# shootdown \d')
TEXT = re.compile(rb'[\t -~]*')
LONGEST = 1 << 16             # bytes without a newline that no kernel prints
ODD_LEAST, ODD_SHARE = 64, 0.3      # a line with more odd bytes is set up wrongly
POKES, POKE_WAIT = 3, 3.0     # how often a silent line is asked, and for how long
RESENDS = 5                   # of lines that the machine could not read, and did not run
QUIET = 20.0                  # seconds in which a command has to say something

Send = namedtuple('Send', 'data')
Listen = namedtuple('Listen', 'until')            # -> (bytes, time); b'' at `until`
Pause = namedtuple('Pause', 'until')              # -> the same, deaf meanwhile
Reopen = namedtuple('Reopen', '')                 # -> None, or why it failed
Cycle = namedtuple('Cycle', '')                   # -> None, or why it failed
Token = namedtuple('Token', 'kind text record')   # prompt, record, line or garbled


class Cut(Exception):
    """The line is gone: thrown into the talk by its driver."""


class Stop(Exception):
    """The user wants to end: thrown into the talk by its driver."""


class Silent(Exception):
    """Nothing came in time."""


class Overdue(Exception):
    """The machine talks, and yet does not come to an end."""


class Restarted(Exception):
    """The boot banner was seen again."""


class Lines:
    """Cuts the stream into tokens, and counts the bytes that no kernel sends."""

    def __init__(self):
        self.rest = b''
        self.total = self.odd = 0          # bytes since the last thing understood

    def feed(self, data):
        self.total += len(data)
        self.odd += len(re.findall(rb'[^\t\r\n\b\x07\x1b -~]', data))
        *whole, self.rest = (self.rest + data).split(b'\n')
        tokens = [token for raw in whole for token in self._line(raw)]
        if len(self.rest) > LONGEST:
            tokens += self._line(self.rest)
            self.rest = b''
        prompts, self.rest = self._prompts(self.rest)
        return tokens + prompts

    def noise(self):
        """Is this what a line at another speed sounds like?"""
        return self.odd > ODD_LEAST and self.odd > ODD_SHARE * self.total

    def _prompts(self, raw):
        """The prompts that a line begins with, and the rest of it."""
        found = []
        while (bare := ESCAPE.sub(b'', raw).lstrip(b'\r')).startswith(PROMPT):
            found.append(Token('prompt', '', None))
            raw = bare[len(PROMPT):]
            self.total = self.odd = 0
        return found, raw

    def _line(self, raw):
        prompts, raw = self._prompts(raw)
        raw = raw.strip(b'\r')
        if not raw:
            return prompts
        text = raw.decode('ascii', errors='backslashreplace')
        record = self._record(text) if text.startswith('@') else None
        if not TEXT.fullmatch(raw) or text.startswith('@') and record is None:
            return [*prompts, Token('garbled', text, None)]
        self.total = self.odd = 0
        return [*prompts, Token('record' if record else 'line', text, record)]

    def _record(self, text):
        try:
            record = json.loads(text[1:])
        except (ValueError, RecursionError):
            return None
        return record if isinstance(record, dict) and record else None


def starts(token):
    """Is this what a kernel says first of all?"""
    return token.kind == 'line' and BANNER.match(token.text) is not None


def bad_done(token):
    """A done record that is none: bent, and still JSON."""
    record = token.record or {}
    return record.get('type') == 'done' and not (
        isinstance(record.get('command'), str) and type(record.get('n')) is int)


@dataclass
class Reply:
    """What a command printed, and its done record (None: it came garbled)."""
    done: dict = None
    tokens: list = field(default_factory=list)
    garbled: int = 0

    def records(self, kind):
        return [t.record for t in self.tokens if t.record and t.record.get('type') == kind]

    def unread(self):
        """Did the machine refuse the line itself, for bytes lost or bent?"""
        return self.done is not None and self.done['command'] == ''

    def refused(self):
        """Why the command was not carried out, or None."""
        if self.done is None or self.done.get('ok') is True:
            return None
        lines = [t.text.lstrip('# ') for t in self.tokens if t.kind == 'line']
        return str(self.done.get('error') or ' '.join(lines[:1]) or 'no reason given')


class Talk:
    """One conversation; `now` is the driver's clock as of its last answer."""

    def __init__(self, now=0.0):
        self.lines, self.tokens = Lines(), deque()
        self.now, self.heard = now, now     # heard: when bytes came last
        self.resent = 0                     # lines that it could not read
        self.n = None                       # the last done record's number, if known

    def hear(self, until):
        """The next token, or None at `until`."""
        while not self.tokens:
            if self.now >= until:
                return None
            data, self.now = yield Listen(until)
            if data:
                self.heard = self.now
                self.tokens.extend(self.lines.feed(data))
        return self.tokens.popleft()

    def rest(self, seconds):
        """Wait, whatever is said meanwhile."""
        until = self.now + seconds
        while (yield from self.hear(until)):
            pass

    def fresh(self):
        """Another line, or another boot: nothing of the old one counts."""
        self.lines, self.n = Lines(), None
        self.tokens.clear()
        self.heard = self.now

    def until_prompt(self, limit, quiet, take=None):
        """True at the prompt, False after `quiet` seconds without a byte or at `limit`."""
        self.heard = self.now
        while self.now < limit:
            token = yield from self.hear(min(limit, self.heard + quiet))
            if token is None and self.now >= self.heard + quiet:
                return False
            if token and take:
                take(token)
            if token and token.kind == 'prompt':
                return True
        return False

    def reach_prompt(self, seconds, pokes=POKES):
        """Bring the machine to its prompt, whatever it is doing."""
        limit, silent = self.now + seconds, 0
        while self.now < limit:
            yield Send(STOP + ENTER)
            begin = self.now
            if (yield from self.until_prompt(limit, POKE_WAIT)):
                return
            if self.lines.noise():
                raise Trouble('only garbage arrives: is the line at 115200 8N1, and the '
                              'machine too?')
            silent = 0 if self.heard > begin else silent + 1
            if silent >= pokes:
                raise Silent('it does not answer')
        raise Overdue('the machine talks, but comes to no prompt; its last words: '
                      + repr(self.lines.rest[-60:].decode('ascii', 'backslashreplace')))

    def await_boot(self, seconds):
        """Listen until a machine that starts is at its prompt.

        Nothing is sent before its banner is seen: a key stops many a boot loader.
        """
        limit, banner = self.now + seconds, False
        while self.now < limit:
            token = yield from self.hear(min(limit, self.now + POKE_WAIT))
            if token and token.kind == 'prompt':
                return
            banner = banner or bool(token and starts(token))
            if token is None and banner and self.now >= self.heard + POKE_WAIT:
                yield Send(STOP + ENTER)
        raise Silent(f'there was no prompt within {seconds:.0f} s of its start')

    def sync(self):
        """From a prompt to records, and to a done record whose number is known."""
        why = 'no answer to it'
        for _ in range(POKES):
            self.n = None
            try:
                reply = yield from self.command('json on', quiet=POKE_WAIT)
            except Silent:
                yield Send(STOP + ENTER)
                continue
            why = reply.refused()
            if not why:
                return
        raise Trouble(f'a prompt, but the kernel does not know `json on`: {why}')

    def command(self, words, quiet=QUIET, take=None, limit=None, bare=False):
        """Send a command and hear it out, until the prompt; the Reply.

        `take` gets each token.  quiet may be a function: it is asked each time.  A
        `bare` command needs no done record: after `json off` there may be none.
        """
        reply = yield from self._sent(words)
        while True:
            wait = quiet() if callable(quiet) else quiet
            token = yield from self.hear(min(self.heard + wait, limit or math.inf))
            if self.lines.noise():
                raise Silent('only garbage arrives')
            if token is None:
                if limit is not None and self.now >= limit:
                    raise Overdue(words)
                if self.now >= self.heard + wait:
                    raise Silent(words)
                continue
            reply.tokens.append(token)
            reply.garbled += token.kind == 'garbled' or bad_done(token)
            if self._is_done(words, token):
                reply.done = token.record
            if take:
                take(token)
            if starts(token):
                raise Restarted(words)
            lost = reply.garbled and self.n is not None
            if token.kind != 'prompt' or not (reply.done or lost or bare):
                continue
            self._count(reply)
            if not reply.unread() or self.resent >= RESENDS:
                return reply
            self.resent += 1
            reply = yield from self._sent(words)

    def _sent(self, words):
        yield Send(words.encode() + ENTER)
        self.heard = self.now
        return Reply()

    def _count(self, reply):
        if reply.done:
            n = reply.done.get('n')
            self.n = n if type(n) is int else None
        elif self.n is not None:
            self.n += 1

    def _is_done(self, words, token):
        """Is it our command's?  Trouble if it is a stranger's."""
        if not token.record or token.record.get('type') != 'done' or bad_done(token):
            return False
        command, n = token.record.get('command'), token.record.get('n')
        mine = command == words.split()[0]
        if self.n is None:
            return mine
        if command == '' and n == self.n + 1:
            return True                      # it could not read the line: Reply.unread
        if not mine and n == self.n + 1:
            raise Trouble(f'the machine understood `{command}` where we sent '
                          f'`{words.split()[0]}`: the line bends what is sent')
        if not mine or n != self.n + 1:
            raise Trouble(f'somebody else talks to the machine on this line: `{command}` '
                          f'is done as its command {n}, where our `{words.split()[0]}` '
                          f'would be command {self.n + 1}')
        return True
