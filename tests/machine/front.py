# SPDX-License-Identifier: BSD-2-Clause
"""front - what the image says of itself without running, and selecting by it

The names in the image's catalogue are those that the kernel runs: each protocol can be
selected, and what does not exist is refused with a list before a machine starts.
"""
import subprocess

from bench import ROOT, Checks, Run

SOME = {'gen-smr', 'gen-slot', 'smr-seq', 'request', 'always', 'gen-ipi', 'local-only'}
HIDDEN = {'vmx/module', 'bench/costs', 'proto/soak', 'proto/protect_read_4k'}


def listed():
    """{kind: names} as `shootdown list` prints them."""
    out = subprocess.run([ROOT / 'shootdown', 'list'], capture_output=True, text=True,
                         check=True).stdout
    names = {}
    for line in out.splitlines():
        kind, name = line.split()[:2]
        names.setdefault(kind, set()).add(name)
    return names


def main():
    checks = Checks()
    names = listed()
    protocols = names.get('proto', set())
    checks.check(protocols >= SOME, 'list: the protocols')
    for proto in sorted(protocols):
        run = Run(f'front-{proto}', '--on', 'bochs', '--cpus', 2, 'iters=40',
                  f'proto={proto}')
        checks.equal(run.status, 0, f'proto={proto}: status', run)
        checks.equal({t['proto'] for t in run.tests}, {proto},
                     f'proto={proto}: nothing else runs', run)
        missing = {t['name'] for t in run.tests} - names['test']
        checks.equal(missing, set(), f'proto={proto}: every test is listed', run)
    everything = Run('front-all', '--on', 'bochs', '--cpus', 2, 'iters=40')
    hidden = {n for n in names['test'] - {t['name'] for t in everything.tests}
              if not n.startswith('selftest/')}
    checks.equal(hidden, HIDDEN, 'all listed tests run, but for the hidden ones',
                 everything)
    for word, shows in (('proto=gen-nix', 'gen-smr'), ('run=nix/*', 'vmx/hello')):
        refused = Run('front-refused', '--on', 'bochs', word)
        checks.equal(refused.status, 2, f'{word}: status', refused)
        checks.check(shows in refused.out, f'{word}: lists what exists', refused)
    checks.finish()


if __name__ == '__main__':
    main()
