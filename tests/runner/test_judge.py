# SPDX-License-Identifier: BSD-2-Clause
"""What the judge believes, and what it does not."""
import fakes
from fakes import Case, line, record, stream, text
from judge import Judge, decide
from process import Ending

TWO = [record('proto/remap', proto='gen-smr'),
       record('proto/remap', 'XFAIL', proto='gen-ipi')]

FIGURE = {'type': 'bench', 'name': 'bench/a', 'metric': 'b', 'value': 1, 'unit': 'c'}


def judged(log, ending=Ending('exited', 0)):
    judge = Judge()
    judge.feed(log if isinstance(log, bytes) else log.encode())
    judge.close()
    return decide(judge, ending, lambda status: status)


def verdict(log, **more):
    return judged(log, **more)[0]


def replaced(lines, old, new):
    """The lines with one of them, which begins with `old`, replaced by `new`."""
    places = [i for i, item in enumerate(lines) if item.startswith(old)]
    assert places, old
    return lines[:places[0]] + new + lines[places[0] + 1:]


FIRMWARE = (b'\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe: loading Boot0001 \xb5\n'
            b'ok 7 is no result of ours\r\n\x1b[H\x1b[J\x1b[1;1H\n\r')
KERNEL = b'# shootdown 0.1\n'


class Loaders(Case):
    """Firmware and loader write to the serial line before the kernel does."""

    def judged(self, log, kind='exited', pieces=1 << 20):
        judge = Judge()
        judge.expect_loader()
        for at in range(0, len(log), pieces):
            judge.feed(log[at:at + pieces])
        judge.close()
        self.judge = judge
        ending = Ending(kind, 0 if kind == 'exited' else None)
        return decide(judge, ending, lambda status: status)

    def test_what_they_say_is_not_judged(self):
        log = text(stream(TWO)).encode()
        for pieces in (1, 7, 1 << 20):
            self.assertEqual(self.judged(FIRMWARE + KERNEL + log, pieces=pieces)[0], 0)
        self.assertEqual(verdict(FIRMWARE + KERNEL + log), 3)

    def test_after_the_kernels_first_line_all_is_judged(self):
        for noise in (b'\x1b[H\n', b'ok 9 other\n', FIRMWARE):
            log = FIRMWARE + KERNEL + noise + text(stream(TWO)).encode()
            self.assertEqual(self.judged(log)[0], 3)

    def test_a_log_without_the_kernels_first_line_is_no_pass(self):
        self.assertEqual(self.judged(FIRMWARE + text(stream(TWO)).encode())[0], 3)

    def test_a_kernel_that_never_starts(self):
        code, sentence, _ = self.judged(FIRMWARE + b'\x1b[0merror: no such\n\r', 'timeout')
        self.assertEqual(code, 4)
        self.assertRegex(sentence, '^NO KERNEL: .* said last: error: no such')
        code, sentence, _ = self.judged(FIRMWARE, 'exited')
        self.assertEqual(code, 3)
        self.assertIn('the machine ended before the kernel said a word', sentence)
        self.assertIn('said last: nothing', self.judged(b'', 'timeout')[1])

    def test_a_loader_that_leaves_its_line_open(self):
        records = [record('t/1')]
        said = b'x.elf : 2290264 bytes [Multiboot' + text(stream(records, 0)).encode()
        code, sentence, faults = self.judged(said.replace(b'# shootdown', b'# shootdown 0.1'))
        self.assertEqual((code, faults), (0, []), sentence)

    def test_a_loader_that_gives_up_ends_the_run(self):
        code, sentence, _ = self.judged(FIRMWARE + b'\rBail out! GRUB could not\n', 'stuck')
        self.assertEqual((code, sentence), (3, 'CRASH: GRUB could not'))
        self.assertTrue(self.judge.last_word())


class Believed(Case):
    def status_of(self, *verdicts, status):
        records = [record(f't/{i}', verdict) for i, verdict in enumerate(verdicts)]
        ending = Ending('exited', status)
        code, sentence, faults = judged(text(stream(records, status)), ending)
        self.assertEqual(faults, [])
        self.assertTrue(sentence)
        return code

    def test_statuses(self):
        for verdicts, status in ((['PASS', 'XFAIL'], 0), (['PASS', 'FAIL', 'SKIP'], 1),
                                 (['SKIP', 'SKIP'], 5), (['INCONCLUSIVE'], 5),
                                 (['PASS', 'SKIP'], 0), (['PASS', 'SKIP'], 5)):
            with self.subTest(verdicts=verdicts):
                self.assertEqual(self.status_of(*verdicts, status=status), status)

    def test_carriage_returns_and_comments(self):
        log = text(stream(TWO)).replace('\n', '\r\n') + '# bye\r\n'
        self.assertEqual(verdict(log), 0)

    def test_text_of_a_guest_in_a_comment_may_be_any_bytes(self):
        log = b'# guest: \xff\x1b[2J\n' + text(stream(TWO)).encode()
        self.assertEqual(verdict(log), 0)

    def test_any_cut_of_the_stream_gives_the_same(self):
        log = text(stream(TWO)).encode()
        for size in (1, 2, 7, 64):
            judge = Judge()
            events = []
            for i in range(0, len(log), size):
                events += judge.feed(log[i:i + size])
            self.assertEqual(decide(judge, Ending('exited', 0), lambda s: s)[0], 0)
            self.assertEqual([kind for kind, _ in events].count('test'), 2)

    def test_kernel_refuses_its_command_line(self):
        log = text(['# command line: bad value: pool=1', '#   pool=  MiB',
                    line({'type': 'end', 'status': 2, 'tests': 0})])
        code, sentence, _ = judged(log, Ending('exited', 2))
        self.assertEqual(code, 2)
        self.assertIn('bad value: pool=1', sentence)


