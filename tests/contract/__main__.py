"""`python -m tests.contract --examples 100`: a longer search than the test's."""

import argparse
import secrets
import sys
from pathlib import Path

from tests.contract.exploring import explore, system

parser = argparse.ArgumentParser(prog="python -m tests.contract", description=__doc__)
parser.add_argument("--examples", type=int, default=100, help="maximum random calls per operation (default: 100)")
parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="to repeat a run")
wanted = parser.parse_args()
with system(Path(".build/model").resolve()) as url:
    explored = explore(url, examples=wanted.examples, seed=wanted.seed)
print(f"{explored.output}\n{explored.table()}\nseed {wanted.seed}")
sys.exit(0 if explored.finished and not explored.failures else 1)
