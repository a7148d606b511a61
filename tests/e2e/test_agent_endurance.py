"""What takes an agent minutes: a hub that is away, and more connections than any table holds."""

import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest
from picket_agent import Agent
from picket_server import Server, wait_for
from test_agent_bad_input import QUIET, marker
from two_hosts import hub_side

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs a network of its own and the collectors of root")]

OUTAGE_S = 120
CONNECTIONS = 100_000
# 4 MiB is the aim at 1,000 connections a second; here they come as fast as they can, each to an address of its own.
PSS_KIB_MAX = 5 * 1024
PSS_PEAK_KIB_MAX = 6 * 1024


def test_two_minutes_without_a_hub_lose_nothing_and_wear_nobody_out(server, tmp_path):
    agent = Agent(tmp_path / "agent", server, "left-alone", QUIET).start().wait_connected()
    try:
        before = agent.status()["uplink"]["attempts"]
        server.stop()
        word, ran, end = marker(), 0, time.monotonic() + OUTAGE_S
        while time.monotonic() < end:
            subprocess.run(["/bin/echo", f"{word}-{ran}"], stdout=subprocess.DEVNULL, check=True)
            ran += 1
            time.sleep(0.2)
        status = agent.status()
        assert status["uplink"]["problem"] == "network" and status["uplink"]["state"] != "connected", status["uplink"]
        # The back-off doubles from a fraction of a second: some ten attempts in two minutes, not hundreds.
        assert 4 <= status["uplink"]["attempts"] - before <= 40, status["uplink"]
        assert status["spool"]["bytes"] <= 8 << 20 and status["spool"]["dropped"]["total"] == 0, status["spool"]
        assert status["spool"]["messages"] > 0
        server.start()
        ours = f'| where RawEventName == "ProcessCreate" and EventDetails has "{word}"'
        wait_for(lambda: agent.rows(f"{ours} | summarize dcount(EventDetails)") >= ran, 300, f"all {ran} programs")
        assert agent.rows(f"{ours} | count") == ran, "each once"
        assert agent.status()["spool"]["dropped"]["total"] == 0
    finally:
        agent.stop()


def pss_kib(pid: int) -> int:
    return int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M).group(1))


class Watch:
    """The largest PSS of a process, looked at ten times a second."""

    def __init__(self, pid: int):
        self.pid, self.peak_kib, self.ended = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.ended.wait(0.1):
            self.peak_kib = max(self.peak_kib, pss_kib(self.pid))

    def close(self) -> int:
        self.ended.set()
        self.thread.join()
        return self.peak_kib


def connect_to_everybody(count: int) -> None:
    """`count` connections that stood, each to an address and port that nobody was asked for before."""
    address = lambda i: f"127.{1 + i // 65536}.{i // 256 % 256}.{i % 256}"
    with socket.create_server(("0.0.0.0", 4712), backlog=4096) as listener:
        for i in range(count):
            with socket.socket() as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # leaves no port behind
                one.connect((address(i), 4712))
                listener.accept()[0].close()


def test_a_hundred_thousand_connections_stay_within_the_memory_and_are_accounted_for(tmp_path):
    with hub_side():
        server = Server(tmp_path).start()
        quiet = QUIET.replace("[collectors.network]\nenabled = false\n", "") + "[collectors.process]\nenabled = false\n"
        agent = Agent(tmp_path / "agent", server, "sociable", quiet).start().wait_connected()
        try:
            network = lambda: next(each for each in agent.status()["collectors"] if each["name"] == "network")
            seen = network()["seen"]
            watch = Watch(agent.process.pid)
            began = time.monotonic()
            connect_to_everybody(CONNECTIONS)
            took = time.monotonic() - began
            wait_for(lambda: network()["seen"] - seen + network()["droppedKernel"] >= CONNECTIONS, 120, "all are seen or counted as lost")
            after, peak = pss_kib(agent.process.pid), watch.close()
            each, status = network(), agent.status()
            print(f"{CONNECTIONS} connections in {took:.0f} s, tier {each['tier']}: PSS {after} KiB, at most {peak} KiB; {each}; "
                  f"{status['aggregation']}; {status['spool']['dropped']}")
            assert each["seen"] == each["delivered"] + each["droppedKernel"] + each["droppedUser"], each
            assert after <= PSS_KIB_MAX, f"{after} KiB"
            assert peak <= PSS_PEAK_KIB_MAX, f"{peak} KiB"
        finally:
            agent.stop()
            server.stop()
