# SPDX-License-Identifier: BSD-2-Clause
"""same_seed - in Bochs the same seed gives the same log, and another seed another

The logs are compared byte by byte.  Every log holds its own seed, so for two seeds
the measured figures are compared: were they equal too, the seed would do nothing.
"""
from bench import Checks, Run

SELECTION = ('run=proto/*', 'iters=50')


def figures(run):
    return [(test['name'], test['proto'], test['witnesses'], test['ticks'])
            for test in run.tests]


def main():
    checks = Checks()
    runs = [Run(f'seed-{i}', '--on', 'bochs', '--cpus', 4, '--seed', seed, *SELECTION)
            for i, seed in enumerate((7, 7, 8))]
    for run in runs:
        checks.equal(run.status, 0, f'{run.words}: status', run)
        checks.check(len(run.tests) > 1, f'{run.words}: has results', run)
    checks.check(runs[0].serial and runs[0].serial == runs[1].serial,
                 'the same seed gives the same log')
    checks.check(figures(runs[0]) != figures(runs[2]),
                 'another seed gives other figures')
    checks.finish()


if __name__ == '__main__':
    main()
