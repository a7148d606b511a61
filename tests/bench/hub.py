"""./bench hub: Picket's hub against mosquitto, work per CPU-second of the server.

Also alone, and in part:  python3 tests/bench/hub.py [--rounds N] [--seconds S] [TEST...]
with TEST of qos1_tls, qos1_plain, qos1_tls_w1, idle, handshake, held. Bin folder: PICKET_TEST_BIN, else build/release/bin.
"""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import support
from picket_server import BIN, free_port

METHOD = """
Debian's mosquitto (persistence off, anonymous, one thread) and Picket's hub (hub_server: the MQTT head with authentication by SAS
token, sessions, twins and a durable journal whose group commit comes before each PUBACK; the server's pipeline is another part and
not in it) alternate A B A B A B; each run starts its server anew. Server on core 0, load generator (picket-hub-load: one thread,
epoll, OpenSSL, source addresses 127.0.1.x) on core 1, the same ECDSA P-256 certificate, TLS 1.3 without resumption. The same
client packets for both. Figures are work per CPU-second (user and system) of the server; a ratio is the hub's median over
mosquitto's. qos1_*: 256-byte QoS 1 PUBLISHes on 50 connections, window 20 (_w1: 1), measured once all are connected. idle: 2,000
TLS connections, each with a session of the four subscriptions of an SDK and a twin request; VmRSS afterwards less VmRSS before.
handshake: 32 at a time through TCP, TLS and CONNECT to CONNACK. connections_held: of 10,000 TLS connections that ping every 900
seconds, how many the hub still holds after 24 hours of its own clock, which runs 400 times as fast from the last connect on; 10 more that do not ping must
be gone.
"""

KEY = base64.b64encode(b"one key for all of the load ...").decode()
SERVER_CORE, GENERATOR_CORE = 0, 1
CLOCK_RATE = 400


def on_core(core: int):
    def prepare() -> None:
        os.sched_setaffinity(0, {core % os.cpu_count()})
        with contextlib.suppress(OSError):
            os.nice(-10)
    return prepare