class NotBelieved(Case):
    """Each takes a log that passes and spoils one thing in it."""

    def spoil(self, old, *new, records=TWO):
        lines = stream(records)
        self.assertEqual(verdict(text(lines)), 0)
        return judged(text(replaced(lines, old, list(new))))

    def crash(self, old, *new, **more):
        code, sentence, _ = self.spoil(old, *new, **more)
        self.assertEqual(code, 3, sentence)
        return sentence

    def test_no_end_record(self):
        self.assertIn('without an end record', self.crash('@{"type": "end"'))

    def test_nothing_at_all(self):
        self.assertEqual(verdict(''), 3)

    def test_every_cut_of_the_log(self):
        """A prefix of a good log never passes."""
        log = text(stream(TWO))
        for size in range(len(log)):
            self.assertEqual(verdict(log[:size]), 3, log[:size][-40:])

    def test_every_lost_line(self):
        """Only a comment, or the boot record, may be missing."""
        lines = stream(TWO)
        for i, lost in enumerate(lines):
            rest = text(lines[:i] + lines[i + 1:])
            free = lost.startswith(('# ', '@{"type":"boot"', 'KTAP'))
            self.assertEqual(verdict(rest), 0 if free else 3, lost)

    def test_every_doubled_line(self):
        lines = stream(TWO)
        for i, twice in enumerate(lines):
            log = text(lines[:i + 1] + lines[i:])
            self.assertEqual(verdict(log), 0 if twice.startswith('# ') else 3, twice)

    def test_every_flipped_byte_of_a_result(self):
        """One bit turned in a result line, or a plan, is noticed."""
        lines = stream(TWO)
        for old in ('1..', 'ok', 'not ok'):
            good = next(item for item in lines if item.startswith(old))
            for i in range(len(good.split(' # ')[0])):
                bad = good[:i] + chr(ord(good[i]) ^ 0x80) + good[i + 1:]
                log = text(replaced(lines, good, [bad])).encode('latin-1')
                self.assertEqual(verdict(log), 3, bad)

    def test_garbled_json(self):
        for bad in ('@{', '@{"type":"test",}', '@{"type":"test"} x', '@[]', '@1',
                    '@null', '@{"a":1,"a":2}', '@' + '[' * 100000):
            with self.subTest(bad=bad[:20]):
                self.assertEqual(self.spoil('# shootdown', bad)[0], 3)

    def test_record_in_the_middle_of_a_line(self):
        self.crash('# shootdown', 'cpu @{"type":"test"}')

    def test_status_that_does_not_fit(self):
        failed = [record('t/a', 'FAIL')]
        for records, status in ((failed, 0), (failed, 5), (TWO, 1), (TWO, 5), (TWO, 2),
                                (TWO, 7), ([record('t/a', 'SKIP')], 0), ([], 0)):
            log = text(stream(records, status))
            self.assertEqual(verdict(log, ending=Ending('exited', status)), 3)

    def test_plan_says_more(self):
        self.assertIn('number of tests', self.crash('1..2', '1..3'))

    def test_end_record_says_more(self):
        end = fakes.end(TWO)
        self.crash('@{"type": "end"', line({**end, 'tests': 3}))
        self.crash('@{"type": "end"', line({**end, 'pass': 2, 'xfail': 0}))

    def test_result_line_contradicts_its_record(self):
        self.crash('ok 1', 'not ok 1 proto/remap/gen-smr')
        self.crash('ok 1', 'ok 1 proto/remap/gen-smr # SKIP x')
        self.crash('not ok 2', 'ok 2 proto/remap/gen-ipi')
        self.crash('ok 1', 'ok 1 vmx/hello')

    def test_numbers_out_of_order(self):
        self.crash('ok 1', 'ok 2 proto/remap/gen-smr')

    def test_same_test_twice(self):
        same = [record('t/a'), record('t/a')]
        self.assertIn('reported 2 times', judged(text(stream(same)))[1])

    def test_ghost(self):
        good = {'checked': 9, 'violations': 0}
        for ghost, status in ((good, 0), ({**good, 'violations': 1}, 3), (None, 3),
                              ({'checked': 9}, 3), ({**good, 'checked': -1}, 3),
                              ({**good, 'violations': True}, 3), (9, 3),
                              ({**good, 'more': 1}, 3)):
            log = text(stream([record('t/a', ghost=ghost)]))
            self.assertEqual(verdict(log), status, ghost)
        caught = record('t/a', 'XFAIL', ghost={**good, 'violations': 1})
        self.assertEqual(verdict(text(stream([caught]))), 0)

    def test_pass_with_violations(self):
        lied = [record('t/a', violations=1)]
        self.assertEqual(verdict(text(stream(lied))), 3)

    def test_records_that_are_no_records(self):
        for change in ({'verdict': 'OK'}, {'verdict': []}, {'witnesses': -1},
                       {'violations': '0'}, {'name': ''}, {'ticks': 1.5},
                       {'proto': 7}, {'why': None}, {'cpus': [1]}, {'returns': 3},
                       {'returns': 3, 'leaks': 4}):
            spoilt = line({**TWO[0], **change})
            self.assertEqual(self.spoil('@{"type": "test"', spoilt)[0], 3, change)

    def test_end_records_that_are_none(self):
        for change in ({'status': '0'}, {'status': [0]}, {'tests': {}}, {'pass': True},
                       {'status': None}):
            spoilt = line({**fakes.end(TWO), **change})
            self.assertEqual(self.spoil('@{"type": "end"', spoilt)[0], 3, change)

    def test_results_after_the_end(self):
        for late in ('ok 3 late', line(record('late')), line(fakes.end(TWO))):
            self.assertEqual(verdict(text(stream(TWO) + [late])), 3, late)

    def test_end_record_before_the_last_result(self):
        *lines, result, rec, last = stream(TWO)
        self.assertEqual(verdict(text(lines + [result, rec, last])), 0)
        self.assertEqual(verdict(text(lines + [rec, last, result])), 3)
        self.assertEqual(verdict(text(lines + [result, last, rec])), 3)

    def test_figures_after_the_end(self):
        self.assertEqual(verdict(text(stream(TWO) + [line(FIGURE)])), 3)
        self.assertEqual(verdict(text([line(FIGURE)] + stream(TWO))), 0)

    def test_result_lines_that_are_none(self):
        for bad in ('ok', 'ok 3', 'ok x y', 'not ok'):
            self.crash('# shootdown', bad)

    def test_reset_machine(self):
        self.crash('@{"type": "end"', *stream(TWO))


