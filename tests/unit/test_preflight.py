"""The checks that `make run` makes before it installs anything."""

import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "infra" / "local" / "preflight.py"


def preflight(**environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT)], env=environ, capture_output=True, text=True, check=False)


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_port_in_use_is_reported_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port} is in use" in one_line(preflight(PORT=port))
    assert preflight(PORT=port).returncode == 0


def test_an_invalid_port_is_refused() -> None:
    for port in ("x", "0", "65536", "-1"):
        assert "PORT must be" in one_line(preflight(PORT=port))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in one_line(preflight(PICTURES=str(tmp_path / "absent")))
    assert preflight(PICTURES=str(tmp_path)).returncode == 0
    assert preflight(PICTURES="~", HOME=str(tmp_path)).returncode == 0  # not every shell expands it


def test_a_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "old.py"
    old.write_text(
        "import sys\nsys.version_info = (3, 8, 1)\nimport runpy\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
    )
    result = subprocess.run([sys.executable, str(old)], capture_output=True, text=True, check=False)
    assert "Python 3.8 is not supported" in one_line(result)