class Hub:
    """hub_server with a journal of its own."""

    name = "hub"

    def __init__(self, folder: pathlib.Path, devices: int, *, plain: bool = False, clock_rate: int = 1):
        shutil.rmtree(folder / "journal", ignore_errors=True)
        options = ["--quiet"] + ["--plain"] * plain + (["--clock-rate", str(clock_rate)] if clock_rate != 1 else [])
        self.process = subprocess.Popen([BIN / "hub_server", folder, *options, "--devices", f"{devices}={KEY}"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=on_core(SERVER_CORE))
        started = json.loads(self.process.stdout.readline())
        self.port = started["plain_port" if plain else "port"]

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(60)


class Mosquitto:
    name = "mosquitto"

    def __init__(self, folder: pathlib.Path, devices: int, *, plain: bool = False):
        del devices
        self.port = free_port()
        config = folder / "mosquitto.conf"
        secrets = folder / "secrets"
        tls = "" if plain else f"certfile {secrets}/server.crt\nkeyfile {secrets}/server.key\n"
        config.write_text(f"user root\npersistence false\nallow_anonymous true\nlog_type none\nlog_dest none\n"
                          f"connection_messages false\nlistener {self.port} 127.0.0.1\n{tls}")
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([program, "-c", config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=on_core(SERVER_CORE))
        time.sleep(0.5)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@contextlib.contextmanager
def generator(server, mode: str, *options):
    """picket-hub-load; yields a function that reads its next line of JSON."""
    process = subprocess.Popen([BIN / "picket-hub-load", mode, "--port", str(server.port), "--key", KEY, *map(str, options)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=on_core(GENERATOR_CORE))

    def line() -> dict:
        text = process.stdout.readline()
        if not text:
            raise RuntimeError(f"picket-hub-load {mode} against {server.name} ended without an answer")
        return json.loads(text)

    try:
        yield process, line
    finally:
        process.stdin.close()
        process.wait(60)


def work_per_cpu_s(server, mode: str, counter: str, *options) -> tuple[float, str]:
    with generator(server, mode, *options) as (_, line):
        line()
        before = support.cpu_seconds(server.process.pid)
        report = line()
        cpu = support.cpu_seconds(server.process.pid) - before
    if report["lost"]:
        raise RuntimeError(f"{server.name} lost {report['lost']} connections: {report['error']}")
    rate = report[counter] / report["seconds"]
    return report[counter] / cpu, (f"{report[counter] / cpu:,.0f} a CPU-s, {rate:,.0f}/s on the wall, server "
                                   f"{cpu / report['seconds']:.2f} of its core, generator "
                                   f"{report['cpu_s'] / report['seconds']:.2f}, p50 {report['p50_ms']:.1f} ms, "
                                   f"p99 {report['p99_ms']:.1f} ms")


def idle_kib(server, connections: int) -> tuple[float, str]:
    before = support.memory_mib(server.process.pid, "VmRSS")
    with generator(server, "hold", "--connections", connections, "--session") as (_, line):
        line()
        after = support.memory_mib(server.process.pid, "VmRSS")
    kib = (after - before) * 1024 / connections
    return kib, f"{kib:.2f} KiB a connection, {before:.1f} MiB before"


class Bench:
    def __init__(self, folder: pathlib.Path, rounds: int, seconds: float):
        self.folder, self.rounds, self.seconds = folder, rounds, seconds

    def alternate(self, title: str, measure, devices: int, **server_options) -> tuple[float, float]:
        """Medians: mosquitto's, the hub's."""
        values = {Mosquitto: [], Hub: []}
        for _ in range(self.rounds):
            for kind, found in values.items():
                server = kind(self.folder, devices, **server_options)
                try:
                    value, text = measure(server)
                finally:
                    server.stop()
                found.append(value)
                print(f"{title} {kind.name}: {text}", file=sys.stderr, flush=True)
        return statistics.median(values[Mosquitto]), statistics.median(values[Hub])

    def _publish(self, title: str, window: int, plain: bool) -> dict:
        def measure(server):
            return work_per_cpu_s(server, "pub", "acknowledged", "--connections", 50, "--window", window, "--seconds",
                                  self.seconds, *["--plain"] * plain)
        theirs, ours = self.alternate(title, measure, 50, plain=plain)
        return {f"{title}_ratio": (ours / theirs, "x"), f"{title}_hub": (ours, "messages/CPU-s"),
                f"{title}_mosquitto": (theirs, "messages/CPU-s")}

    def qos1_tls(self) -> dict:
        return self._publish("qos1_tls", 20, plain=False)

    def qos1_plain(self) -> dict:
        return self._publish("qos1_plain", 20, plain=True)

    def qos1_tls_w1(self) -> dict:
        return self._publish("qos1_tls_w1", 1, plain=False)

    def idle(self) -> dict:
        theirs, ours = self.alternate("idle_tls", lambda server: idle_kib(server, 2000), 2000)
        return {"idle_tls_ratio": (ours / theirs, "x"), "idle_tls_kib": (ours, "KiB"), "idle_tls_mosquitto": (theirs, "KiB")}

    def handshake(self) -> dict:
        def measure(server):
            return work_per_cpu_s(server, "hs", "handshakes", "--seconds", self.seconds)
        theirs, ours = self.alternate("handshake", measure, 4000)
        return {"handshake_ratio": (ours / theirs, "x"), "handshake_hub": (ours, "handshakes/CPU-s"),
                "handshake_mosquitto": (theirs, "handshakes/CPU-s")}

    def held(self) -> dict:
        count, silent = 10_000, 10
        server = Hub(self.folder, count + silent, clock_rate=CLOCK_RATE)
        try:
            with generator(server, "hold", "--connections", count, "--silent", silent, "--ping-seconds",
                           900 / CLOCK_RATE) as (process, line):
                line()
                server.process.stdin.write("\n")  # the clock runs fast from now on
                server.process.stdin.flush()
                time.sleep(24 * 3600 / CLOCK_RATE)
                process.stdin.close()
                report = line()
        finally:
            server.stop()
        print(f"held: {report}", file=sys.stderr)
        if report["silent_alive"] != 0:
            raise RuntimeError("connections that do not ping were held too: the clock was not accelerated")
        return {"connections_held": (report["alive"], "connections"), "held_pings": (report["pingresps"], "pings")}


TESTS = ("qos1_tls", "qos1_plain", "qos1_tls_w1", "idle", "handshake", "held")


def run(tests=TESTS, rounds: int = 3, seconds: float = 8) -> dict:
    with tempfile.TemporaryDirectory(prefix="picket-bench-") as name:
        folder = pathlib.Path(name)
        Hub(folder, 1).stop()  # makes the certificate that both use
        bench = Bench(folder, rounds, seconds)
        metrics = {}
        for test in tests:
            metrics |= getattr(bench, test)()
    return metrics


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/bench/hub.py")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("tests", nargs="*", metavar="TEST")
    arguments = parser.parse_args()
    for key, (value, unit) in run(arguments.tests or TESTS, arguments.rounds, arguments.seconds).items():
        print(f"{key} {value:g} {unit}")


if __name__ == "__main__":
    main()
