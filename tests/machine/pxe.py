# SPDX-License-Identifier: BSD-2-Clause
"""pxe - `pxe.py bios|uefi`: machines boot from `shootdown pxe`, over a network

A real dnsmasq serves in a namespace of its own, and QEMU's firmware asks it: iPXE and
GRUB on a BIOS, UEFI's own PXE client, each beside another DHCP server and without one.
Each boot ends in a kernel that has run its tests.
"""
import shutil
import signal
import subprocess
import sys
import time

import netns
from bench import RESULTS, ROOT, Checks

sys.path.insert(0, str(ROOT / 'tools'))
import process                                     # noqa: E402
from judge import Judge, decide                    # noqa: E402
from qemu import Tcg                               # noqa: E402

BOOT, READY = 240, 240        # seconds until a boot is given up, or a server
WORDS = ('run=boot/*', '--exit', 'qemu')
FIRMWARE = '/usr/share/OVMF/OVMF_{}_4M.fd'
SITE = '''port=0
interface=net0
bind-interfaces
keep-in-foreground
pid-file=
log-facility=-
log-dhcp
user=root
dhcp-range=10.77.0.100,10.77.0.150,1h
dhcp-leasefile={}
'''
# Who boots; options of the server; what it must say of the client, what it sends; by
# which format the kernel is loaded.
CASES = {
    'bios': (('e1000', (), 'BIOS, iPXE', 'boot.ipxe', 'multiboot1'),
             ('virtio-net-pci', ('--dhcp', '--no-ipxe'), 'BIOS, iPXE',
              'boot/grub/i386-pc/core.0', 'multiboot2')),
    'uefi': (('virtio-net-pci', (), 'UEFI', 'boot/grub/x86_64-efi/core.efi',
              'multiboot2'),
             ('virtio-net-pci', ('--dhcp',), 'UEFI', 'boot/grub/x86_64-efi/core.efi',
              'multiboot2'),
             ('e1000', ('--no-ipxe',), 'BIOS, iPXE', 'boot/grub/i386-pc/core.0',
              'multiboot2'),
             ('e1000', ('--dhcp',), 'BIOS, iPXE', 'boot.ipxe', 'multiboot1')),
}


class Child:
    """A program in a namespace, and its output in a file."""

    def __init__(self, place, name, argv, folder, where='server'):
        self.path = folder / f'{name}.log'
        with open(self.path, 'wb') as out:
            self.process = process.Process(place.inside(where, argv), folder, None, out,
                                           subprocess.STDOUT)

    @property
    def out(self):
        return self.path.read_text(errors='replace')

    def says(self, text):
        """Wait for the text; False if it does not come."""
        deadline = time.monotonic() + READY
        while text not in self.out and time.monotonic() < deadline:
            if self.process.ended():
                break
            time.sleep(process.POLL)
        return text in self.out

    def stop(self):
        """As a person does; the exit code, None if it had to be killed."""
        self.process.popen.send_signal(signal.SIGTERM)
        ended = self.process.wait(60)
        code = self.process.kill()
        return code if ended else None


def server(place, folder, *options, name='server'):
    return Child(place, name, [ROOT / 'shootdown', 'pxe', '--no-install', '--iface',
                                   'net0', '--tftp', folder / 'tftp', *options, *WORDS],
                 folder)


def site(place, folder):
    """The DHCP server that a network has anyway."""
    conf = folder / 'site.conf'
    conf.write_text(SITE.format(folder / 'site.leases'))
    return Child(place, 'site', ['dnsmasq', '-k', f'--conf-file={conf}'], folder,
                 'site')


def machine(card, uefi, folder):
    """A QEMU machine that has nothing to boot from but its network card."""
    argv = ['qemu-system-x86_64', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-M',
            'q35', '-smp', '2', '-m', '512', '-no-reboot', '-display', 'none',
            '-monitor', 'none', '-vga', 'none', '-serial', 'file:serial.log',
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-netdev',
            'tap,id=n,ifname=tap0,script=no,downscript=no']
    rom = ''
    if uefi:
        shutil.copyfile(FIRMWARE.format('VARS'), folder / 'vars.fd')
        argv += ['-drive', 'if=pflash,format=raw,readonly=on,file='
                 + FIRMWARE.format('CODE'), '-drive',
                 'if=pflash,format=raw,file=vars.fd', '-device', 'virtio-rng-pci']
        rom = ',romfile='                # the firmware's own client, not iPXE
    return argv + ['-device', f'{card},netdev=n,bootindex=1{rom}']


