# SPDX-License-Identifier: BSD-2-Clause
"""fake_console - a machine behind a serial line that speaks the kernel's dialogue

It keeps a clock that it is told, so the same fake serves a simulated hour in a
millisecond (Simulation), and a socket or a pty in real time (Served).  Each way to go
wrong is a word in its `faults`.
"""
import contextlib
import heapq
import itertools
import os
import re
import select
import socket
import threading
import time
import tty

import dialogue
import units
from dialogue import Cut, Stop
from fakes import end, line, point, record
from units import title

TESTS = (('proto/remap', True, False), ('proto/unmap', True, False),
         ('selftest/hang', False, True), ('vmx/hello', False, False),
         ('vmx/walk', False, False))
PROTOS = (('gen-smr', True), ('gen-ipi', True), ('gen-slot', False))
TAKES, BEAT, BOOTS = 0.1, 2.0, 20.0          # seconds: of a test, a beat, a boot
DUMP = ['# CPU 0: rip and registers', '# rip 0xffffffff80101234']


class Console:
    """`faults`: {title of a unit: word}, for what happens when that unit runs."""

    def __init__(self, faults=None, bend=(), verdicts=None, takes=TAKES, boots=BOOTS,
                 at_prompt=True, strangers=(), stop_exits=True):
        self.faults, self.bend = dict(faults or {}), [list(rule) for rule in bend]
        self.verdicts, self.takes, self.boots = verdicts or {}, takes, boots
        self.strangers = list(strangers)     # commands after which a stranger's comes
        self.out, self.serial = [], itertools.count()
        self.n, self.json, self.typed = 0, False, b''
        self.now = self.at = 0.0
        self.running, self.dead, self.cut = None, False, False
        self.commands, self.cycles, self.stuck, self.deaf = [], 0, 0, 0
        self.garbage = self.single = False
        self.set = {'run': '', 'proto': '', 'seed': '1'}
        if at_prompt:
            self.prompt()

    # What it says, and when.

    def put(self, data):
        if self.garbage:
            data = bytes((b * 37 + 0x8d) & 0xff | 0x80 for b in data)
        pieces = [data[i:i + 1] for i in range(len(data))] if self.single else [data]
        for piece in pieces:
            self.at = max(self.at, self.now) + (0.0001 if self.single else 0)
            heapq.heappush(self.out, (self.at, next(self.serial), piece))

    def say(self, *lines):
        for text in lines:
            data = (text if isinstance(text, str) else line(text)).encode() + b'\r\n'
            for rule in self.bend:
                if rule[2] and re.search(rule[0], data):
                    data, rule[2] = re.sub(rule[0], rule[1], data), rule[2] - 1
            self.put(data)

    def prompt(self):
        self.put(b'shootdown> ')

    def wait(self, seconds):
        self.at = max(self.at, self.now) + seconds

    # What it hears.

    def write(self, data, now):
        self.now = now
        if self.cut:
            raise Cut('the fake line is cut')
        for byte in data if not self.dead else b'':
            self.byte(bytes([byte]))

    def byte(self, byte):
        if self.stuck:
            self.stuck -= byte == b'\x03'
            if not self.stuck:
                self.say('Bail out! CPU 0: stopped from the console', *DUMP)
                self.dead = True
        elif self.running:
            if byte == b'\x03':
                self.interrupt()
        elif byte == b'\x03':
            self.typed = b''
            self.put(b'\r\n')
            self.prompt()
        elif byte == b'\r':
            command, self.typed = self.typed.decode(), b''
            self.execute(command)
        else:
            self.typed += byte
            if not self.json:
                self.put(byte)

    def execute(self, text):
        if not self.json:
            self.put(b'\r\n')
        if not text:
            return self.prompt()
        if self.deaf and not text.startswith('json'):
            self.deaf -= 1
            return self.done('', 'a line of which bytes were lost is not run')
        self.commands.append(text)
        word, *rest = text.split()
        if word == 'run':
            return self.run(rest)
        error = None
        if word == 'json':
            self.json = rest == ['on']
        elif word == 'list':
            self.listing()
        elif word == 'set':
            self.say(*({'type': 'item', 'of': 'set', 'key': key, 'value': value}
                       for key, value in self.set.items()))
        else:
            error = f'no command {word}'
        self.done(word, error)

    def done(self, word, error=None):
        self.n += 1
        if word in self.strangers:
            self.strangers.remove(word)
            self.n += 1
        if self.json:
            self.say({'type': 'done', 'command': word, 'ok': not error, 'n': self.n,
                      **({'error': error} if error else {})})
        self.prompt()

    def listing(self):
        item = {'type': 'item', 'of': 'list'}
        for name, protocols, hidden in TESTS:
            self.say({**item, 'kind': 'test', 'name': name, 'protocols': protocols,
                      'hidden': hidden})
        for name, basic in PROTOS:
            self.say({**item, 'kind': 'proto', 'name': name, 'basic': basic})

    # A run.

    def selected(self, words):
        items = [{'kind': 'test', 'name': n, 'protocols': p, 'hidden': h}
                 for n, p, h in TESTS]
        items += [{'kind': 'proto', 'name': n, 'basic': b} for n, b in PROTOS]
        return units.Names(items).units(dict(word.split('=', 1) for word in words))

    def run(self, words):
        chosen = self.selected(words)
        self.running, self.results, self.met = chosen, [], []
        self.say({'type': 'run', 'n': 1}, 'KTAP version 1', f'1..{len(chosen)}')
        for number, unit in enumerate(chosen, 1):
            fault = self.faults.pop(title(unit), None)
            self.met.append((title(unit), fault))
            if fault and not self.fail(fault, unit):
                return
            self.wait(self.takes)
            self.result(number, unit, self.verdicts.get(title(unit), 'PASS'))
        self.finish()

    def result(self, number, unit, verdict, **more):
        test = record(unit.name, verdict, unit.proto, **more)
        self.results.append((self.at, number, test))
        figure = {'type': 'bench', 'name': unit.name, 'metric': 'm', 'value': 1,
                  'unit': 'clocks'}
        self.say('# a line for people', figure, point(number, title(unit), verdict), test)

    def finish(self, **more):
        tests = [test for _, _, test in self.results]
        seen = {test['verdict'] for test in tests}
        status = 1 if 'FAIL' in seen else 0 if seen & {'PASS', 'XFAIL'} else 5
        self.say(end(tests, status, **more))
        self.ends = self.at
        self.done('run')

    def interrupt(self):
        """Ctrl-C: forget what has not been said yet, and stop at the present test."""
        if self.now >= getattr(self, 'ends', 1e18):
            return
        self.out = [item for item in self.out if item[0] <= self.now]
        heapq.heapify(self.out)
        self.results = [r for r in self.results if r[0] <= self.now]
        self.at = self.now
        unit = self.running[len(self.results)]
        self.faults.update(self.met[len(self.results) + 1:])     # not come to yet
        self.result(len(self.results) + 1, unit, 'SKIP', why='stopped from the console')
        self.n -= getattr(self, 'ends', None) is not None    # that done was not said
        self.finish(stopped=True)
        self.running = None

    def fail(self, fault, unit):
        """What goes wrong in this unit; True if the run goes on nevertheless."""
        if fault in ('slow', 'wait'):
            for n in range(100):
                self.wait(BEAT)
                self.say({'type': 'beat', 'n': n, 'test': title(unit)})
            return True
        if fault == 'cut':
            self.say({'type': 'beat', 'n': 1, 'test': title(unit)})
            self.wait(0.05)
            self.put(b'@{"type":"te')
            heapq.heappush(self.out, (self.at, next(self.serial), Cut))
            return True
        if fault == 'quiet':                 # no word, but it hears Ctrl-C
            return False
        self.say({'type': 'beat', 'n': 1, 'test': title(unit)})
        if fault in ('bail', 'bail-dead', 'bail-cut'):
            self.say('Bail out! CPU 0: asked to', *DUMP)
        if fault == 'bail-cut':
            heapq.heappush(self.out, (self.at, next(self.serial), Cut))
        if fault == 'mad':                   # noise for hours
            self.dead = True
            for n in range(3000):
                self.wait(5)
                self.put(b'\xfe\xe0\x80x' * 9)
            return False
        if fault == 'stuck':                 # and says why at the second Ctrl-C
            self.stuck = 2
            return False
        self.dead = True
        if fault in ('bail', 'reset'):
            self.start()
        return False

    # Its power.

    def start(self):
        self.running, self.stuck = None, 0
        self.n, self.json, self.typed = 0, False, b''
        self.wait(self.boots)
        self.put(b'\x1b[2J\x1b[1;1HFirmware \xb3\r\n')
        self.wait(1)
        self.say('# shootdown 0.1', {'type': 'boot', 'version': '0', 'cpus': 4})
        self.prompt()
        self.dead_until = self.at

    def cycle(self, now):
        self.now = self.at = now
        self.out, self.dead = [], True
        self.cycles += 1
        self.start()

    def read(self, until, now):
        """(bytes, time) of the next that is said, b'' at `until`."""
        if self.cut:
            raise Cut('the fake line is cut')
        if not self.out or self.out[0][0] > until:
            self.now = max(now, until)
            self._wake()
            return b'', self.now
        when, _, data = heapq.heappop(self.out)
        self.now = max(now, when)
        self._wake()
        if data is Cut:
            self.cut = True
            raise Cut('the fake line is cut')
        return data, self.now

    def _wake(self):
        """A boot that is over can be typed at; so can a run that is over."""
        if self.dead and self.now >= getattr(self, 'dead_until', 1e18):
            self.dead, self.dead_until = False, 1e18
        if self.running and self.now >= getattr(self, 'ends', 1e18):
            self.running = None
            del self.ends


