"""`python -m tests.fuzz --seconds 300`: a longer search than the test's."""

import argparse
import secrets
import sys
from pathlib import Path

from tests.fuzz.fuzzing import fuzz, table
from tests.fuzz.targets import TARGETS

FINDINGS = Path(".build/fuzz")

parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
parser.add_argument("--seconds", type=int, default=300, help="of each target (default: 300)")
parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="to repeat a run")
parser.add_argument("targets", nargs="*", metavar="target", help=f"of {', '.join(TARGETS)} (default: all)")
wanted = parser.parse_args()
if unknown := set(wanted.targets) - set(TARGETS):
    parser.error(f"unknown target {', '.join(sorted(unknown))}; the targets are {', '.join(TARGETS)}")
results = fuzz(wanted.targets or TARGETS, wanted.seconds, wanted.seed, FINDINGS)
for done in results:
    if not done.finished:
        print(f"{done.target}:\n{done.output}\n")
print(f"{table(results)}\nseed {wanted.seed}")
if any(done.crashes for done in results):
    print(f"the inputs that broke a target are in {FINDINGS}")
sys.exit(0 if all(done.finished for done in results) else 1)
