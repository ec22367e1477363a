# SPDX-License-Identifier: BSD-2-Clause
"""netns - a small network of namespaces, on which a machine boots as on a real one

    server            site              lan
      net0 10.77.0.1    net0 10.77.0.2    tap0 - the machine
        \\----------- bridge in lan ---------/

Each namespace lives as long as the process that holds it, which dies with this one:
nothing stays behind, whatever happens.  `server` has the boot server, `site` stands for
the DHCP server that a network already has.
"""
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench import ROOT

sys.path.insert(0, str(ROOT / 'tools'))
import process                                     # noqa: E402

ADDRESSES = {'server': '10.77.0.1/24', 'site': '10.77.0.2/24'}
HOLDER = 'sleep'


def impossible():
    """Why there can be no network here, or None."""
    if os.geteuid():
        return 'network namespaces are for root'
    for tool in ('ip', 'unshare', 'nsenter', 'dnsmasq'):
        if not shutil.which(tool):
            return f'{tool} is not installed'
    for argv in (['unshare', '--net', 'true'],
                 ['unshare', '--net', 'ip', 'tuntap', 'add', 'dev', 'tap0', 'mode',
                  'tap'],
                 ['unshare', '--net', 'ip', 'link', 'add', 'name', 'v0', 'type', 'veth',
                  'peer', 'name', 'v1']):
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            return f'`{" ".join(argv)}` is not permitted: {done.stderr.strip()}'
    return None


class Network:
    def __init__(self):
        self.holders = {name: process.Process(['unshare', '--net', HOLDER, 'infinity'])
                        for name in ('lan', *ADDRESSES)}
        for name, holder in self.holders.items():
            self._wait_for(holder)
            self.ip(name, 'link', 'set', 'lo', 'up')
        self.ip('lan', 'link', 'add', 'name', 'br0', 'type', 'bridge')
        self.ip('lan', 'link', 'set', 'br0', 'up')
        for name, address in ADDRESSES.items():
            self._join(name, address)
        self.ip('lan', 'tuntap', 'add', 'dev', 'tap0', 'mode', 'tap')
        self.ip('lan', 'link', 'set', 'tap0', 'master', 'br0', 'up')

    @staticmethod
    def _wait_for(holder):
        """Until it has left our namespace and become what it runs."""
        comm = Path(f'/proc/{holder.popen.pid}/comm')
        deadline = time.monotonic() + 60
        while comm.read_text().strip() != HOLDER:
            if holder.ended() or time.monotonic() > deadline:
                raise RuntimeError('a namespace does not come up')
            time.sleep(process.POLL)

    def _join(self, name, address):
        holder = str(self.holders[name].popen.pid)
        self.ip('lan', 'link', 'add', 'name', name, 'type', 'veth',
                'peer', 'name', 'net0', 'netns', holder)
        self.ip('lan', 'link', 'set', name, 'master', 'br0', 'up')
        self.ip(name, 'addr', 'add', address, 'dev', 'net0')
        self.ip(name, 'link', 'set', 'net0', 'up')

    def inside(self, name, argv):
        """The command that runs argv in that namespace."""
        return ['nsenter', '--net', f'--target={self.holders[name].popen.pid}',
                *map(str, argv)]

    def ip(self, name, *words):
        subprocess.run(self.inside(name, ['ip', *words]), check=True)

    def others(self, name):
        """The commands that run in that namespace, but for its holder."""
        pid = self.holders[name].popen.pid
        net = os.readlink(f'/proc/{pid}/ns/net')
        found = []
        for entry in Path('/proc').glob('[0-9]*'):
            try:
                if os.readlink(entry / 'ns/net') == net and entry.name != str(pid):
                    found.append((entry / 'comm').read_text().strip())
            except OSError:
                continue                 # it has ended
        return found

    def close(self):
        for holder in self.holders.values():
            holder.kill()
