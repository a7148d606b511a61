"""What benchmarks share: the processes they measure and the live updates they time."""

import json
import math
import os
import pathlib
import ssl
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, field: str) -> float:
    """VmRSS or VmHWM (its peak) of a process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(field)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


class LiveAlerts:
    """Listens to the server-sent events and notes when each alert was first seen, in seconds since the epoch."""

    def __init__(self, server):
        self.first_seen: dict[str, float] = {}
        context = ssl.create_default_context(cafile=server.ca_file)
        request = urllib.request.Request(server.url + "/api/v1/events")
        request.add_header("Authorization", "Bearer " + (server.data / "secrets/cli-token").read_text().strip())
        self._answer = urllib.request.urlopen(request, context=context, timeout=600)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        event = ""
        try:
            for raw in self._answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("event:"):
                    event = line[6:].strip()
                elif line.startswith("data:") and event == "alert":
                    self.first_seen.setdefault(json.loads(line[5:])["alert"]["id"], time.time())
        except (OSError, ValueError):
            return  # the server was stopped
