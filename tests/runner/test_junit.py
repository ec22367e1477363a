# SPDX-License-Identifier: BSD-2-Clause
"""JUnit's XML of every kind of run, against tools/junit.xsd, by xmllint."""
import shutil
import subprocess
import unittest

import fakes
import report
import status
from fakes import Case, record
from folders import NASTY

HEAD = '<testsuite name="a" tests="1" failures="0" errors="0">'
CASE = '<testcase name="a" classname="b"'


@unittest.skipUnless(shutil.which('xmllint'), 'xmllint (libxml2-utils) is not installed')
class Schema(Case):
    def complaint(self, path):
        """What xmllint says of a file; '' when it is valid."""
        done = subprocess.run(['xmllint', '--noout', '--nonet', '--schema',
                               fakes.TOOLS / 'junit.xsd', path], capture_output=True,
                              text=True, timeout=60)
        return '' if done.returncode == 0 else done.stderr or 'status'

    def junit(self, tests, code, sentence='a sentence', lines=('a line',)):
        path = self.scratch / 'junit.xml'
        report.write_junit(path, tests, code, sentence, list(lines))
        return self.complaint(path)

    def test_runs_of_every_kind(self):
        each = [record(f't/{verdict}', verdict) for verdict in fakes.POINTS]
        for tests in ([], each, *([test] for test in each), [record('name')],
                      [{'name': 'a', 'verdict': 'PASS'}]):
            for code in status.MEANING:
                self.assertEqual(self.junit(tests, code), '', (tests, code))

    def test_any_bytes(self):
        every = ''.join(map(chr, [*range(256), 0x2028, 0x202e, 0xd800, 0xfffe, 0x1f600]))
        for words in (NASTY, every, '\n', ' ', ''):
            tests = [{**record('t/' + words, verdict), 'why': words}
                     for verdict in fakes.POINTS]
            self.assertEqual(self.junit(tests, 3, words, [words]), '', repr(words))

    def text(self, body):
        path = self.scratch / 'by-hand.xml'
        path.write_text(f'<?xml version="1.0"?>{body}')
        return self.complaint(path)

    def test_what_others_write(self):
        """As Ant writes it: times, properties, output."""
        self.assertEqual(self.text(
            f'<testsuites tests="1" failures="0" errors="0">{HEAD[:-1]} time="0.5" '
            'timestamp="2026-11-21T12:00:00" hostname="h" package="p" id="0" skipped="0">'
            '<properties><property name="a" value=""/></properties>'
            f'{CASE} time="0.25"><failure type="t" message="m">text</failure></testcase>'
            '<system-out/><system-err>x</system-err></testsuite></testsuites>'), '')

    def test_what_is_refused(self):
        good = f'{HEAD}{CASE}/></testsuite>'
        self.assertEqual(self.text(good), '')
        for was, now in (('tests="1"', ''), ('tests="1"', 'tests="-1"'),
                         ('failures="0"', 'failures="x"'), ('name="a" tests', 'tests'),
                         ('classname="b"', ''), (CASE, '<testcase classname="b"'),
                         ('name="a" classname', 'name="" classname'),
                         ('/></testsuite>', ' verdict="x"/></testsuite>'),
                         ('/></testsuite>', '><xfail/></testcase></testsuite>'),
                         ('/></testsuite>', '><skipped/><failure/></testcase></testsuite>'),
                         ('/></testsuite>', ' time="-1"/></testsuite>'),
                         ('testsuite', 'suite'), (HEAD, f'{HEAD}text')):
            bad = good.replace(was, now, 1 if was != 'testsuite' else 2)
            self.assertNotEqual(self.text(bad), '', bad)
