# SPDX-License-Identifier: BSD-2-Clause
"""facts - run.json: what a result rests on, so that it can be judged years later

Which sources, which machine, which words: all that is needed to make the result again,
or to say that it was wrong (docs/results/FORMAT.md has each key).  What cannot be found
out is null, never a guess.
"""
import datetime
import functools
import hashlib
import json
import os
import platform
import re
import shlex
import subprocess
import sys

import kernel

FORMAT = 1                   # of run.json and of all files beside it
COMMANDS = {'run.py': 'run', 'costs.py': 'bench', 'zoo.py': 'zoo'}
# How each emulator is asked for its version, and what it answers.
VERSIONS = {
    'bochs': (['bochs', '--help'], r'(Bochs) x86 Emulator (\d[\w.]*)'),
    'tcg': (['qemu-system-x86_64', '--version'], r'(QEMU) emulator version (\d[\w.]*)'),
    'kvm': (['qemu-system-x86_64', '--version'], r'(QEMU) emulator version (\d[\w.]*)'),
}
SECONDS = 10                 # for any of the programs that are asked


def _said(argv):
    """What a program prints, or None when it cannot be asked or fails."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = (done.stdout + done.stderr).decode(errors='replace')
    return text if done.returncode == 0 or 'Bochs' in text else None


@functools.lru_cache
def emulator(name):
    """'Bochs 2.7' for 'bochs'; None for what is no emulator or does not say."""
    argv, form = VERSIONS.get(name, (None, None))
    found = argv and re.search(form, _said(argv) or '')
    return f'{found[1]} {found[2]}' if found else None


def commit(root=kernel.ROOT):
    """(hash, are the sources changed since?), or (None, None) where there is no git.

    A new file counts as a change, as the build takes all that it finds; one of docs/
    does not.
    """
    git = ['git', '--no-optional-locks', '-C', str(root)]
    name = _said([*git, 'rev-parse', 'HEAD'])
    changed = _said([*git, 'status', '--porcelain', '--', '.', ':!docs'])
    if name is None or changed is None:
        return None, None
    return name.strip(), bool(changed.strip())


def command(argv):
    """The words that a person would type to have this again."""
    name = COMMANDS.get(os.path.basename(argv[0]))
    words = ['./shootdown', name, *argv[1:]] if name else argv
    root = f'{kernel.ROOT}/'
    return shlex.join(str(word).replace(root, '') for word in words)


def now():
    """The date and time, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def _sha256(path):
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def common(kind):
    """What a run and a zoo have in common."""
    name, dirty = commit()
    return {'format': FORMAT, 'kind': kind, 'date': now(), 'commit': name, 'dirty': dirty,
            'command': command(sys.argv), 'system': f'{platform.system()} '
            f'{platform.release()} {platform.machine()}', 'cores': os.cpu_count()}


def of_run(job, machine, judge, code, sentence, ending):
    """Everything about one run, as it goes to run.json."""
    seed = re.search(r'(?:^| )seed=(\d+)', job.cmdline)
    boot = judge.boot or {}
    return {**common('run'), 'machine': machine, 'emulator': emulator(machine),
            'model': job.model, 'deterministic': job.deterministic,
            'cpus': job.cpus, 'mem': job.mem, 'boot': job.boot,
            'modules': [words for _, words in job.modules],
            'build': boot.get('build'), 'backend': boot.get('backend'),
            'cmdline': job.cmdline, 'seed': int(seed[1]) if seed else None,
            'image': _sha256(job.elf), 'status': code, 'sentence': sentence,
            'seconds': round(ending.seconds, 1),
            'facts': {key: value for key, value in (judge.machine or {}).items()
                      if key != 'type'} or None,
            'figures': [{key: value for key, value in row.items() if key != 'type'}
                        for row in judge.benches if 'responders' not in row]}


def write(folder, record):
    (folder / 'run.json').write_text(json.dumps(record, indent=1) + '\n')
