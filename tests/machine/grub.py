# SPDX-License-Identifier: BSD-2-Clause
"""grub - Bochs boots the image from a GRUB ISO by multiboot2, and runs a guest"""
from bench import Checks, Run


def main():
    checks = Checks()
    run = Run('bochs-grub', '--on', 'bochs', '--boot', 'grub', '--cpus', 4,
              'run=boot/*,vmx/hello')
    checks.equal(run.status, 0, 'status', run)
    checks.equal(run.boot().get('loader'), 'multiboot2', 'loader', run)
    checks.all_cpus(run, 4)
    checks.verdicts(run)
    checks.finish()


if __name__ == '__main__':
    main()
