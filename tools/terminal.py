# SPDX-License-Identifier: BSD-2-Clause
"""terminal - `shootdown console`: the kernel's shell on this terminal

The machine's serial line comes to a TCP port of this program, which QEMU and Bochs both
can do; what is typed goes there byte by byte, and what comes is shown and kept in
serial.log.  Ctrl-] ends the machine and this program.  Without a terminal, standard
input is what is typed; the shell's `halt` then ends it.
"""
import contextlib
import os
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


def relay(line, log, keys):
    """Until the machine closes the line, or the user has had enough."""
    sources = [line.socket, keys]
    while True:
        for source in select.select(sources, [], [])[0]:
            if source is line.socket:
                try:
                    data = line.socket.recv(1 << 16)
                except ConnectionError:
                    data = b''
                if not data:
                    return
                log.write(data)
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
                continue
            data = os.read(keys, 1 << 12)
            if QUIT in data:
                return
            if not data:
                sources.remove(keys)
            with contextlib.suppress(ConnectionError):
                line.socket.sendall(data.replace(b'\n', b'\r')
                                    if not os.isatty(keys) else data)


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
                relay(line, log, sys.stdin.fileno())
            code = line.ended(process.GRACE)
        finally:
            line.close()
        known = {chosen.exit_code(s): s for s in reversed(status.MEANING)}
        return known.get(code, status.CRASH) if code is not None else status.INTERRUPTED


if __name__ == '__main__':
    status.finish(main)