def boot(place, folder, argv):
    """(judge, sentence, status) of one boot."""
    judge, serial = Judge(), folder / 'serial.log'
    serial.write_bytes(b'')
    with open(folder / 'qemu.log', 'wb') as out:
        child = process.Process(place.inside('lan', argv), folder, None, out,
                                subprocess.STDOUT)
        try:
            ended = child.wait(BOOT)
        finally:
            code = child.kill()
    judge.expect_loader()
    judge.feed(serial.read_bytes())
    judge.close()
    ending = process.Ending('exited' if ended else 'timeout', code)
    status, sentence, _ = decide(judge, ending, Tcg().exit_code)
    return judge, sentence, status


def check(checks, place, case):
    card, options, client, first, loader = case
    what = ' '.join((client, card, first.rpartition('/')[2], *options))
    folder = RESULTS / 'pxe'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    others = [] if '--dhcp' in options else [site(place, folder)]
    good = all(other.says('sockets bound') for other in others)
    children = [server(place, folder, *options), *others]
    try:
        if checks.check(good and children[0].says('ready:'), f'{what}: serves',
                        children[0]):
            judge, sentence, status = boot(place, folder,
                                           machine(card, client == 'UEFI', folder))
            checks.equal((status, (judge.boot or {}).get('loader')), (0, loader),
                         f'{what}: {sentence}', children[0])
            for text in (f'asks: {client}\n', f'got {first}\n',
                         'got boot/shootdown.elf\n'):
                checks.check(text in children[0].out, f'{what}: {text.strip()}',
                             children[0])
            other = server(place, folder, '--dry-run', name='other')
            checks.check(other.process.wait(READY) and 'taken by dnsmasq' in other.out,
                         f'{what}: a second server is refused', other)
    finally:
        codes = [child.stop() for child in children]
    checks.equal(codes[0], 0, f'{what}: ends when it is told to', children[0])
    checks.equal(place.others('server'), [], f'{what}: leaves nothing behind')


def refusals(checks, place, folder):
    """What is wrong is said before anything is built or served."""
    nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    place.ip('server', 'link', 'add', 'name', 'bare', 'type', 'bridge')
    rows = (([], ('--iface', 'nix0'), 'no network interface nix0.  There are: net0'),
            ([], ('--iface', 'lo'), 'loopback'),
            ([], ('--iface', 'bare'), 'bare is down'),
            ([], (), '--iface is missing'),
            ([], ('--iface', 'net0', 'run=nix/*'), 'matches nothing'),
            ([], ('--iface', 'net0', 'exit=halt'), 'exit= is set by the runner'),
            ([], ('--iface', 'net0', '--tftp', folder / 'a,b'), 'comma'),
            (nobody, ('--iface', 'net0'), 'for root'))
    for who, words, says in rows:
        child = Child(place, 'refused', [*who, ROOT / 'shootdown', 'pxe',
                                         '--no-install', *words], folder)
        ended = child.process.wait(READY)
        checks.equal((child.process.kill() if ended else None, says in child.out),
                     (2, True), f'refused, and why: {says}', child)
    place.ip('server', 'link', 'set', 'bare', 'up')
    child = Child(place, 'refused', [ROOT / 'shootdown', 'pxe', '--no-install',
                                     '--iface', 'bare'], folder)
    checks.check(child.process.wait(READY) and 'has no IPv4 address' in child.out,
                 'refused, and why: no address', child)
    other = site(place, folder)
    checks.check(other.says('sockets bound'), 'another DHCP server', other)
    for words, status, says in ((['--dhcp'], 2, '10.77.0.2 gives addresses on net0'),
                                ([], 0, 'DHCP server: 10.77.0.2\n')):
        child = server(place, folder, '--dry-run', *words)
        ended = child.process.wait(READY)
        checks.equal((child.process.kill() if ended else None, says in child.out),
                     (status, True), f'beside it: {says.strip()}', child)
    other.stop()
    child = server(place, folder, '--dry-run')
    ended = child.process.wait(READY)
    checks.equal(child.process.kill() if ended else None, 0, 'a dry run', child)
    checks.check('no DHCP server answers on net0' in child.out, 'without one: a note',
                 child)
    checks.equal(place.others('server'), [], 'a dry run starts nothing')


def main(which):
    reason = netns.impossible()
    if reason:
        print(f'skipped: {reason}\n0 passed, 0 failed, 1 skipped')
        return
    checks, place = Checks(), netns.Network()
    try:
        if which == 'bios':
            folder = RESULTS / 'pxe'
            folder.mkdir(parents=True, exist_ok=True)
            refusals(checks, place, folder)
        for case in CASES[which]:
            check(checks, place, case)
    finally:
        place.close()
    checks.finish()


if __name__ == '__main__':
    main(sys.argv[1])
