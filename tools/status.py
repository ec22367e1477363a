# SPDX-License-Identifier: BSD-2-Clause
"""status - what an exit status of the runner means

One number says how a run ended; every tool takes it from here.  Trouble is what
the user can mend (a wrong word, a missing program): it becomes one sentence and
USAGE, never a traceback.
"""
import os
import signal
import sys

PASS = 0          # all passed, or failed as expected
FAIL = 1          # a test did not hold
USAGE = 2         # the command line or the set-up
CRASH = 3         # the kernel crashed, or its evidence contradicts itself
TIMEOUT = 4       # nothing ended the machine in time
NOTHING = 5       # only skips, or nothing conclusive
INTERRUPTED = 130

MEANING = {
    PASS: 'all passed, or failed as expected',
    FAIL: 'a test failed',
    USAGE: 'the command line or the set-up has to be mended',
    CRASH: 'a crash, or a log that cannot be believed',
    TIMEOUT: 'the machine did not end in time',
    NOTHING: 'only skips, or nothing conclusive',
    INTERRUPTED: 'interrupted',
}


class Trouble(Exception):
    """A sentence for the user; the run ends with USAGE."""


def _give_up_output():
    """What is still buffered can go nowhere: spare the interpreter the attempt."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(sentence):
    """Say on the other stream why it ends; what was printed before comes first."""
    try:
        sys.stdout.flush()
    except OSError:
        _give_up_output()
    print(f'shootdown: {sentence}', file=sys.stderr)
    return USAGE


def _interrupt(*_):
    raise KeyboardInterrupt


def finish(main):
    """Run main() as a program: Trouble becomes a sentence, signals clean up."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except Trouble as trouble:
        code = _refuse(trouble)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        _give_up_output()                # the reader has gone
        code = 128 + signal.SIGPIPE
    except OSError as error:             # a full disk, a folder that is none
        code = _refuse(error)
    sys.exit(code)
