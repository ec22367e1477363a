# SPDX-License-Identifier: BSD-2-Clause
"""terminal - `shootdown console`: the kernel's shell on this terminal

The machine's serial line comes to a TCP port of this program, which QEMU and Bochs both
can do; what is typed goes there byte by byte, and what comes is shown and kept in
serial.log.  Ctrl-] ends the machine and this program.  Without a terminal each line of
standard input is a command, and the end of it is `halt`.
"""
import contextlib
import os
import re
import select
import socket
import sys
import termios
import tty

import kernel
import machine
import options
import process
import report
import run
import status
from status import Trouble

QUIT = b'\x1d'
PROMPT = b'shootdown> '
CONNECT = 60              # seconds until the machine must have brought its line


class Line:
    """A machine with its serial line at hand."""

    def __init__(self, chosen, job):
        listener = socket.create_server(('127.0.0.1', 0))
        listener.settimeout(1)
        job.port = listener.getsockname()[1]
        machine.clean(job)
        argv, env = chosen.prepare(job)
        with open(job.scratch / 'stdout', 'wb') as out, \
                open(job.scratch / 'stderr', 'wb') as err:
            self.child = process.Process(argv, job.scratch, env, out, err)
        with listener:
            self.socket = self._accept(listener, chosen, job)

    def _accept(self, listener, chosen, job):
        for _ in range(CONNECT):
            with contextlib.suppress(TimeoutError):
                return listener.accept()[0]
            if self.child.ended():
                break
        self.child.kill()
        said = chosen.complaint(job, self.child.popen.returncode).text
        raise Trouble(f'{chosen.name} did not bring its serial line.  {said}')

    def ended(self, seconds):
        """The exit code, if the machine ends within so many seconds."""
        return self.child.kill() if self.child.wait(seconds) else None

    def close(self):
        self.socket.close()
        return self.child.kill()


@contextlib.contextmanager
def raw(fd):
    """Keys as they come, and no signal made of any."""
    if not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


class Relay:
    """Keys go to the machine, what it says goes to the terminal and into `log`."""

    def __init__(self, line, log, keys):
        self.line, self.log, self.keys = line, log, keys
        self.terminal = os.isatty(keys)
        self.last = b''
        # What comes before the machine listens would be lost: a person sees that.
        self.sources = [line.socket] + [keys] * self.terminal

    def run(self):
        """Until the machine closes the line, or the user has had enough."""
        while True:
            ready = select.select(self.sources, [], [])[0]
            if self.line.socket in ready and not self._hear():
                return
            if self.keys in ready and not self._type():
                return

    def _hear(self):
        try:
            data = self.line.socket.recv(1 << 16)
        except ConnectionError:
            return False
        self.log.write(data)
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        self.last = (self.last + data)[-len(PROMPT):]
        if self.last == PROMPT and len(self.sources) == 1 and not self.terminal:
            self.sources.append(self.keys)
        return bool(data)

    def _type(self):
        """Without a terminal a line at a time, each when the shell asks for it."""
        data = os.read(self.keys, 1 << 12) if self.terminal else _line(self.keys)
        if QUIT in data and self.terminal:
            return False
        if not self.terminal:
            self.sources.remove(self.keys)
        with contextlib.suppress(ConnectionError):
            self.line.socket.sendall(data)
        return True


def _line(fd):
    """A line of a file, as one types it; at its end `halt`."""
    data = b''
    while not data.endswith(b'\n'):
        byte = os.read(fd, 1)
        if not byte:
            return data + b'\r' if data else b'halt\r'
        data += byte
    return data[:-1] + b'\r'


def told(path):
    """The status in the last end record of a log; PASS where nothing was run."""
    ends = re.findall(r'^@\{"type":"end","status":(\d+)',
                      path.read_text(errors='replace'), re.M)
    return int(ends[-1]) if ends else status.PASS


def prepare(argv):
    """(machine, job): what is selected, and a shell after it."""
    args = options.parse(argv)
    args.on = args.on or 'tcg'
    chosen, job = run.plan(args, run.image(args))
    job.cmdline += ' console'
    return chosen, job


def main(argv):
    chosen, job = prepare(argv)
    busy = f'another run uses {job.results}; give this one --results DIR'
    with kernel.locked(job.results / '.lock', busy):
        report.say('Ctrl-] ends the machine; Ctrl-C stops a run in it')
        line = Line(chosen, job)
        try:
            with open(job.serial, 'wb') as log, raw(sys.stdin.fileno()):
                Relay(line, log, sys.stdin.fileno()).run()
            code = line.ended(1)
        finally:
            line.close()
    if code is None:
        return status.INTERRUPTED
    good = code == chosen.exit_code(told(job.serial))
    return told(job.serial) if good else status.CRASH


if __name__ == '__main__':
    status.finish(main)
