# SPDX-License-Identifier: BSD-2-Clause
"""dhcpask - is there a DHCP server on this network?

Broadcasts a DHCPDISCOVER (RFC 2131, section 3.1) and waits for an offer, which it does
not take.  By packet sockets, as port 68 may belong to this machine's own DHCP client.
"""
import fcntl
import os
import select
import socket
import struct
import time

IPV4, UDP = 0x0800, 17
SERVER, CLIENT = 67, 68
# Seconds after each try.  Servers look first whether the address is in use: dnsmasq
# pings it for 3 s.
TRIES, WAIT = 3, 2
SIOCGIFHWADDR = 0x8927
DISCOVER, END = b'\x35\x01\x01', b'\xff'
COOKIE = b'\x63\x82\x53\x63'
BOOTP = struct.Struct('!BBBBIHH4s4s4s4s16s64s128s4s')   # RFC 2131, section 2
BROADCAST_FLAG = 0x8000


def _sum(data):
    """The checksum of RFC 1071 over an even number of bytes."""
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def discover(mac, xid):
    """The IP packet of a DHCPDISCOVER; UDP's checksum is left out, as it may be."""
    none = bytes(4)
    bootp = BOOTP.pack(1, 1, len(mac), 0, xid, 0, BROADCAST_FLAG, none, none, none,
                       none, mac, b'', b'', COOKIE) + DISCOVER + END
    udp = struct.pack('!HHHH', CLIENT, SERVER, 8 + len(bootp), 0) + bootp
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 0, 0, 64, UDP, 0, none,
                       b'\xff' * 4)
    return head[:10] + struct.pack('!H', _sum(head)) + head[12:] + udp


def offer_from(packet, xid):
    """The address of the server whose answer to `xid` this IP packet is, or None."""
    if len(packet) < 20 or packet[0] >> 4 != 4 or packet[9] != UDP:
        return None
    udp = packet[(packet[0] & 15) * 4:]
    if len(udp) < 8 + BOOTP.size or struct.unpack('!HH', udp[:4]) != (SERVER, CLIENT):
        return None
    fields = BOOTP.unpack_from(udp, 8)
    if fields[0] != 2 or fields[4] != xid or fields[8] == bytes(4):
        return None                      # no answer, not to us, or without an address
    return socket.inet_ntoa(packet[12:16])


def _listen(sock, xid, until):
    while (left := until - time.monotonic()) > 0:
        if select.select([sock], [], [], left)[0]:
            if server := offer_from(sock.recv(4096), xid):
                return server
    return None


def server_on(name):
    """The address of a DHCP server on this interface, or None.  For root."""
    xid = int.from_bytes(os.urandom(4), 'big')
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4)) as sock:
        sock.bind((name, IPV4))
        ifreq = struct.pack('16s24x', os.fsencode(name))
        mac = fcntl.ioctl(sock, SIOCGIFHWADDR, ifreq)[18:24]
        for _ in range(TRIES):
            sock.sendto(discover(mac, xid), (name, IPV4, 0, 0, b'\xff' * 6))
            if server := _listen(sock, xid, time.monotonic() + WAIT):
                return server
    return None
