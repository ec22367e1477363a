# SPDX-License-Identifier: BSD-2-Clause
"""shootdown_driver - Shootdown's console as a driver of labgrid

Binds to a console and, if the target has one, to its power; what it does over them is
what `shootdown serial` does over a line.  In a test of labgrid's pytest plugin:

    def test_unmap(target):
        driver = target.get_driver('ShootdownDriver')
        outcome = driver.run(['run=proto/unmap*'], 'results')
        assert outcome.status == 0, outcome.sentence

The environment imports this file; lab/example.yaml shows one.
"""
import contextlib
import sys
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import attr
from labgrid.driver import Driver
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from pexpect import TIMEOUT

sys.path.append(str(Path(__file__).resolve().parents[1] / 'tools'))
import outcome                                                     # noqa: E402
import portlock                                                    # noqa: E402
import serial_run                                                  # noqa: E402
import units                                                       # noqa: E402
from dialogue import Cut                                           # noqa: E402
from status import Trouble                                         # noqa: E402


class ConsolePort:
    """labgrid's console as tools/port.py has a line."""

    def __init__(self, console):
        self.console = console

    def read(self, seconds):
        end = time.monotonic() + seconds
        data = self._guard(self._read, seconds)
        if not data:                     # some come back at once, with nothing
            time.sleep(max(0.0, min(0.05, end - time.monotonic())))
        return data

    def _read(self, seconds):
        try:
            return self.console.read(size=1, timeout=seconds) or b''
        except (TIMEOUT, BlockingIOError):
            return b''

    def write(self, data):
        self._guard(self.console.write, data)

    def _guard(self, call, *args):
        """Each kind of console has errors of its own: they are all a cut line."""
        try:
            return call(*args)
        except Exception as error:
            raise Cut(f'{type(error).__name__}: {error}') from None

    def open(self):
        """Again; a console without open() has its line from its power."""
        if hasattr(self.console, 'open'):
            self._guard(self.console.close)
            self._guard(self.console.open)

    def close(self):
        """labgrid closes what it has opened."""


def line_of(console):
    """(name, address) of the line that must have one talker, as tools/portlock.py's."""
    resource = getattr(console, 'port', None)
    host, port = getattr(resource, 'host', None), getattr(resource, 'port', None)
    if isinstance(port, str):
        return port, None
    return (f'{host}:{port}', (host, port)) if host and port else None


@dataclass
class Outcome:
    status: int            # as `shootdown run` ends with
    sentence: str
    tests: list            # as in results.jsonl


@target_factory.reg_driver
@attr.s(eq=False)
class ShootdownDriver(Driver):
    """Args: as the options of `shootdown serial`, in seconds and counts."""
    bindings = {'console': ConsoleProtocol, 'power': {PowerProtocol, None}}
    heartbeat = attr.ib(default=30, validator=attr.validators.instance_of(int))
    boot_timeout = attr.ib(default=300, validator=attr.validators.instance_of(int))
    timeout = attr.ib(default=3600, validator=attr.validators.instance_of(int))
    power_cycles = attr.ib(default=3, validator=attr.validators.instance_of(int))
    elf = attr.ib(default=None)

    def cycle(self):
        """None, or why the power could not be cycled."""
        try:
            self.power.cycle()
        except Exception as error:       # the backends of labgrid raise many kinds
            return f'{type(error).__name__}: {error}'
        return None

    def _switch_on(self):
        try:
            if self.power:
                self.power.on()
        except Exception as error:
            raise Trouble(f'labgrid: the power cannot be switched on: '
                          f'{type(error).__name__}: {error}') from None

    @Driver.check_active
    def run(self, words, results, show=lambda *event: None, stop=lambda: False, elf=None):
        """Run a selection, leave its files in the folder `results`: an Outcome.

        Trouble for a machine that does not answer or a selection that it lacks.
        """
        folder, line = Path(results).absolute(), line_of(self.console)
        args = Namespace(
            selection=units.read(words), results=folder, heartbeat=self.heartbeat,
            boot_timeout=self.boot_timeout, timeout=self.timeout, reconnects=5,
            power_cycle=self.power, power_cycles=self.power_cycles)
        serial_run.clean(folder)
        with portlock.locked(*line) if line else contextlib.nullcontext():
            self._switch_on()
            session = serial_run.visit(ConsolePort(self.console), args,
                                       self.cycle if self.power else None, stop, show)
        code = serial_run.leave(session, folder, elf or self.elf)
        return Outcome(code, outcome.decide(session)[1], outcome.Story(session).tests)
