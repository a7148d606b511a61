"""./bench first_row: how long a newcomer waits for the first events of the own machine."""

import os
import pathlib
import subprocess
import tempfile
import time

import support
from picket_server import BIN, ROOT, free_port

METHOD = """
Everything is installed and built. first_row_s: from the start of ./run --detach with an empty data folder to the first answer of
picket query that names ProcessCreate, ConnectionCreate, SystemInformation and Heartbeat; asked every 50 ms. Median of 3.
run_returns_s: until ./run itself has returned.
"""


def once() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="picket-bench-") as folder:
        options = ["--data", folder + "/data"]
        for head in ("mqtt", "amqp", "https", "portal"):
            options += [f"--{head}-port", str(free_port())]
        environment = dict(os.environ, XDG_CONFIG_HOME=folder + "/config")
        begin = time.monotonic()
        subprocess.run([ROOT / "run", "--detach", *options], env=environment, check=True, capture_output=True)
        returned = time.monotonic() - begin
        try:
            while time.monotonic() - begin < 120:
                text = subprocess.run([BIN / "picket", "query", "SecurityIoTRawEvent | summarize count() by RawEventName"],
                                      env=environment, text=True, capture_output=True).stdout
                if all(n in text for n in ("ProcessCreate", "ConnectionCreate", "SystemInformation", "Heartbeat")):
                    return time.monotonic() - begin, returned
                time.sleep(0.05)
            raise RuntimeError("no events within 120 s")
        finally:
            subprocess.run([ROOT / "run", "--stop", *options], env=environment, check=True, capture_output=True)


def run() -> dict:
    runs = sorted(once() for _ in range(3))
    return {"first_row_s": (runs[1][0], "s"), "run_returns_s": (sorted(r[1] for r in runs)[1], "s")}
