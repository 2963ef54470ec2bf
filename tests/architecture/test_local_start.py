"""The local run starts without what only AWS and its emulator need."""

import subprocess
import sys

PROGRAM = """
import sys
import infra.local.__main__, infra.local.system
heavy = {"PIL", "ai_edge_litert", "aws_cdk", "boto3", "imagecodecs", "jsii", "moto", "pi_heif", "skimage", "tensorflow"}
heavy |= {"tifffile", "werkzeug"}
print(sorted(name for name in heavy if name in sys.modules))
"""


def test_a_start_imports_neither_the_emulator_nor_the_model_nor_a_decoder() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
