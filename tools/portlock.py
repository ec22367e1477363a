# SPDX-License-Identifier: BSD-2-Clause
"""portlock - one talker a line

Two programs on one serial line each get half of the answers.  A device is locked as
minicom, uucp and others do: /run/lock/LCK..NAME holds our process number, ten places
wide (FHS 3.0, 5.9).  A network address has no such custom; it gets a file of the same
form, keyed by the address that the name resolves to.  A lock whose process is gone is
taken over.
"""
import contextlib
import os
import re
import socket
import tempfile
from pathlib import Path

from status import Trouble

FOLDERS = ('/run/lock', '/var/lock')


def _folder():
    """Where locks are: one place for all users, if there is one."""
    for name in (*FOLDERS, os.environ.get('XDG_RUNTIME_DIR'), tempfile.gettempdir()):
        if name and os.path.isdir(name) and os.access(name, os.W_OK | os.X_OK):
            return Path(name)
    raise Trouble(f'no folder for a lock file can be written; {FOLDERS[0]} is the usual one')


def _resolved(host, port):
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
    except OSError:
        return host


def path(where, address=None, folder=None):
    """The lock file of a device or URL, or of address = (host, port)."""
    folder = folder or _folder()
    if address:
        host, port = address
        name = f'shootdown-{_resolved(host, port)}-{port}'
    elif where.startswith('/'):
        name = os.path.basename(os.path.realpath(where))
    else:
        name = 'shootdown-' + where
    return folder / ('LCK..' + re.sub(r'[^A-Za-z0-9_.:-]', '_', name))


def holder(file):
    """The living process that the lock names, or None; 0 if it names none we can read."""
    try:
        text = file.read_text(errors='replace').strip()
    except FileNotFoundError:
        return None
    except OSError:
        return 0
    if not re.fullmatch(r'[0-9]+', text.split()[0] if text else ''):
        return 0
    pid = int(text.split()[0])
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass                             # it lives, and is another user's
    return pid


def _take(file):
    """Write our number into a file of our own and link it to the name: atomic."""
    mine = file.with_name(f'{file.name}.{os.getpid()}')
    mine.write_text(f'{os.getpid():10}\n')
    try:
        os.link(mine, file)
    finally:
        mine.unlink()


def _command(pid):
    try:
        words = Path(f'/proc/{pid}/cmdline').read_bytes().split(b'\0')
    except OSError:
        return ''
    text = b' '.join(words[:3]).decode(errors='replace').strip()
    return f' ({text})' if text else ''


def _refuse(where, file, pid):
    who = f'process {pid}{_command(pid)}' if pid else 'somebody'
    raise Trouble(f'{where} is used by {who}: the lock is {file}')


@contextlib.contextmanager
def locked(where, address=None, folder=None):
    """Hold the line's lock, or Trouble that names who holds it."""
    file = path(where, address, folder)
    for _ in range(3):
        try:
            _take(file)
            break
        except FileExistsError:
            pid = holder(file)
            if pid is not None:
                _refuse(where, file, pid)
            file.unlink(missing_ok=True)     # its process is gone
        except OSError as error:
            raise Trouble(f'cannot lock {where}: {error}') from None
    else:
        _refuse(where, file, 0)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
