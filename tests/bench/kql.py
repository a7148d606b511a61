"""./bench kql: KQL against the best SQL for the same answer, then queries while a fleet reports."""

import json
import math
import os
import pathlib
import subprocess
import tempfile
import threading
import time

import support
from picket_server import BIN, ApiError, Server, load, wait_for, write_identities

METHOD = """
10,000,000 events of 2,000 devices over 14 days, written by picket-workspace-fill through the pipeline's decoder and row builder and the
workspace's own seals and merges. Ratios, no server running: each query of tests/bench/kql/*.kql, compiled and run by the workspace
(2 threads, 384 MiB), against the *.sql beside it in a DuckDB instance with the same limits over the same segment files; results compared
equal; CPU-seconds of the process, in turns, medians of 5 rounds after one that warms both. geomean_ratio_sql and worst_ratio_sql are KQL
over SQL. Then the real server on that folder while picket-load sends 500 messages/s of 10 events over 200 TLS connections: hour_filter_ms (the
last hour of one device) and day_summary_ms (the fleet's day by event name) are medians of 21 and 7 answers on the wire of the API.
ingest_kept_percent: events received (as the server's counter says) in 20 s beside three users who repeat hostile queries (a cross join, sorts of
everything, regular expressions over all texts), over those in 20 s without. PICKET_BENCH_DATA=DIR keeps the filled folder for the next run.
"""

ROWS = int(os.environ.get("PICKET_BENCH_ROWS", "10000000"))
QUERIES = pathlib.Path(__file__).with_name("kql")
CONNECTIONS, MESSAGES_PER_S, EVENTS = 200, 500, 10
HOSTILE = [
    "RawEvents | extend k = 1 | join kind=inner (RawEvents | extend k = 1) on k | count",
    "SecurityIoTRawEvent | sort by EventDetails desc | take 10",
    "SecurityIoTRawEvent | where EventDetails matches regex '(a+)+(b+)+([^x]*)z$' | count",
]


def filled(folder: pathlib.Path, rows: int, *more: str) -> tuple[pathlib.Path, dict]:
    """A folder whose `server` is a filled data directory, and what the filling said. Kept, it serves the next run too."""
    note = folder / f"filled-{rows}.json"
    if not note.exists():
        done = subprocess.run([BIN / "picket-workspace-fill", "--data", folder / "server", "--rows", str(rows), *more],
                              check=True, text=True, stdout=subprocess.PIPE)
        note.write_text(done.stdout)
    return folder, json.loads(note.read_text())


def ratios(folder: pathlib.Path, fill: dict) -> dict:
    done = subprocess.run([BIN / "picket-kql-compare", "--segments", folder / "server/segments", "--queries", QUERIES,
                           "--now", fill["to"]], check=True, text=True, stdout=subprocess.PIPE)
    metrics, values = {}, []
    for one in json.loads(done.stdout):
        ratio = one["kql_cpu_s"] / max(one["sql_cpu_s"], 1e-6)
        values.append(ratio)
        metrics[f"ratio_{one['name']}"] = (ratio, "x")
        metrics[f"kql_cpu_ms_{one['name']}"] = (one["kql_cpu_s"] * 1000, "ms")
    assert len(values) >= 12, "the comparison needs twelve queries"
    return {"geomean_ratio_sql": (math.exp(sum(map(math.log, values)) / len(values)), "x"),
            "worst_ratio_sql": (max(values), "x"), **metrics}


def median_ms(server: Server, kql: str, times: int) -> float:
    values = []
    for _ in range(times):
        begin = time.monotonic()
        server.query(kql)
        values.append((time.monotonic() - begin) * 1000)
    return support.percentile(values, 0.5)


def received(server: Server) -> int:
    """Events in the workspace, by the count of what was appended: no query."""
    return int(server.get("/status")["workspace"]["messages_rows_appended"])


def events_in(server: Server, seconds: float) -> float:
    begin, first = time.monotonic(), received(server)
    time.sleep(seconds)
    return (received(server) - first) / (time.monotonic() - begin)


class Hostile:
    """Repeats hostile queries until it is told to stop; being refused is part of it."""

    def __init__(self, server: Server):
        self._server, self._stop = server, threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(kql,), daemon=True) for kql in HOSTILE]

    def _run(self, kql: str) -> None:
        while not self._stop.is_set():
            try:
                self._server.call("POST", "/query", {"query": kql, "timeout_s": 20})
            except (ApiError, OSError):
                time.sleep(0.05)

    def __enter__(self):
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def beside_ingest(folder: pathlib.Path) -> dict:
    server = Server(folder).start()
    try:
        identities = folder / "identities"
        write_identities(server, identities, CONNECTIONS)
        with load(server, identities, messages_per_s=MESSAGES_PER_S, events=EVENTS, seconds=240,
                  run=int(time.time()) % 100_000, attack_every=0):
            wait_for(lambda: received(server) > MESSAGES_PER_S * EVENTS, 120, "events come in")
            hour = median_ms(server, 'SecurityIoTRawEvent | where TimeGenerated > ago(1h) and DeviceId == "load-7" '
                                     "| project TimeGenerated, RawEventName, EventDetails | take 200", 21)
            day = median_ms(server, "SecurityIoTRawEvent | where TimeGenerated > ago(1d) "
                                    "| summarize Events = count() by RawEventName, bin(TimeGenerated, 1h)", 7)
            alone = events_in(server, 20)
            with Hostile(server):
                time.sleep(2)
                beside = events_in(server, 20)
        return {"hour_filter_ms": (hour, "ms"), "day_summary_ms": (day, "ms"),
                "ingest_events_per_s": (alone, "events/s"), "ingest_kept_percent": (100 * beside / alone, "%")}
    finally:
        server.stop()


def run() -> dict:
    kept = os.environ.get("PICKET_BENCH_DATA")
    with tempfile.TemporaryDirectory(prefix="picket-bench-") as temporary:
        folder = pathlib.Path(kept or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folder, fill = filled(folder, ROWS)
        metrics = ratios(folder, fill) | beside_ingest(folder)
    return metrics | {"rows": (fill["rows"], "rows"), "stored_mb_per_million": (fill["bytes"] / fill["rows"], "MB"),
                      "segments": (fill["segments"], "segments"), "fill_s": (fill["seconds"], "s")}
