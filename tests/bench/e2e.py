"""./bench e2e: from a device's PUBLISH to an alert that an analyst sees, under load."""

import pathlib
import tempfile

import support
from picket_server import Server, load, write_identities

METHOD = """
One server with empty data and one load generator on the same machine's 2 cores. 1,000 TLS connections, QoS 1, durable journal,
detection and storage on, a subscriber to the live updates. 60 s a run; one event in 1,000 is a reverse shell with a command line
of its own. Runs: 2,000 messages/s of 10 events (20,000 events/s; the keys without suffix), 1,000 messages/s of 10 events
(suffix _10k), 2,000 messages/s of 1 event (suffix _single). Latency: from the generator's first PUBLISH of the message to the
arrival of the alert's live update at the subscriber, which is sent after the alert is durable and in the hot rows; one clock.
events_per_s: events that stand in the workspace exactly once, over the time of the load. alerts_missing and alerts_extra: against
the list of attacks sent. CPU: user and system time of each process over the run. server_rss_mib: peak.
"""

CONNECTIONS = 1000
SECONDS = 60
ATTACK_EVERY = 1000


def attacks_by_number(server, run_number: int) -> dict[int, list[str]]:
    """Alert ids by the number of the message that held the attack; the command line ends with '#run-number'."""
    out: dict[int, list[str]] = {}
    rows = server.query('SecurityAlert | where AlertType == "IoT_ReverseShell" '
                        '| extend c = tostring(parse_json(ExtendedProperties).CommandLine) '
                        '| where isnotempty(c) | distinct SystemAlertId, c')
    for row in rows:
        run_text, _, number = row["c"].rpartition("#")[2].partition("-")
        if run_text == str(run_number):
            out.setdefault(int(number), []).append(row["SystemAlertId"])
    return out


def one_run(folder: pathlib.Path, run_number: int, messages_per_s: int, events: int) -> dict:
    server = Server(folder).start()
    try:
        identities, acknowledged = folder / "identities", folder / "acknowledged"
        write_identities(server, identities, CONNECTIONS)
        live = support.LiveAlerts(server)
        cpu_before = support.cpu_seconds(server.process.pid)
        with load(server, identities, messages_per_s=messages_per_s, events=events, seconds=SECONDS, run=run_number,
                  attack_every=ATTACK_EVERY, acknowledged_file=acknowledged) as finish:
            report = finish(SECONDS + 240)
        server.settled(300)
        cpu = support.cpu_seconds(server.process.pid) - cpu_before
        assert report["complete"], report

        first_sent, expected = {}, set()
        for line in acknowledged.read_text().splitlines():
            number, sent_us, _, attack = map(int, line.split())
            if attack:
                first_sent[number] = sent_us / 1e6
                expected.add(number)
        found = attacks_by_number(server, run_number)
        latencies = [(live.first_seen[ids[0]] - first_sent[number]) * 1000 for number, ids in found.items()
                     if number in first_sent and ids[0] in live.first_seen]
        stored = server.scalar(f'SecurityIoTRawEvent | where IoTRawEventId startswith "{run_number:08x}-" '
                               "| distinct IoTRawEventId | count")
        extra = sum(len(ids) for ids in found.values()) - len(expected & found.keys())
        return {
            "events_per_s": (stored / report["seconds"], "events/s"),
            "messages_per_s": (report["acknowledged"] / report["seconds"], "messages/s"),
            "alert_p50_ms": (support.percentile(latencies, 0.50), "ms"),
            "alert_p99_ms": (support.percentile(latencies, 0.99), "ms"),
            "alert_max_ms": (max(latencies), "ms"),
            "alerts": (len(expected), "alerts"),
            "alerts_missing": (len(expected - found.keys()), "alerts"),
            "alerts_extra": (extra, "alerts"),
            "server_cpu_s": (cpu, "s"),
            "generator_cpu_s": (report["cpu_s"], "s"),
            "server_rss_mib": (support.memory_mib(server.process.pid, "VmHWM"), "MiB"),
        }
    finally:
        server.stop()


def run() -> dict:
    metrics = {}
    for suffix, messages_per_s, events in (("", 2000, 10), ("_10k", 1000, 10), ("_single", 2000, 1)):
        with tempfile.TemporaryDirectory(prefix="picket-bench-") as folder:
            result = one_run(pathlib.Path(folder), 7, messages_per_s, events)
        metrics |= {key + suffix: value for key, value in result.items()}
    return metrics
