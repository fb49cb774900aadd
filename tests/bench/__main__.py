"""Runs the benchmarks: `python -m tests.bench [--list] [CASE…]`.

Progress goes to standard error; the last line of standard output is one JSON object. With `--list` nothing is measured
and the object holds what each case is. BENCH_SECONDS and BENCH_ROUNDS say for how long and how often a load runs.
"""

import json
import sys
from collections.abc import Sequence

from tests.bench.quiet import SEEN
from tests.bench.running import find_cases, report, run


def main(wanted: Sequence[str]) -> int:
    """Run the cases named, or all but the long ones; 1 when one failed, 2 when a name is unknown.

    A missed goal is no failure.
    """
    cases = {case.name: case for case in find_cases()}
    if "--list" in wanted:
        print(json.dumps({name: case.what for name, case in cases.items()}))
        return 0
    if unknown := set(wanted) - cases.keys():
        report(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(cases)}")
        return 2
    chosen = [case for name, case in cases.items() if name in wanted or not (wanted or case.long)]
    results = [run(case) for case in chosen]
    report(f"bench: processors stolen by other machines: {SEEN.told()}")
    print(json.dumps({result.case.name: result.told() for result in results}))
    return int(any(result.measured is None for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
