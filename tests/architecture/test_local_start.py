"""The local run starts without what only AWS and its emulator need."""

import subprocess
import sys

PROGRAM = """
import sys
import infra.local.__main__, infra.local.system
heavy = ("ai_edge_litert", "aws_cdk", "boto3", "jsii", "moto", "skimage", "tensorflow", "werkzeug")
print(sorted(name for name in heavy if name in sys.modules))
"""


def test_a_start_imports_neither_the_emulator_nor_the_model() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