class Simulation:
    """Drives a session against a console by a clock of its own; stop_at: a Ctrl-C."""

    def __init__(self, console, reopens=True, stop_at=None, power=None):
        self.console, self.now, self.reopens = console, 0.0, reopens
        self.stop_at, self.power = stop_at, power
        self.sent = b''

    def run(self, talk):
        resume, value = talk.send, None
        while True:
            try:
                action = resume(value)
            except StopIteration:
                return
            try:
                resume, value = talk.send, self.do(action)
            except (Cut, Stop) as what:
                resume, value = talk.throw, what

    def do(self, action):
        if isinstance(action, dialogue.Send):
            self.sent += action.data
            return self.console.write(action.data, self.now)
        if isinstance(action, dialogue.Listen):
            return self.listen(action.until)
        if isinstance(action, dialogue.Pause):
            self.now = max(self.now, action.until)
            return b'', self.now
        if isinstance(action, dialogue.Cycle):
            if self.power:
                return self.power
            self.console.cycle(self.now)
            return None
        if self.reopens:
            self.console.cut = False
            return None
        return 'no route'

    def listen(self, until):
        if self.stop_at is not None and until >= self.stop_at:
            if self.now >= self.stop_at:
                self.stop_at = None
                raise Stop()
            data, self.now = self.console.read(self.stop_at, self.now)
        else:
            data, self.now = self.console.read(until, self.now)
        return data, self.now


