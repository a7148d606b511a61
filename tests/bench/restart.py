"""./bench restart: how soon a server with 100 million rows answers again after kill -9."""

import datetime
import os
import pathlib
import tempfile
import time

import support
from kql import filled
from picket_server import ApiError, Server, load, wait_for, write_identities

METHOD = """
A data directory of 100,000,000 rows over 14 days of 2,000 devices (picket-workspace-fill: the newest 4 million through the pipeline's
decoder, row builder, seals and merges, the others as copies of them with earlier times and positions, written as merges write), a server
on it that 20 connections have sent events to until its hot rows stood at nine tenths of a seal, all of it counted, then kill -9. restart_s:
from exec of `picket serve` to the answer of the first query, `SecurityIoTRawEvent | count` over everything, asked over the API again
and again from the start (median of 3 kills). hot_replay_s: from exec to the line of the log that says that the rows which were hot are made again, or to the one
that says the portal listens, if that is later (median; hot_replay_max_s); detection_s: from exec until detection has caught up, too. rows_missing and
rows_doubled compare the count with the one before the kill. restart_cold_s: once with the
directory's files out of the page cache. restart_cpu_s: CPU that the server had used by its first answer, which is what a
quiet machine shows and a busy one hides. restart_clean_s: after SIGTERM. first_hour_s: exec to the answer about one device's last hour.
start_rss_mib: resident memory right after the first answer. PICKET_BENCH_ALONE=1 (root): server and bench in SCHED_RR, which keeps other programs from between
them, not from the caches. PICKET_BENCH_DATA=DIR keeps the filled folder for the next run.
"""

ROWS = int(os.environ.get("PICKET_BENCH_ROWS", "100000000"))
BLOCK_ROWS = min(4_000_000, ROWS // 2)
SEAL_ROWS, SEAL_BYTES = 122_880, 32 << 20
COUNT = "SecurityIoTRawEvent | count"
HOUR = 'SecurityIoTRawEvent | where TimeGenerated > ago(1h) and DeviceId == "load-7" | summarize count() by RawEventName'


def hot_share(server: Server) -> float:
    """How near the hot rows are to a seal."""
    counters = server.get("/status")["workspace"]
    return max(counters["messages_hot_rows"] / SEAL_ROWS, counters["messages_hot_bytes"] / SEAL_BYTES)


def fill_hot_rows(server: Server, identities: pathlib.Path) -> None:
    """As on a server that has run for a while: a checkpoint, a seal behind it, then hot rows."""
    checkpoints = server.get("/status")["pipeline"]["checkpoints"]
    wait_for(lambda: server.get("/status")["pipeline"]["checkpoints"] > checkpoints, 120, "a checkpoint")
    seals = server.get("/status")["workspace"]["messages_seals"]
    run = int(time.time()) % 100_000
    # More than 0.97 is being sealed: then it begins anew.
    while server.get("/status")["workspace"]["messages_seals"] == seals or not 0.85 < hot_share(server) < 0.97:
        run += 1
        seconds = 4 if hot_share(server) < 0.5 else 1
        with load(server, identities, messages_per_s=500, events=10, seconds=seconds, run=run, attack_every=0) as finish:
            finish(120)
        server.settled(120)


def forget_cached(folder: pathlib.Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def time_in_log(log: str, text: str) -> float:
    """Seconds since the epoch of the first line with this text."""
    line = next(line for line in log.splitlines() if text in line)
    return datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")).timestamp()


class Started:
    """One start of a server, timed from exec."""

    def __init__(self, server: Server, query: str):
        log_before = server.log_path.stat().st_size if server.log_path.exists() else 0
        begin, exec_time = time.monotonic(), time.time()
        server.launch()
        self.value = wait_for(lambda: self._ask(server, query), 300, "the first query is answered", every_s=0.01)[0]
        self.first_answer_s = time.monotonic() - begin
        self.cpu_s = support.cpu_seconds(server.process.pid)
        self.rss_mib = support.memory_mib(server.process.pid, "VmRSS")
        wait_for(lambda: server.get("/overview")["pipeline"]["lag_records"] == 0, 300, "replayed", every_s=0.01)
        self.detection_s = time.monotonic() - begin
        with open(server.log_path) as log:
            log.seek(log_before)
            self.log = log.read()
        self.rows_s = max(time_in_log(self.log, text) for text in ("rows made again", "portal: https://")) - exec_time

    @staticmethod
    def _ask(server: Server, query: str):
        assert server.process.poll() is None, f"the server ended: see {server.log_path}"
        try:
            rows = server._call_once("POST", "/query", {"query": query}, 300)["rows"]  # call() waits between its attempts
            return [rows[0][0] if rows else 0]
        except (OSError, ApiError):
            return None


def run() -> dict:
    if os.environ.get("PICKET_BENCH_ALONE"):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # the server inherits it
    kept = os.environ.get("PICKET_BENCH_DATA")
    with tempfile.TemporaryDirectory(prefix="picket-bench-") as temporary:
        folder = pathlib.Path(kept or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folder, fill = filled(folder, ROWS, "--block-rows", str(BLOCK_ROWS))
        server = Server(folder).start(300)
        try:
            return measured(server, folder, fill)
        finally:
            server.stop()


def measured(server: Server, folder: pathlib.Path, fill: dict) -> dict:
    server.settled(600)
    identities = folder / "identities"
    if not identities.exists():
        write_identities(server, identities, 20)
    fill_hot_rows(server, identities)
    expected = server.scalar(COUNT)
    hot = server.get("/status")["workspace"]["messages_hot_rows"]
    kills, missing = [], 0
    for _ in range(3):
        server.kill()
        kills.append(Started(server, COUNT))
        missing += expected - server.scalar(COUNT)
    server.kill()
    forget_cached(server.data)
    cold = Started(server, COUNT)
    server.kill()
    hour = Started(server, HOUR)
    doubled = server.scalar("SecurityIoTRawEvent | where TimeGenerated > ago(2h) | summarize n = count() by IoTRawEventId, DeviceId "
                            "| where n > 1 | count")
    server.stop()
    clean = Started(server, COUNT)
    middle = lambda values: support.percentile(values, 0.5)
    return {"restart_s": (middle([k.first_answer_s for k in kills]), "s"),
            "hot_replay_s": (middle([k.rows_s for k in kills]), "s"),
            "hot_replay_max_s": (max(k.rows_s for k in kills), "s"), "detection_s": (middle([k.detection_s for k in kills]), "s"),
            "restart_cpu_s": (middle([k.cpu_s for k in kills]), "CPU-s"),
            "restart_max_s": (max(k.first_answer_s for k in kills), "s"), "restart_cold_s": (cold.first_answer_s, "s"),
            "restart_clean_s": (clean.first_answer_s, "s"), "first_hour_s": (hour.first_answer_s, "s"),
            "rows": (expected, "rows"), "hot_rows": (hot, "rows"), "rows_missing": (missing, "rows"),
            "rows_doubled": (doubled, "rows"), "start_rss_mib": (middle([k.rss_mib for k in kills]), "MiB"),
            "segments": (fill["segments"], "segments"), "stored_gb": (fill["bytes"] / 1e9, "GB")}
