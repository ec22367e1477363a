# SPDX-License-Identifier: BSD-2-Clause
"""dnsmasq - the server of a network boot: its configuration, its run, what it says

As a proxy it adds the name of a boot file to the answers of the network's own DHCP
server, which stays as it is (PXE 2.1, section 2.2.3); with `dhcp` it gives addresses
itself.  What a client gets depends on what it says of itself: option 93, its
architecture (RFC 4578 and its list at IANA: 0 a BIOS; 7 and 9 UEFI on x64), and
option 175, which only iPXE sends.  iPXE in UEFI gets GRUB as well, because it loads
no multiboot kernel there.
"""
import re
import subprocess

import process
from status import Trouble

BIOS, EFI = (0,), (7, 9)
ARCHITECTURES = {0: 'BIOS', 6: '32-bit UEFI', 7: 'UEFI', 9: 'UEFI', 11: 'Arm UEFI',
                 15: 'BIOS by HTTP', 16: 'UEFI by HTTP'}
TITLE = 'Shootdown'
HEAD = '''port=0
interface={name}
bind-interfaces
except-interface=lo
keep-in-foreground
pid-file=
log-facility=-
log-dhcp
user={user}
group={group}
enable-tftp={name}
tftp-root={root}
dhcp-match=set:ipxe,175
'''


def _proxy(face, files):
    """A list of services by number of architecture, each of one choice: no menu."""
    network = face.network
    yield f'dhcp-range={network.network_address},proxy,{network.netmask}'
    if 'ipxe' in files:
        yield f'pxe-service=tag:ipxe,0,"{TITLE}",{files["ipxe"]}'
    unless = 'tag:!ipxe,' if 'ipxe' in files else ''
    yield f'pxe-service={unless}0,"{TITLE}",{files["bios"]}'
    for number in EFI:
        yield f'pxe-service={number},"{TITLE}",{files["uefi"]}'


def _dhcp(face, files, leases):
    first, last = face.lease_range()
    yield f'dhcp-range={first},{last},{face.network.netmask},1h'
    yield f'dhcp-leasefile={leases}'
    yield 'dhcp-option=option:router'    # empty: none
    yield 'dhcp-option=option:dns-server'
    for tag, numbers in (('bios', BIOS), ('efi', EFI)):
        for number in numbers:
            yield f'dhcp-match=set:{tag},option:client-arch,{number}'
    if 'ipxe' in files:
        yield f'dhcp-boot=tag:bios,tag:ipxe,{files["ipxe"]}'
    unless = ',tag:!ipxe' if 'ipxe' in files else ''
    yield f'dhcp-boot=tag:bios{unless},{files["bios"]}'
    yield f'dhcp-boot=tag:efi,{files["uefi"]}'


def config(face, root, owner, files, leases=None):
    """The configuration.

    files: bios, uefi, and ipxe if that is to get a script, each in the tree at root.
    With the name of a file for leases, addresses are given.
    """
    user, group = owner
    head = HEAD.format(name=face.name, user=user, group=group, root=root)
    rest = _dhcp(face, files, leases) if leases else _proxy(face, files)
    return head + '\n'.join(rest) + '\n'


def check(path):
    """dnsmasq reads the file and serves nothing; Trouble with what it says."""
    try:
        done = subprocess.run(['dnsmasq', '--test', f'--conf-file={path}'],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, errors='replace')
    except FileNotFoundError:
        raise Trouble('dnsmasq is missing: apt-get install dnsmasq-base') from None
    if done.returncode:
        raise Trouble(f'dnsmasq refuses {path}: {done.stdout.strip()}')


class Digest:
    """From dnsmasq's log to lines for a person: who asked, and what was sent."""

    def __init__(self, root):
        self.root, self.asking, self.last = f'{root}/', {}, None

    def feed(self, line):
        """The line to show for this line of the log, or None."""
        for pattern, reader in READERS:
            if match := pattern.search(line):
                text = reader(self, *match.groups())
                if text == self.last:
                    return None          # a client asks some times over
                self.last = text or self.last
                return text
        return None

    def _vendor(self, xid, arch):
        number = int(arch)
        self.asking[xid] = [ARCHITECTURES.get(number, f'architecture {number}')]

    def _user(self, xid):
        self.asking.setdefault(xid, []).append('iPXE')

    def _asks(self, xid, mac):
        what = self.asking.pop(xid, None)
        return f'{mac} asks: {", ".join(what)}' if what else None

    def _name(self, path):
        return path.removeprefix(self.root)

    def _sent(self, path, client):
        if re.search(r'\.(mod|lst)$', path):
            return None
        return f'{client} got {self._name(path)}'

    def _failed(self, path, client):
        return f'{client} did not get {self._name(path)}'

    def _absent(self, path, client):
        if re.search(r'/grub\.cfg-|\.mod$', path):
            return None                  # GRUB asks by addresses first
        return f'{client} asks for {self._name(path)}, which is not there'


READERS = (
    (re.compile(r': (\d+) vendor class: PXEClient:Arch:(\d{5})'), Digest._vendor),
    (re.compile(r': (\d+) user class: iPXE'), Digest._user),
    (re.compile(r': (\d+) (?:PXE|DHCPDISCOVER)\(.*?\) (?:[\d.]+ )?((?:[\da-f]{2}:){5}'
                r'[\da-f]{2})'), Digest._asks),
    (re.compile(r'tftp\[\d+\]: sent (.*) to (\S+)$'), Digest._sent),
    (re.compile(r'tftp\[\d+\]: failed sending (.*) to (\S+)$'), Digest._failed),
    (re.compile(r'tftp\[\d+\]: file (.*) not found for (\S+)$'), Digest._absent),
)


def _guard(group):
    """Ends the server if this program is killed itself, by the end of its pipe.

    PR_SET_PDEATHSIG does not: it is forgotten as the server gives up root.
    """
    return subprocess.Popen(['sh', '-c', 'read -r _; kill -KILL "-$0"', str(group)],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True)


def serve(path, say):
    """Run the server until it ends, which it should not, or until an interrupt.

    say(line) takes each line of its log.  Returns its exit code.
    """
    child = process.Process(['dnsmasq', '--keep-in-foreground', f'--conf-file={path}'],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    guard = _guard(child.popen.pid)
    try:
        for line in child.popen.stderr:
            say(line.decode(errors='replace').rstrip('\n'))
    finally:
        code = child.kill()
        guard.kill()                     # it must not outlive the group's number
        guard.wait()
    return code
