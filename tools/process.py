# SPDX-License-Identifier: BSD-2-Clause
"""process - one child from its start to its certain death

Emulators swallow SIGTERM and SIGINT, so only SIGKILL to the whole process group
is used.  The child leads a session of its own: a Ctrl-C reaches the runner and
not the emulator.  It is killed while it is still unreaped, so that the group's
number cannot belong to somebody else yet; and the kernel kills it when the
runner itself is killed (PR_SET_PDEATHSIG).
"""
import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass

POLL = 0.02                  # seconds between two looks at the serial log
GRACE = 10.0                 # from the kernel's last word to the machine's end
FLOOD = 256 << 20            # bytes of log that no sane run writes
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Ending:
    """How the machine ended: exited, timeout, stuck, flood, interrupted."""
    kind: str
    code: int = None
    seconds: float = 0.0


class Process:
    def __init__(self, argv, cwd=None, env=None, stdout=None, stderr=None):
        libc = ctypes.CDLL(None)         # loaded before the fork, not after it
        self.popen = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=stderr, start_new_session=True,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))

    def ended(self):
        """True once the child has exited; it stays unreaped until kill()."""
        if self.popen.returncode is not None:
            return True
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.popen.pid, flags) is not None

    def kill(self):
        """End the whole group and return the child's exit code."""
        if self.popen.returncode is None:
            try:
                os.killpg(self.popen.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass                     # only the zombie itself is left
        return self.popen.wait()

    def wait(self, seconds):
        """Wait for the end, at most so long; False if it still runs."""
        deadline = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL)
        return True


class Watch:
    """Reads a growing log and decides when the machine has to go."""

    def __init__(self, child, log, timeout, feed, last_word):
        self.child, self.log, self.feed, self.last_word = child, log, feed, last_word
        self.start = time.monotonic()
        self.deadline = self.start + timeout
        self.size, self.said = 0, False

    def pump(self):
        """Hand on what the log has gained."""
        while chunk := self.log.read(1 << 16):
            self.size += len(chunk)
            self.feed(chunk)
            if self.size > FLOOD:
                return

    def verdict(self, ended):
        """The reason to stop now, or None."""
        now = time.monotonic()
        if self.size > FLOOD:
            return 'flood'
        if ended:
            return 'exited'
        if self.last_word() and not self.said:
            self.said = True
            self.deadline = min(self.deadline, now + GRACE)
        if now < self.deadline:
            return None
        return 'stuck' if self.said else 'timeout'

    def run(self):
        while True:
            ended = self.child.ended()   # asked first: the read below is then whole
            self.pump()
            kind = self.verdict(ended)
            if kind:
                return kind
            time.sleep(POLL)


def watch(child, log, timeout, feed, last_word):
    """Feed the log to `feed` until the child is gone, by itself or by force.

    last_word() tells that the kernel has said all that it will say; a machine
    that does not end soon after that is stuck.
    """
    watching = Watch(child, log, timeout, feed, last_word)
    try:
        kind = watching.run()
    except KeyboardInterrupt:
        kind = 'interrupted'
    finally:
        code = child.kill()
    seconds = time.monotonic() - watching.start
    return Ending(kind, code if kind == 'exited' else None, seconds)
