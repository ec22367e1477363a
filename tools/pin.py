# SPDX-License-Identifier: BSD-2-Clause
"""pin - a CPU of the host for each CPU of the machine

A CPU that the host's scheduler moves, or lets wait for another, stretches every race
and figure by milliseconds.  QEMU has a thread for each CPU and tells its number by QMP;
each is bound to a CPU of the host, one of each core before a core's second.  Where
there are too few, none is bound: two bound to one would be worse than none.
"""
import json
import os
import socket
import time
from pathlib import Path

from status import Trouble

SOCKET = 'qmp'                # in the folder that QEMU runs in
PATIENCE = 30                 # seconds for QEMU to answer
POLL = 0.02
TOPOLOGY = 'sys/devices/system/cpu'


class Unpinned(Exception):
    """Why the CPUs are not bound."""


def cpu_list(text):
    """The numbers in the kernel's list format: "0-2,7" is 0, 1, 2, 7."""
    numbers = []
    for part in text.strip().split(','):
        first, _, last = part.partition('-')
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def siblings(cpu, root='/'):
    """The hardware threads of this one's core; itself alone if the host does not say."""
    path = Path(root, TOPOLOGY, f'cpu{cpu}', 'topology', 'thread_siblings_list')
    try:
        return tuple(cpu_list(path.read_text()))
    except (OSError, ValueError):
        return (cpu,)


def order(allowed, root='/'):
    """(these CPUs, one of each core first; how many cores they are of)."""
    rank, taken = {}, {}
    for cpu in sorted(allowed):
        core = siblings(cpu, root)
        rank[cpu] = taken[core] = taken.get(core, -1) + 1
    return sorted(rank, key=lambda cpu: (rank[cpu], cpu)), len(taken)


def allowed():
    """The CPUs that this process may use: its affinity, within its cgroup's cpuset."""
    return os.sched_getaffinity(0)


def choose(machine, args, usable=None, root='/'):
    """(the host's CPU of each CPU, or (), and a line to say, or '').

    Without --pin and --no-pin the machine decides, and too few CPUs are no fault.
    """
    if args.pin and args.no_pin:
        raise Trouble('--pin and --no-pin contradict each other')
    threads = getattr(machine, 'threads', False) and not args.deterministic
    if args.pin and not threads:
        raise Trouble(f'--pin: all CPUs of {machine.name} are one thread here')
    if args.no_pin or not threads or not (args.pin or machine.pins):
        return (), ''
    cpus, cores = order(usable or allowed(), root)
    if len(cpus) < args.cpus:
        few = (f'{args.cpus} CPUs, but {len(cpus)} of the host that this process may '
               'use')
        if args.pin:
            raise Trouble(f'--pin: {few}')
        return (), f'not pinned: {few}'
    place = 'a core each' if args.cpus <= cores else f'hardware threads of {cores} cores'
    cpus = tuple(cpus[:args.cpus])
    return cpus, f'pinned: {place}, {" ".join(map(str, cpus))}'


class Qmp:
    """QEMU's control socket, in `folder`; every call ends by `deadline`."""

    def __init__(self, folder, deadline, alive):
        self.deadline, self.alive = deadline, alive
        self.socket, self.rest = self._connect(folder), b''
        self._until('QMP')                  # the greeting
        self.execute('qmp_capabilities')

    def _late(self):
        if not self.alive():
            raise Unpinned('QEMU has ended')
        if time.monotonic() > self.deadline:
            raise Unpinned(f'QEMU has not answered for {PATIENCE} s')

    def _connect(self, folder):
        """By way of the folder's descriptor: a socket's path has at most 108 bytes."""
        where = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            while True:
                end = socket.socket(socket.AF_UNIX)
                end.settimeout(POLL)
                try:
                    end.connect(f'/proc/self/fd/{where}/{SOCKET}')
                    return end
                except OSError:
                    end.close()
                self._late()
                time.sleep(POLL)
        finally:
            os.close(where)

    def _line(self):
        while b'\n' not in self.rest:
            try:
                piece = self.socket.recv(1 << 16)
            except TimeoutError:
                self._late()
                continue
            except OSError as error:
                raise Unpinned(f'QMP: {error}') from None
            if not piece:
                raise Unpinned('QEMU has closed its control socket')
            self.rest += piece
        line, _, self.rest = self.rest.partition(b'\n')
        return line

    def _until(self, key):
        """The value of the first answer with that key; events are passed over."""
        while True:
            try:
                answer = json.loads(self._line())
            except ValueError as error:
                raise Unpinned(f'QMP: {error}') from None
            if key in answer:
                return answer[key]
            if 'error' in answer:
                raise Unpinned(f'QMP: {answer["error"].get("desc")}')

    def execute(self, command):
        try:
            self.socket.sendall(json.dumps({'execute': command}).encode() + b'\n')
        except OSError as error:
            raise Unpinned(f'QMP: {error}') from None
        return self._until('return')

    def close(self):
        self.socket.close()


def thread_ids(folder, alive):
    """The thread of each CPU, by the CPU's number."""
    qmp = Qmp(folder, time.monotonic() + PATIENCE, alive)
    try:
        rows = qmp.execute('query-cpus-fast')
    finally:
        qmp.close()
    return [row['thread-id'] for row in sorted(rows, key=lambda row: row['cpu-index'])]


def pin(folder, cpus, alive):
    """Bind the threads of the QEMU that runs in `folder`; Unpinned if that fails."""
    threads = thread_ids(folder, alive)
    if len(set(threads)) != len(cpus):
        raise Unpinned(f'QEMU has {len(set(threads))} threads for {len(cpus)} CPUs')
    try:
        for thread, cpu in zip(threads, cpus):
            os.sched_setaffinity(thread, {cpu})
            if os.sched_getaffinity(thread) != {cpu}:
                raise Unpinned(f'the host does not keep a thread on its CPU {cpu}')
    except OSError as error:
        raise Unpinned(f'the host does not bind a thread: {error}') from None
