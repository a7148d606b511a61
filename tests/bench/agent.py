"""./bench agent: what the agent costs and what it loses, beside auditd and other peers that Debian has.

Also alone, and in part:  python3 tests/bench/agent.py [--quick] [--no-cross] [TEST...]
with TEST of memory, idle, cpu, loss, overload, argv, urgent, sbom, binary. Needs root. Bin folder: PICKET_TEST_BIN, else
build/release/bin.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import agent_parts as parts
import support
from picket_server import BIN, ROOT, Server

METHOD = """
A real server and picket-agent with default settings and all collectors in their best tiers, on one machine; the agent runs as root,
speaks TLS to the server on loopback and spools to disk. Load: picket-agent-load starts a program of one instruction with a number in
its argv (posix_spawn), and makes accepted TCP connections to itself over loopback; each connection is four happenings (out and in,
opened and closed); it runs at nice -10. Other programs that run on the machine are seen and paid for too. CPU of the agent: its threads' schedstat and the
run time of its BPF programs (the kernel's own account). CPU of auditd: auditd and the kernel thread kauditd, with Debian's settings, rules
for execve, execveat and connect, backlog 8192; what audit costs within the system calls is not in it. cpu_*: 1,000 exec/s (of 600
commands) and 1,000 connect/s (to 250 addresses), after these have been seen once; agent and peers alternate, medians. cpu_first_percent: the
same with a new command each time, so that every exec is an event of its own that leaves at once. pss_kib: at the end of such a load; pss_peak_kib:
the highest from the start until the first snapshots have been sent; pss_scan_kib: the highest during later scans (SBoM, and the baseline
where its rules are built), and pss_after_scan_kib at least 10 s after them. idle: nothing done by the bench; what others did meanwhile is idle_records. loss: 2,000 exec/s, each with a unique argv, compared one by
one with the rows of the workspace; then repeats of 100 commands, whose hits must add up. lost_events: without a row; unaccounted_events: of
these, those that no counter of the agent tells of. overload: the agent is stopped (SIGSTOP) for 10 s of such loads; accounted is what
has a hit, or is counted as dropped. argv: share of unique execs at 1,000/s whose whole command line stands in the
workspace. urgent: from before posix_spawn to the journal's enqueued time. sbom: agent_sbom_bench. binary: stripped, tools/build_agent.sh sizes.
"""

COMMANDS, PEERS = 600, 250
SCAN_EVERY_S = 60
OVERLOAD_STOP_S = 10


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0


class Bench:
    def __init__(self, folder: pathlib.Path, quick: bool, cross: bool):
        self.folder, self.quick, self.cross = folder, quick, cross
        self.server = Server(folder).start()
        self.agents = 0

    def agent(self, settings: str = "") -> parts.MeasuredAgent:
        self.agents += 1
        name = f"bench-{self.agents}"
        return parts.MeasuredAgent(self.folder / name, self.server, name, settings)

    def running(self, settings: str = ""):
        return Running(self.agent(settings))

    # memory

    def memory(self) -> dict:
        rules = BIN.parent / "share/picket-agent/baseline.bin"
        scans = f'[collectors.sbom]\nevery = "{SCAN_EVERY_S}s"\n[collectors.baseline]\nevery = "{SCAN_EVERY_S}s"\n'
        agent = self.agent(scans + (f'content = "{rules}"\n' if rules.exists() else ""))
        agent.start()
        metrics = {}
        try:
            with parts.PssSamples(agent.process.pid) as samples:
                agent.wait_ready()
            metrics["pss_peak_kib"] = (samples.highest, "KiB")
            pid = agent.process.pid
            with parts.load(self.folder, "memory", 5 if self.quick else 20, exec_rate=1000, connect_rate=1000, commands=COMMANDS,
                            peers=PEERS) as finish:
                report = finish()
            metrics["pss_kib"] = (parts.pss_kib(pid), "KiB")
            status = agent.status()["aggregation"]
            metrics["live_aggregates"] = (status["entries"], "aggregates")
            metrics["aggregate_kib"] = (status["bytes"] / 1024, "KiB")
            metrics["kernel_locked_kib"] = (parts.locked_kernel_kib(pid), "KiB")
            note(f"memory: load {report}")
            for name in ("sbom", "baseline"):
                with contextlib.suppress(StopIteration):
                    note(f"memory: {agent.collector(name)}")
            with parts.PssSamples(pid) as samples:
                time.sleep(SCAN_EVERY_S + 5)  # one scan of each kind lies within
            metrics["pss_scan_kib"] = (samples.highest, "KiB")
            time.sleep(10)
            metrics["pss_after_scan_kib"] = (parts.pss_kib(pid), "KiB")
        finally:
            agent.stop()
        return metrics

    # CPU

    def idle(self) -> dict:
        seconds = 10 if self.quick else 60
        with self.running() as agent, parts.bpf_statistics():
            time.sleep(5)
            before, kernel = agent.kernel_and_user_ns(), sum(each["seen"] for each in agent.status()["collectors"])
            before = agent.kernel_and_user_ns()
            time.sleep(seconds)
            after = agent.kernel_and_user_ns()
            seen = sum(each["seen"] for each in agent.status()["collectors"]) - kernel
        return {"idle_cpu_percent": (percent(sum(after) - sum(before), seconds * 1e9), "%"), "idle_records": (seen, "records")}

    def _cost(self, watcher, tag: str, seconds: float, commands: int) -> tuple[float, float, dict]:
        """Percent of a core in kernel and user space while the load runs, after a second that shows everything once."""
        warm_s = 3
        with parts.load(self.folder, tag, seconds + warm_s + 1, exec_rate=1000, connect_rate=1000, commands=commands,
                        peers=PEERS) as finish:
            time.sleep(warm_s)
            begin, before = time.monotonic_ns(), watcher.kernel_and_user_ns()
            time.sleep(seconds)
            after, end = watcher.kernel_and_user_ns(), time.monotonic_ns()
            report = finish()
        kernel, user = (percent(a - b, end - begin) for a, b in zip(after, before))
        return kernel, user, report

    def cpu(self) -> dict:
        seconds, rounds = (3, 1) if self.quick else (10, 3)
        peers = [peer for peer in parts.PEERS if peer.available()]
        note(f"cpu: peers {', '.join(peer.name for peer in peers) or 'none'} of {', '.join(peer.name for peer in parts.PEERS)}")
        found: dict[str, list] = {}
        rates = []
        with parts.bpf_statistics():
            for each in range(rounds):
                with self.running() as agent:
                    found.setdefault("agent", []).append(self._cost(agent, f"cpu{each}", seconds, COMMANDS))
                for kind in peers:
                    peer = kind(self.folder)
                    try:
                        peer.start()
                        found.setdefault(kind.name, []).append(self._cost(peer, f"cpu{each}{kind.name}", seconds, COMMANDS))
                    finally:
                        peer.stop()
            with self.running() as agent:
                first = self._cost(agent, "first", seconds, 0)
        for name, costs in [*found.items(), ("first", [first])]:
            for kernel, user, report in costs:
                note(f"cpu {name}: kernel {kernel:.2f} %, user space {user:.2f} %, load {report}")
                rates += [(report["execs"] / report["seconds"], report["connects"] / report["seconds"])]
        whole = {name: statistics.median(kernel + user for kernel, user, _ in costs) for name, costs in found.items()}
        metrics = {"cpu_percent": (whole["agent"], "%"),
                   "cpu_kernel_percent": (statistics.median(kernel for kernel, _, _ in found["agent"]), "%"),
                   "cpu_first_percent": (sum(first[:2]), "%")}
        for kind in peers:
            metrics[f"cpu_{kind.name}_percent"] = (whole[kind.name], "%")
            metrics[f"cpu_ratio_{kind.name}"] = (whole["agent"] / whole[kind.name], "x")
        metrics["cpu_execs_per_s"] = (min(rate[0] for rate in rates), "1/s")
        metrics["cpu_connects_per_s"] = (min(rate[1] for rate in rates), "1/s")
        return metrics

    # loss

    def loss(self) -> dict:
        seconds = 5 if self.quick else 60
        metrics = {}
        with self.running() as agent:
            with parts.load(self.folder, "unique", seconds, exec_rate=2000) as finish:
                report = finish()
            agent.wait_sent()
            wanted = {number for number, _ in parts.listed(self.folder, "unique")}
            rows = agent.commands("unique", len(wanted))
            lost = len(wanted - rows.keys())
            told = self._dropped(agent)
            note(f"loss, unique: {report}, {len(rows)} rows, {lost} without one, the agent tells of {told}; "
                 f"process {agent.collector('process')}")
            metrics["loss_execs_per_s"] = (report["execs"] / report["seconds"], "1/s")
            metrics["lost_events"] = (lost, "events")
            metrics["doubled_events"] = (sum(hits - 1 for hits in rows.values()), "events")
            metrics["unaccounted_events"] = (max(0, lost - told) + self._unclosed(agent), "events")
        with self.running() as agent:
            with parts.load(self.folder, "repeat", seconds / 3, exec_rate=2000, commands=100) as finish:
                report = finish()
            time.sleep(1)
            open_account = self._unclosed(agent)
            agent.report_counted()
            rows = agent.commands("repeat", 100)
            note(f"loss, repeats: {report}, {sum(rows.values())} hits of {len(rows)} commands")
            metrics["repeat_missing_hits"] = (report["execs"] - sum(rows.values()) + open_account, "hits")
        return metrics

    @staticmethod
    def _dropped(agent) -> int:
        """What the agent says it lost of programs, anywhere on their way."""
        status, process = agent.status(), agent.collector("process")
        spool = status["spool"]["dropped"]["total"] * 1000  # messages; each may hold that many events
        return process["droppedKernel"] + process["droppedUser"] + status["outbox"]["droppedEvents"] + spool

    @staticmethod
    def _unclosed(agent) -> int:
        """What the account of the collector leaves open: the least in 15 s, since others start programs all the time and
        what they do lies in the ring for a moment."""
        least, end = None, time.monotonic() + 15
        while least != 0 and time.monotonic() < end:
            process = agent.collector("process")
            gap = abs(process["seen"] - process["delivered"] - process["droppedKernel"] - process["droppedUser"])
            least = gap if least is None else min(least, gap)
        return least

    def overload(self) -> dict:
        metrics = {}
        for tag, commands in (("overrepeat", 100), ("overunique", 0)):
            with self.running() as agent:
                before_s, stop_s = 2, 3 if self.quick else OVERLOAD_STOP_S
                with parts.load(self.folder, tag, before_s + stop_s + 2, exec_rate=2000, connect_rate=500, commands=commands,
                                peers=PEERS) as finish:
                    time.sleep(before_s)
                    agent.process.send_signal(signal.SIGSTOP)
                    try:
                        time.sleep(stop_s)
                    finally:
                        agent.process.send_signal(signal.SIGCONT)
                    report = finish()
                agent.wait_sent()
                dropped, open_account = self._dropped(agent), self._unclosed(agent)
                process = agent.collector("process")
                agent.report_counted()
                rows = agent.commands(tag, report["execs"])
                hits = sum(rows.values())
            note(f"{tag}: {report}, {hits} hits of {len(rows)} commands, {dropped} counted as dropped; process {process}")
            name = tag.removeprefix("over")
            metrics[f"overload_{name}_with_row_percent"] = (percent(hits, report["execs"]), "%")
            metrics[f"overload_{name}_accounted_percent"] = (
                min(100.0, percent(hits + dropped - open_account, report["execs"])), "%")
        return metrics

    # what is in an event, and when

    def argv(self) -> dict:
        metrics = {}
        for tier in ("ebpf", "tracepoint", "audit", "proc-connector"):
            agent = self.agent(f'[collectors.process]\ntier = "{tier}"\n')
            agent.start(tracefs=tier == "tracepoint")
            try:
                try:
                    agent.wait_ready()
                    reason = "" if agent.collector("process")["tier"] == tier else agent.collector("process")["reason"]
                except AssertionError as error:
                    reason = str(error)
                if reason:
                    note(f"argv: tier {tier} is not to be had here: {reason}")
                    continue
                tag = f"argv-{tier}"
                with parts.load(self.folder, tag, 3 if self.quick else 10, exec_rate=1000) as finish:
                    report = finish()
                agent.wait_sent()
                rows = agent.commands(tag, report["execs"])
                wanted = {number for number, _ in parts.listed(self.folder, tag)}
                note(f"argv {tier}: {report}, {len(rows)} whole; process {agent.collector('process')}")
            finally:
                agent.stop()
            key = tier.replace("-", "_")
            metrics[f"argv_complete_percent_{key}"] = (percent(len(wanted & rows.keys()), len(wanted)), "%")
        return metrics

    def urgent(self) -> dict:
        with self.running() as agent:
            with parts.load(self.folder, "urgent", 5 if self.quick else 40, exec_rate=25) as finish:
                finish()
            agent.wait_sent()
        at_hub = parts.arrivals(self.server.data / "journal", "urgent")
        latencies = [(at_hub[number] - at) / 1000 for number, at in parts.listed(self.folder, "urgent") if number in at_hub]
        return {"urgent_p50_ms": (support.percentile(latencies, 0.5), "ms"), "urgent_p99_ms": (support.percentile(latencies, 0.99), "ms"),
                "urgent_max_ms": (max(latencies), "ms"), "urgent_events": (len(latencies), "events")}

    # programs of their own

    def sbom(self) -> dict:
        program = next((path for path in (BIN.parent / "bench/agent_sbom_bench", ROOT / "build/release/bench/agent_sbom_bench")
                        if path.exists()), None)
        if program is None:
            note("sbom: agent_sbom_bench is not built")
            return {}
        text = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout
        units = {"packages": "packages", "ms": "ms", "kib": "KiB"}
        return {key: (float(value), units[key.rpartition("_")[2]]) for key, value in map(str.split, text.splitlines())}

    def binary(self) -> dict:
        if not self.cross:
            note("binary: left out (--no-cross)")
            return {}
        done = subprocess.run([ROOT / "tools/build_agent.sh", "sizes", "arm64", "armhf"], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            note("binary: the cross builds failed; --no-cross leaves them out")
            return {}
        return {key: (float(value), "KiB") for key, value in map(str.split, done.stdout.splitlines())}


class Running:
    """An agent that is ready, and ends with the block."""

    def __init__(self, agent: parts.MeasuredAgent):
        self.agent = agent

    def __enter__(self) -> parts.MeasuredAgent:
        self.agent.start()
        try:
            return self.agent.wait_ready()
        except BaseException:
            self.agent.stop()
            raise

    def __exit__(self, *_) -> None:
        self.agent.stop()


TESTS = ("memory", "idle", "cpu", "loss", "overload", "argv", "urgent", "sbom", "binary")


def run(tests=TESTS, quick: bool = False, cross: bool = True, keep: bool = False) -> dict:
    if os.geteuid() != 0:
        raise RuntimeError("the agent's best tiers need root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped then too
    folder = pathlib.Path(tempfile.mkdtemp(prefix="picket-bench-"))
    metrics = {}
    bench = None
    try:
        bench = Bench(folder, quick, cross)
        for test in tests:
            note(f"{test} ... (load average {os.getloadavg()[0]:.1f})")
            found = getattr(bench, test)()
            note("\n".join(f"    {key} {value:g} {unit}" for key, (value, unit) in found.items()))
            metrics |= found
    finally:
        if bench is not None:
            bench.server.stop()
        if keep:
            note(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return metrics


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/bench/agent.py")
    parser.add_argument("--quick", action="store_true", help="short loads, one round")
    parser.add_argument("--no-cross", action="store_true", help="no sizes of cross-built binaries")
    parser.add_argument("--keep", action="store_true", help="leave the folder with server, agents and lists behind")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("tests", nargs="*", metavar="TEST", choices=[[], *TESTS])
    arguments = parser.parse_args()
    metrics = run(arguments.tests or TESTS, arguments.quick, not arguments.no_cross, arguments.keep)
    if arguments.json:
        print(json.dumps({key: value for key, (value, _) in metrics.items()}))
        return
    for key, (value, unit) in metrics.items():
        print(f"{key} {value:g} {unit}")


if __name__ == "__main__":
    main()
