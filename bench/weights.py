"""How fast 400 MB come from an object store into a file: `python bench/weights.py [--rounds 11] [--size-mb 400]`.

Every entry runs in a fresh process, its imports and client made before the clock starts, against one sendfile server
on loopback; the rounds are interleaved. Prints a Markdown table of medians, quartiles and ratios to boto3. Needs
boto3; writes twice the size below --folder (default: the system's temporary folder).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BENCH = Path(__file__).resolve().parent
HANDLERS = BENCH.parent / "handlers"

# Each reads argv: URL of the store, key, size (bytes), output file, manifest entry; and sets `run`.
OURS = """
from lastmile_runtime import weights
from lastmile_runtime.stores import open_store
import hashlib, fcntl
store = open_store("s3://bucket")
folder = os.path.dirname(output)
def run():
    weights.fetch(store, os.path.basename(output), entry, folder)
"""
UNVERIFIED = OURS.replace(
    "import hashlib, fcntl",
    """import hashlib, fcntl
class Nothing:
    def __init__(self, *_): self.wanted = iter(())
    def update(self, piece): pass
    def hexdigest(self): return entry["chunks"]["sha256"][0]
hashlib.sha256 = Nothing
entry["chunks"]["sha256"] = [entry["chunks"]["sha256"][0]] * len(entry["chunks"]["sha256"])""",
)
BOTO3 = """
import boto3
client = boto3.client("s3", endpoint_url=url)
client.head_object(Bucket="bucket", Key=key)
"""
ENTRIES = {
    "ours, verified": OURS,
    "ours, without verification": UNVERIFIED,
    "boto3 download_file": BOTO3 + "def run(): client.download_file('bucket', key, output)",
    "boto3 get_object, read()": BOTO3
    + "def run(): assert len(client.get_object(Bucket='bucket', Key=key)['Body'].read()) == size",
    "boto3 download_file, then SHA-256": BOTO3
    + """
import hashlib
def run():
    client.download_file('bucket', key, output)
    with open(output, 'rb') as file:
        assert hashlib.file_digest(file, 'sha256').hexdigest() == entry['sha256']""",
    "obstore get, bytes()": """
import obstore
from obstore.store import S3Store
config = {"endpoint": url, "virtual_hosted_style_request": False}
store = S3Store("bucket", config=config, client_options={"allow_http": True})
obstore.head(store, key)
def run(): assert len(obstore.get(store, key).bytes()) == size""",
    "limit: 2 sockets into memory, bytes dropped": """
import socket, threading
host, port = url.removeprefix("http://").split(":")
def part(start, end):
    connection = socket.create_connection((host, int(port)))
    head = f"GET /bucket/{key} HTTP/1.1\\r\\nrange: bytes={start}-{end - 1}\\r\\nconnection: close\\r\\n\\r\\n"
    connection.sendall(head.encode())
    buffer = memoryview(bytearray(1 << 18))
    while connection.recv_into(buffer): pass
def run():
    threads = [threading.Thread(target=part, args=(i * size // 2, (i + 1) * size // 2)) for i in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()""",
}
CHILD = """
import json, os, sys, time
url, key, size, output, entry = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], json.loads(sys.argv[5])
{entry}
started = time.perf_counter()
run()
print(time.perf_counter() - started)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--size-mb", type=int, default=400)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", action="store_true", help="print the seconds of every run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        times = measure(Path(folder), options.size_mb * 1_000_000, options.rounds)
    print(json.dumps(times) if options.json else table(times))


def measure(folder: Path, size: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every entry's runs."""
    sys.path.insert(0, str(HANDLERS))
    from lastmile_runtime.weights import describe

    (folder / "store/bucket").mkdir(parents=True)
    original = folder / "original"
    with original.open("wb") as file:
        for _ in range(-(-size // (1 << 20))):
            file.write(os.urandom(1 << 20))
        file.truncate(size)
    entry = describe(str(original))
    key = str(entry["sha256"])
    original.rename(folder / "store/bucket" / key)
    times: dict[str, list[float]] = {name: [] for name in ENTRIES}
    command = [sys.executable, str(BENCH / "object_store.py"), str(folder / "store")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            for _ in range(rounds):
                for name, code in ENTRIES.items():
                    times[name].append(run(code, folder / "output", [url, key, str(size)], json.dumps(entry)))
        finally:
            server.kill()
    return times


def run(code: str, folder: Path, arguments: list[str], entry: str) -> float:
    """Return the seconds that an entry takes in a process of its own."""
    folder.mkdir(mode=0o700)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HANDLERS),
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": arguments[0],
    }
    output = folder / "weights.bin"
    command = [sys.executable, "-c", CHILD.format(entry=code), *arguments, str(output), entry]
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    return float(done.stdout)


def table(times: dict[str, list[float]]) -> str:
    """Return the medians as a Markdown table."""
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    whole = medians["boto3 download_file"]
    memory = medians["boto3 get_object, read()"]
    lines = [
        "| from an object store on loopback | median, ms | quartiles, ms | faster than download_file | than get_object |",
        "|---|---|---|---|---|",
    ]
    for name, seconds in times.items():
        low, _, high = statistics.quantiles(seconds, n=4) if len(seconds) > 1 else (seconds * 3)
        median = medians[name]
        lines.append(
            f"| {name} | {median * 1000:.0f} | {low * 1000:.0f}-{high * 1000:.0f} "
            f"| {whole / median:.2f}x | {memory / median:.2f}x |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
