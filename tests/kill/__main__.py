"""`python -m tests.kill --moments 60`: more kills than the test's."""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from tests.kill.killing import kill, table

parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
parser.add_argument("--moments", type=int, default=60, help="number of kills (default: 60)")
parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000), help="to repeat a run")
wanted = parser.parse_args()
with tempfile.TemporaryDirectory() as folder:
    done = kill(wanted.moments, wanted.seed, Path(folder) / "data", Path(".build/model").resolve())
    moments = list(tqdm(done, total=wanted.moments, unit="kill"))
for moment in moments:
    for lost in moment.lost:
        print(f"during {moment.during}, after {moment.after:.2f} s: {lost}")
print(f"{table(moments)}\nseed {wanted.seed}")
sys.exit(1 if any(moment.lost for moment in moments) else 0)
