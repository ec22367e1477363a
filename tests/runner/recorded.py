# SPDX-License-Identifier: BSD-2-Clause
"""recorded - hosts as folders: what the probe of kvm would find there

hosts/NAME has the files that it reads, a program `qemu` with QEMU's answer, and ABOUT,
which says whether it was recorded or written by hand.  dev/kvm is a plain file whose
words say how the device would be: "opens" or an errno or "file", and its mode.
"""
import errno
from pathlib import Path

from kvm import Host

HOSTS = Path(__file__).resolve().parent / 'hosts'


class Recorded(Host):
    def __init__(self, name):
        super().__init__(HOSTS / name, str(HOSTS / name / 'qemu'))

    def _device(self, path):
        how, mode = self.text(path).split()
        return how, int(mode.removeprefix('mode='), 8)

    def is_device(self, path):
        return self._device(path)[0] != 'file'

    def open_error(self, path):
        how, _ = self._device(path)
        return 0 if how == 'opens' else getattr(errno, how)

    def for_group(self, path):
        return self._device(path)[1] & 0o060 == 0o060
