# SPDX-License-Identifier: BSD-2-Clause
"""lan - a network interface, and the ports that a boot server needs on it

Everything is asked of the kernel itself (netdevice(7), udp(7), proc(5)), so that no
tool is needed for a check, and of the network namespace that this program is in.
"""
import errno
import fcntl
import ipaddress
import os
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from status import Trouble

SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFNETMASK = 0x8913, 0x8915, 0x891B
IFF_UP, IFF_LOOPBACK, IFF_RUNNING = 1 << 0, 1 << 3, 1 << 6
# Of RFC 2131 (DHCP), RFC 1350 (TFTP), and PXE 2.1, section 2.2 (boot server discovery).
PORTS = {67: 'DHCP', 69: 'TFTP', 4011: 'PXE'}
LEASES = 100                  # addresses at most that --dhcp gives away


@dataclass(frozen=True)
class Interface:
    name: str
    address: ipaddress.IPv4Interface
    carrier: bool

    @property
    def own(self):
        """The address of this machine."""
        return self.address.ip

    @property
    def network(self):
        return self.address.network

    def lease_range(self):
        """The first and the last address for others: the longer side of our own."""
        first, last = self.network[1], self.network[-2]
        if int(self.own) - int(first) > int(last) - int(self.own):
            last = self.own - 1
        else:
            first = self.own + 1
        return max(first, last - (LEASES - 1)), last


def names():
    return sorted(name for _, name in socket.if_nameindex())


def _ioctl(request, name):
    """The 16 bytes of struct ifreq behind the name; None if there is no such thing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        ifreq = struct.pack('16s24x', os.fsencode(name))
        try:
            return fcntl.ioctl(sock, request, ifreq)[16:32]
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, errno.ENODEV):
                return None
            raise


def _ipv4(request, name):
    answer = _ioctl(request, name)
    return answer and ipaddress.IPv4Address(answer[4:8])


def _usable():
    """A list of the interfaces that could be taken, for a sentence."""
    rows = []
    for name in names():
        address = _ipv4(SIOCGIFADDR, name)
        if address and not address.is_loopback:
            rows.append(f'{name} ({address})')
    return ', '.join(rows) or 'none has an IPv4 address'


def interface(name):
    """The Interface of this name; Trouble if it cannot serve."""
    if name not in names():
        raise Trouble(f'there is no network interface {name}.  There are: {_usable()}')
    flags, = struct.unpack('H', _ioctl(SIOCGIFFLAGS, name)[:2])
    if flags & IFF_LOOPBACK:
        raise Trouble(f'{name} is the loopback: nobody boots from it')
    if not flags & IFF_UP:
        raise Trouble(f'{name} is down: ip link set {name} up')
    address, mask = (_ipv4(what, name) for what in (SIOCGIFADDR, SIOCGIFNETMASK))
    if not address:
        raise Trouble(f'{name} has no IPv4 address, for example: '
                      f'ip addr add 10.77.0.1/24 dev {name}')
    found = ipaddress.IPv4Interface(f'{address}/{mask}')
    if found.network.prefixlen > 29:
        raise Trouble(f'{name} has {found}: its network has no room for a client')
    return Interface(name, found, bool(flags & IFF_RUNNING))


def _sockets(port):
    """The inodes of the UDP sockets bound to the port."""
    inodes = set()
    for table in ('/proc/net/udp', '/proc/net/udp6'):
        if os.path.exists(table):
            for line in Path(table).read_text().splitlines()[1:]:
                words = line.split()
                if int(words[1].rpartition(':')[2], 16) == port:
                    inodes.add(words[9])
    return inodes


def _holders(inodes):
    """'NAME (PID)' of each process that has one of the sockets open."""
    wanted = {f'socket:[{inode}]' for inode in inodes}
    for process in Path('/proc').glob('[0-9]*'):
        try:
            links = {os.readlink(link) for link in (process / 'fd').iterdir()}
            if links & wanted:
                yield f'{(process / "comm").read_text().strip()} ({process.name})'
        except OSError:
            continue                     # it has ended, or it is not ours to look at


def _taken(name, port):
    """Does somebody hold the port on this interface?  None: may not be tried.

    Without SO_REUSEADDR the kernel refuses exactly if a socket that is bound to no
    interface, or to this one, has the port: a server on another interface is no
    matter.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                            os.fsencode(name))
            sock.bind(('', port))
        except PermissionError:
            return None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise Trouble(f'port {port} cannot be tried: {error}') from None
    return False


def check_ports(name):
    """Trouble if a port is taken; the notes of what could not be found out."""
    notes = []
    for port, what in PORTS.items():
        inodes = _sockets(port)
        taken = _taken(name, port)
        who = ', '.join(_holders(inodes)) or 'another process'
        if taken:
            raise Trouble(f'UDP port {port} ({what}) on {name} is taken by {who}; '
                          'stop it, or use another interface')
        if taken is None and inodes:
            notes.append(f'UDP port {port} ({what}) is used by {who}; only root can '
                         f'tell whether on {name}')
    return notes


def valid_path(path):
    """The path, if dnsmasq's configuration can hold it."""
    if re.search(r'[\s"\'#,\\]', str(path)):
        raise Trouble(f'dnsmasq cannot serve {path}: a blank, quote, comma, # or '
                      'backslash is in its name; see --tftp')
    return path
