# SPDX-License-Identifier: BSD-2-Clause
"""fake_machine - plays a script: {"serial", "pieces", "code", "end", "child", ...}

A piece is text, a list of byte values, or a number of seconds to wait.  "end" is
exit (the default), hang or kill.  "child" names a file that gets the number of a
child which would outlive us; "stderr" is what we say there.
"""
import json
import os
import signal
import subprocess
import sys
import time


def play(script):
    with open(script['serial'], 'wb', buffering=0) as serial:
        for piece in script['pieces']:
            if isinstance(piece, (int, float)):
                time.sleep(piece)
            else:
                serial.write(piece.encode() if isinstance(piece, str) else bytes(piece))


def main():
    with open(sys.argv[1]) as file:
        script = json.load(file)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)       # as Bochs does
    if 'child' in script:
        child = subprocess.Popen(['sleep', '60'])
        with open(script['child'], 'w') as file:
            file.write(str(child.pid))
    sys.stderr.write(script.get('stderr', ''))
    sys.stderr.flush()
    play(script)
    if script.get('end') == 'hang':
        time.sleep(60)
    if script.get('end') == 'kill':
        os.kill(os.getpid(), signal.SIGSEGV)
    sys.exit(script['code'])


if __name__ == '__main__':
    main()
