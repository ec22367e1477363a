# SPDX-License-Identifier: BSD-2-Clause
"""port - the line to a machine: a device, a TCP socket or a URL; and who drives a talk

Three kinds of line look alike here: read() gives what came within a time, and anything
that goes wrong is a Cut.  drive() is the one place where a talk (tools/dialogue.py)
meets the clock.
"""
import fcntl
import os
import re
import select
import socket
import subprocess
import termios
import time

import dialogue
from dialogue import Cut, Stop
from status import Trouble

SLICE = 0.25                  # seconds after which a signal is noticed at the latest
CONNECT, WRITE = 10.0, 30.0
POWER_LIMIT = 120             # seconds that a power command may take
ADDRESS = re.compile(r'(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})')
SCHEMES = ('socket://', 'rfc2217://', 'spy://', 'loop://', 'hwgrep://', 'alt://')


def address(text):
    """(host, port) of HOST:PORT or [IPV6]:PORT, or None if it is no such thing."""
    match = ADDRESS.fullmatch(text)
    if not match or not 0 < int(match[3]) < 65536:
        return None
    return match[1] or match[2], int(match[3])


def place(where):
    """The (host, port) that a line is at, also by a URL, or None for a device."""
    match = re.match(r'(?:socket|rfc2217)://([^/?]+)', where)
    return address(match[1] if match else where)


class SocketPort:
    """Raw TCP: conserver, ser2net, socat, an emulator's socket."""

    def __init__(self, where):
        self.where, self.sock = where, None
        self.open()

    def open(self):
        self.close()
        try:
            self.sock = socket.create_connection(self.where, timeout=CONNECT)
        except OSError as error:
            raise Cut(str(error)) from None
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def _there(self):
        if self.sock is None:
            raise Cut('it is not open')

    def read(self, seconds):
        self._there()
        try:
            ready, _, _ = select.select([self.sock], [], [], seconds)
            data = self.sock.recv(1 << 16) if ready else None
        except OSError as error:
            raise Cut(str(error)) from None
        if data == b'':
            raise Cut('the other end has closed it')
        return data or b''

    def write(self, data):
        self._there()
        try:
            self.sock.settimeout(WRITE)
            self.sock.sendall(data)
        except OSError as error:
            raise Cut(str(error)) from None

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None


def _pyserial():
    try:
        import serial
    except ImportError:
        raise Trouble('the Python module serial is missing: apt-get install '
                      'python3-serial') from None
    return serial


class SerialPort:
    """A device, or a URL of pyserial's, at 8N1."""

    def __init__(self, where, baud, rtscts):
        self.serial, self.where = _pyserial(), where
        self.options = {'baudrate': baud, 'rtscts': rtscts}
        if not where.startswith('rfc2217'):              # which does not know it
            self.options['write_timeout'] = WRITE
        self.line = None
        self.open()

    def open(self):
        self.close()
        self.line = self._guard(self._open)

    def _guard(self, call, *args):
        try:
            return call(*args)
        except (OSError, ValueError, termios.error) as error:   # SerialException is one
            raise Cut(str(error)) from None

    def _open(self):
        line = self.serial.serial_for_url(self.where, timeout=SLICE, **self.options)
        if '://' not in self.where:
            fcntl.ioctl(line.fileno(), termios.TIOCEXCL)
        return line

    def read(self, seconds):
        """SLICE is as long as it waits: to RFC 2217 another time is a negotiation."""
        return self._guard(self._read)

    def _there(self):
        if self.line is None:
            raise Cut('it is not open')

    def _read(self):
        self._there()
        data = self.line.read(1)
        return data + self.line.read(self.line.in_waiting) if data else b''

    def write(self, data):
        self._guard(self._write, data)

    def _write(self, data):
        self._there()
        self.line.write(data)

    def close(self):
        if self.line is not None:
            try:
                self.line.close()
            except (OSError, termios.error):
                pass                    # a device that is gone
        self.line = None


def open_port(where, baud, rtscts):
    """The line that `where` names; Trouble if it cannot be opened at all."""
    try:
        if where.startswith(SCHEMES) or where.startswith('/'):
            if where.startswith('/') and not os.path.exists(where):
                raise Trouble(f'there is no device {where}')
            return SerialPort(where, baud, rtscts)
        if to := address(where):
            return SocketPort(to)
    except Cut as cut:
        raise Trouble(f'cannot open {where}: {cut}') from None
    raise Trouble(f'{where} is no line: it is a device (/dev/ttyS0), HOST:PORT, or a URL '
                  '(socket://, rfc2217://)')


def power(command):
    """Run the user's power command; None, or why it failed."""
    try:
        done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=POWER_LIMIT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    last = done.stdout.decode(errors='replace').strip().splitlines()[-1:]
    return f'exit code {done.returncode}' + ''.join(f': {line}' for line in last)


class Driver:
    """Carries out what a talk yields.

    `log` gets every byte that came, `cycle` cycles the power and returns None or why
    it failed, `stop` tells that the user wants to end (once: it is asked and cleared).
    """

    def __init__(self, line, log, cycle=None, stop=lambda: False, clock=time.monotonic):
        self.line, self.log, self.cycle = line, log, cycle
        self.stop, self.clock = stop, clock

    def run(self, talk):
        """Drive the generator to its end."""
        action = self._step(talk.send, None)
        while action is not None:
            try:
                answer = self._do(action)
            except (Cut, Stop) as what:
                action = self._step(talk.throw, what)
            else:
                action = self._step(talk.send, answer)

    def _step(self, resume, value):
        try:
            return resume(value)
        except StopIteration:
            return None

    def _do(self, action):
        if isinstance(action, dialogue.Send):
            return self.line.write(action.data)
        if isinstance(action, dialogue.Listen):
            return self._listen(action.until)
        if isinstance(action, dialogue.Pause):
            return self._pause(action.until)
        if isinstance(action, dialogue.Cycle):
            return self.cycle() if self.cycle else 'there is no power command'
        return self._reopen()

    def _listen(self, until):
        while True:
            if self.stop():
                raise Stop()
            left = until - self.clock()
            data = self.line.read(max(0.0, min(left, SLICE)))
            if data:
                self.log.write(data)
                self.log.flush()
            if data or left <= 0:
                return data, self.clock()

    def _pause(self, until):
        while (left := until - self.clock()) > 0:
            if self.stop():
                raise Stop()
            time.sleep(min(left, SLICE))
        return b'', self.clock()

    def _reopen(self):
        try:
            self.line.open()
        except Cut as cut:
            return str(cut)
        return None
