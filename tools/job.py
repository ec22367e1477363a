# SPDX-License-Identifier: BSD-2-Clause
"""job - what a machine is asked to run, and what it answers to a probe

A job's files lie in its results folder, scratch files in its sub-folder machine/,
and the emulator runs there with relative names: two jobs in different folders share
nothing, and a blank or comma in a path never reaches an emulator's configuration.
"""
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Job:
    elf: Path
    cmdline: str
    results: Path
    cpus: int = 4
    mem: int = 256                    # MiB
    boot: str = 'direct'              # one of ways.WAYS
    modules: list = field(default_factory=list)      # (path, "NAME ARGS")
    model: str = None                 # the emulator's CPU model; None: its best
    deterministic: bool = False       # one CPU at a time, by instructions counted
    seconds: int = 0                  # that it lasts by its own clock; 0: not by time
    pins: tuple = ()                  # the host's CPU for each of its CPUs; (): any
    port: int = 0                     # TCP, that it brings its serial line to; 0: a file

    @property
    def serial(self):
        return self.results / 'serial.log'

    @property
    def scratch(self):
        return self.results / 'machine'


@dataclass(frozen=True)
class Check:
    """One thing that a probe looked at: what should be, is it, and if not, what to do."""
    what: str
    good: bool
    said: str = ''
    mend: str = ''


@dataclass(frozen=True)
class Probe:
    usable: bool
    reason: str
    mend: str = ''
    checks: tuple = ()                # up to the first that failed

    @classmethod
    def of(cls, checks, reason):
        """From checks that are made one by one: none is made after one that fails."""
        done = []
        for check in checks:
            done.append(check)
            if not check.good:
                return cls(False, check.said, check.mend, tuple(done))
        return cls(True, reason, checks=tuple(done))


@dataclass(frozen=True)
class Complaint:
    """What the emulator itself said; started: had the machine begun to run?"""
    text: str = ''
    started: bool = True