class Served:
    """A console in real time, at a TCP port or at the far end of a pty."""

    def __init__(self, console, power=None):
        self.console, self.power = console, power      # a file: appears to cycle power
        self.begin, self.ended = time.monotonic(), threading.Event()
        self.connections = 0

    def tcp(self):
        """Listen; the address as HOST:PORT."""
        self.listener = socket.create_server(('127.0.0.1', 0))
        self._start(self._accept)
        return '127.0.0.1:{}'.format(self.listener.getsockname()[1])

    def pty(self):
        """Open a pty; the path of its near end."""
        self.listener, self.near = os.openpty()
        tty.setraw(self.near)
        self._start(self._play, self.listener)
        return os.ttyname(self.near)

    def _start(self, target, *args):
        self.worker = threading.Thread(target=target, args=args, daemon=True)
        self.worker.start()

    def close(self):
        self.ended.set()
        self.worker.join()
        if hasattr(self, 'near'):
            os.close(self.near)
            os.close(self.listener)
        else:
            self.listener.close()

    def _accept(self):
        self.listener.settimeout(0.02)
        while not self.ended.is_set():
            with contextlib.suppress(TimeoutError):
                connection = self.listener.accept()[0]
                self.connections += 1
                with connection:
                    connection.setblocking(True)
                    self._play(connection.fileno())

    def _play(self, fd):
        console = self.console
        console.cut = False
        with contextlib.suppress(OSError, Cut):
            while not self.ended.is_set():
                now = time.monotonic() - self.begin
                if self.power and self.power.exists():
                    self.power.unlink()
                    console.cycle(now)
                while data := console.read(now, now)[0]:
                    os.write(fd, data)
                if select.select([fd], [], [], 0.005)[0]:
                    data = os.read(fd, 4096)
                    if not data:
                        return
                    console.write(data, now)
