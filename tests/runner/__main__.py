# SPDX-License-Identifier: BSD-2-Clause
"""The runner's unit tests: `python3 tests/runner [PATTERN]`; the last line counts."""
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / 'tools'))


def main():
    loader = unittest.TestLoader()
    if sys.argv[1:]:
        loader.testNamePatterns = [f'*{word}*' for word in sys.argv[1:]]
    suite = loader.discover(str(HERE))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len({str(test) for test, _ in result.failures + result.errors})
    skipped = len(result.skipped)
    passed = result.testsRun - failed - skipped
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 0 if result.testsRun and not failed else 1


if __name__ == '__main__':
    sys.exit(main())