class Wedged(Case):
    """A CPU that did not come back: whose test cannot have passed."""
    record = {'type': 'wedged', 'cpu': 2, 'rip': '0x1234', 'guest_rip': '0x0',
              'test': 'a/b/gen-smr', 'ticks': 7, 'state': 'host', 'parked': True}

    def code(self, tests, status, **more):
        lines = stream(tests, status)
        log = text(lines[:4] + [line({**self.record, **more})] + lines[4:])
        return verdict(log, ending=Ending('exited', status))

    def test_its_test_failed(self):
        self.assertEqual(self.code([record('a/b', 'FAIL', proto='gen-smr')], 1), 1)

    def test_its_test_did_not_fail(self):
        self.assertEqual(self.code([record('a/b', proto='gen-smr')], 0), 3)
        self.assertEqual(self.code([record('a/b', 'XFAIL', proto='gen-smr')], 0), 3)

    def test_other_tests_may_pass(self):
        tests = [record('a/b', 'FAIL', proto='gen-smr'), record('a/c')]
        self.assertEqual(self.code(tests, 1), 1)

    def test_records_that_are_none(self):
        tests = [record('a/b', 'FAIL', proto='gen-smr')]
        for bad in ({'rip': 7}, {'rip': 'x'}, {'guest_rip': None}, {'cpu': -1},
                    {'cpu': '2'}, {'ticks': 1.5}, {'test': None}):
            self.assertEqual(self.code(tests, 1, **bad), 3, bad)


class Endings(Case):
    good = text(stream(TWO))

    def test_wrong_exit_code(self):
        code, sentence, _ = judged(self.good, Ending('exited', 1))
        self.assertEqual(code, 3)
        self.assertIn('exited with 1', sentence)

    def test_exit_code_alone_is_no_pass(self):
        self.assertEqual(verdict('# hello\n'), 3)

    def test_timeout(self):
        self.assertEqual(verdict('# hello\n', ending=Ending('timeout')), 4)

    def test_end_record_but_no_end(self):
        self.assertEqual(verdict(self.good, ending=Ending('stuck')), 3)
        self.assertEqual(verdict(self.good, ending=Ending('timeout')), 3)

    def test_bail_out_wins(self):
        for log in ('Bail out! why\n' + self.good, self.good + 'Bail out! why\n'):
            for ending in (Ending('exited', 0), Ending('timeout')):
                code, sentence, _ = judged(log, ending)
                self.assertEqual((code, sentence), (3, 'CRASH: why'))

    def test_bail_out_cut_short(self):
        self.assertEqual(verdict(self.good + 'Bail out! w'), 3)

    def test_interrupted(self):
        self.assertEqual(verdict(self.good, ending=Ending('interrupted')), 130)

    def test_flood(self):
        self.assertEqual(verdict('# x\n', ending=Ending('flood')), 3)
