# SPDX-License-Identifier: BSD-2-Clause
"""kernel - where the kernel's image lies, and how it is made

make decides what is out of date.  A lock keeps two runs that start together from
building into one folder at the same time.
"""
import contextlib
import fcntl
import os
import subprocess
from pathlib import Path

from status import Trouble

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ('checked', 'fast')


def image(build):
    return ROOT / 'build' / build / 'shootdown.elf'


def disk_loader():
    """The boot record for disk images; every make leaves it."""
    return ROOT / 'build' / 'boot' / 'disk.bin'


@contextlib.contextmanager
def locked(path, busy=None):
    """Hold path's lock; wait for it, or complain with `busy` when it is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise Trouble(busy) from None
        yield


def make(build):
    """Bring the image up to date; return its path."""
    if build not in BUILDS:
        raise Trouble(f'no build is called {build}; there are: {", ".join(BUILDS)}')
    argv = ['make', f'-j{os.cpu_count() or 1}', f'BUILD={build}']
    with locked(ROOT / 'build' / '.lock'):
        try:
            done = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except FileNotFoundError:
            raise Trouble('make is missing: apt-get install make') from None
    if done.returncode != 0:
        tail = done.stdout.decode(errors='replace').splitlines()[-40:]
        raise Trouble('\n'.join([f'`{" ".join(argv)}` failed:', *tail]))
    if not image(build).is_file():
        raise Trouble(f'`{" ".join(argv)}` made no {image(build).relative_to(ROOT)}')
    return image(build)
