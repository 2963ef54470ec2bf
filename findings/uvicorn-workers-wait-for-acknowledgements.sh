#!/bin/sh
# One would guess that uvicorn answers as quickly with two workers as with one. With workers (as with --reload) it binds the
# socket itself and does not name its protocol, and asyncio switches Nagle's algorithm off only on sockets that name TCP.
# The head and the body of an answer are two writes, so on a kept connection the body waits until the client acknowledges the
# head, which Linux delays by some 40 ms: each answer but the first few takes 20 times as long and more. Without workers, where
# asyncio binds, it does not. The same holds for every server on asyncio that is handed a socket made by `socket.socket()`.
# Exit status 0: still so. Needs Linux, python3 and PyPI; everything is in a temporary folder.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "uvicorn==0.54.0"
cat > "$folder/app.py" <<'PYTHON'
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
PYTHON
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import http.client
import socket
import statistics
import subprocess
import sys
import time


def milliseconds(*options: str) -> float:
    """Return the median time of an answer on one kept connection."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--loop", "asyncio", "--log-level", "error"]
    server = subprocess.Popen([*command, *options])
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(100):
            try:
                connection.connect()
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        taken = []
        for _ in range(50):
            started = time.perf_counter()
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"ok"
            taken.append(1000 * (time.perf_counter() - started))
        return statistics.median(taken)
    finally:
        server.terminate()
        server.wait()


alone, workers = milliseconds(), milliseconds("--workers", "2")
print(f"uvicorn 0.54.0, one kept connection, median: {alone:.1f} ms alone, {workers:.1f} ms with --workers 2")
if workers < 30 or workers < 5 * alone:
    raise SystemExit("changed")
PYTHON
