"""Parts of ./bench agent: an agent that is measured, its load, what the hub received, and the peers beside it."""

import contextlib
import ctypes
import gzip
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import struct
import subprocess
import threading
import time

import support  # first: it says where the end-to-end tests are
from picket_agent import Agent
from picket_server import BIN, wait_for

CHILD = BIN / "picket-agent-load-child"
AUDIT_KEY = "picket-bench"
BPF_SYSCALL = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "armv7l": 386}
BPF_ENABLE_STATS = 32


def cpu_ns(pid: int) -> int:
    """Time on a CPU of all threads of a process, as the scheduler counts it."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += int((task / "schedstat").read_text().split()[0])
    return total


def pss_kib(pid: int) -> int:
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])


def locked_kernel_kib(pid: int) -> float:
    """Kernel memory of the BPF maps and programs of a process, which is in no process's PSS."""
    return sum(int(found["memlock"]) for found in bpf_objects(pid).values()) / 1024


def bpf_objects(pid: int) -> dict:
    """fdinfo of the BPF programs and maps that a process holds, by kind and id."""
    out = {}
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = dict(line.split(":\t", 1) for line in info.read_text().splitlines() if ":\t" in line)
            for kind in ("prog", "map"):
                if f"{kind}_id" in fields and "memlock" in fields:
                    out[kind, fields[f"{kind}_id"]] = fields
    return out


def bpf_ns(pid: int) -> int:
    """What the BPF programs of a process took so far in the contexts of others; counts within bpf_statistics()."""
    return sum(int(fields["run_time_ns"]) for fields in bpf_objects(pid).values() if "run_time_ns" in fields)


@contextlib.contextmanager
def bpf_statistics():
    """The kernel accounts the run time of BPF programs until this is left, also by a crash: a descriptor holds it."""
    attribute = ctypes.create_string_buffer(128)  # type BPF_STATS_RUN_TIME is 0
    fd = ctypes.CDLL(None, use_errno=True).syscall(BPF_SYSCALL[platform.machine()], BPF_ENABLE_STATS, attribute, 128)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "the kernel does not account BPF programs")
    try:
        yield
    finally:
        os.close(fd)


class MeasuredAgent(Agent):
    """Default settings: what a device gets."""

    TRACEFS = 'mount -t tracefs nodev /sys/kernel/tracing; exec "$@"'

    def start(self, tracefs: bool = False) -> "MeasuredAgent":
        """With tracefs in a mount namespace of its own, where this machine has none mounted."""
        if not tracefs:
            return super().start()
        with open(self.folder / "agent.log", "ab") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", self.TRACEFS, "sh", BIN / "picket-agent", "run", "--config",
                                             self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def kernel_and_user_ns(self) -> tuple[int, int]:
        return bpf_ns(self.process.pid), cpu_ns(self.process.pid)

    def status(self) -> dict:
        """Asked again when a busy machine let it wait for too long."""
        for _ in range(10):
            with contextlib.suppress(json.JSONDecodeError, subprocess.TimeoutExpired):
                return super().status()
            assert self.process.poll() is None, f"the agent ended:\n{self.log()[-2000:]}"
            time.sleep(1)
        raise AssertionError("the agent does not tell its status")

    def collector(self, name: str) -> dict:
        return next(each for each in self.status()["collectors"] if each["name"] == name)

    def wait_ready(self) -> "MeasuredAgent":
        """Connected, its collectors open, and what the start itself found has left."""
        def ready():
            assert self.process.poll() is None, f"the agent ended:\n{self.log()[-2000:]}"
            with contextlib.suppress(json.JSONDecodeError):
                status = super(MeasuredAgent, self).status()
                return status["uplink"]["state"] == "connected" and status["spool"]["messages"] == 0
        wait_for(ready, 60, f"the agent is connected:\n{self.log()[-2000:]}", 0.5)
        time.sleep(2)
        return self

    def wait_sent(self, timeout_s: float = 300) -> None:
        """Everything counted so far that leaves at once has been acknowledged by the hub."""
        time.sleep(1)
        wait_for(lambda: self.status()["spool"]["messages"] == 0, timeout_s, "the spool is sent", 0.5)
        self.server.settled(timeout_s)

    def report_counted(self) -> None:
        """Ends the agent, which reports what it has counted, and sends that by a new start."""
        self.stop()
        self.start()
        self.wait_ready()
        self.wait_sent()

    def log(self) -> str:
        return (self.folder / "agent.log").read_text(errors="replace")

    def commands(self, tag: str, highest: int) -> dict[str, int]:
        """Hits in the workspace by the number that a load of this tag gave to a program; complete command lines only."""
        found: dict[str, int] = {}
        for ten_thousand in range(highest // 10_000 + 1):  # an answer has a limit of rows
            for row in self.server.query(
                    f'SecurityIoTRawEvent | where DeviceId == "{self.device_id}" and RawEventName == "ProcessCreate" '
                    f'and EventDetails contains "{CHILD} {tag} {ten_thousand:04}" | project EventDetails'):
                details = json.loads(row["EventDetails"])
                command, _, number = details["CommandLine"].removesuffix(" x").rpartition(" ")
                if command != f"{CHILD} {tag}" or not details["CommandLine"].endswith(" x"):
                    continue
                found[number] = found.get(number, 0) + int(details.get("HitCount", 1))
        return found


def before_others() -> None:
    """The load comes first, or it would be less of one on a machine that others use."""
    with contextlib.suppress(OSError):
        os.nice(-10)


@contextlib.contextmanager
def load(folder: pathlib.Path, tag: str, seconds: float, **options):
    """picket-agent-load in the background; yields a function that waits for its end and gives its report."""
    arguments = [str(x) for key, value in options.items() for x in ("--" + key.replace("_", "-"), value)]
    process = subprocess.Popen([BIN / "picket-agent-load", "--child", CHILD, "--tag", tag, "--seconds", str(seconds), "--list",
                                folder / f"{tag}.list", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               preexec_fn=before_others)

    def finish() -> dict:
        text, _ = process.communicate(timeout=seconds * 2 + 60)
        return json.loads(text)

    try:
        yield finish
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def listed(folder: pathlib.Path, tag: str) -> list[tuple[str, int]]:
    """What the load started: number, and microseconds since the epoch before it."""
    return [(number, int(time_us)) for number, time_us in map(str.split, (folder / f"{tag}.list").read_text().splitlines())]


class PssSamples:
    """The highest PSS of a process between enter and exit."""

    def __init__(self, pid: int, every_s: float = 0.01):
        self.pid, self.every_s, self.highest = pid, every_s, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._end.wait(self.every_s):
            with contextlib.suppress(OSError, TypeError):
                self.highest = max(self.highest, pss_kib(self.pid))

    def __enter__(self) -> "PssSamples":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join()


def arrivals(journal: pathlib.Path, tag: str) -> dict[str, int]:
    """When the hub put a load's programs into its journal (docs/formats/journal.md): microseconds by number."""
    found: dict[str, int] = {}
    pattern = re.compile(re.escape(f"{CHILD} {tag} ").encode() + rb"(\d{8}) x")
    for path in sorted(journal.rglob("*.journal")):
        data, at = path.read_bytes(), 64
        while at + 44 <= len(data):
            length, enqueued, kind = struct.unpack_from("<I", data, at)[0], *struct.unpack_from("<QB", data, at + 16)
            if length < 44 or at + length > len(data):
                break
            body_bytes = struct.unpack_from("<I", data, at + 40)[0]
            body = data[at + length - body_bytes:at + length]
            if kind == 1:
                if body[:2] == b"\x1f\x8b":
                    body = gzip.decompress(body)
                for number in pattern.findall(body):
                    found.setdefault(number.decode(), enqueued)
            at += length
    return found


class Auditd:
    """Debian's auditd with its shipped settings but for its folder, and the rules for the same events."""

    name = "auditd"
    RULES = (("-F", "arch=b64", "-S", "execve", "-S", "execveat"), ("-F", "arch=b64", "-S", "connect"))

    def __init__(self, folder: pathlib.Path):
        self.folder = folder / "auditd"
        self.process = None
        self.before = {}

    @classmethod
    def available(cls) -> bool:
        """Installed, and none is running: the kernel tells only one."""
        if shutil.which("auditd", path="/usr/sbin:/sbin:/usr/bin") is None:
            return False
        return "\npid 0\n" in cls.control("-s")

    @staticmethod
    def control(*arguments: str) -> str:
        return subprocess.run(["/sbin/auditctl", *arguments], text=True, capture_output=True, check=True).stdout

    def start(self) -> "Auditd":
        self.before = dict(line.split()[:2] for line in self.control("-s").splitlines())
        (self.folder / "plugins.d").mkdir(parents=True, exist_ok=True)
        shipped = pathlib.Path("/etc/audit/auditd.conf").read_text()
        own = {"log_file": self.folder / "audit.log", "plugin_dir": self.folder / "plugins.d"}
        lines = [line for line in shipped.splitlines() if line.split("=")[0].strip() not in own]
        config = self.folder / "auditd.conf"
        config.write_text("\n".join(lines + [f"{key} = {value}" for key, value in own.items()]) + "\n")
        config.chmod(0o640)
        self.process = subprocess.Popen(["/sbin/auditd", "-n", "-c", self.folder, "-s", "enable"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: f"\npid {self.process.pid}\n" in self.control("-s"), 20, "auditd has the kernel's ear")
        self.control("-b", "8192")
        for rule in self.RULES:
            self.control("-a", "always,exit", *rule, "-k", AUDIT_KEY)
        time.sleep(1)
        return self

    def kernel_and_user_ns(self) -> tuple[int, int]:
        kauditd = next(int(p.parent.name) for p in pathlib.Path("/proc").glob("[0-9]*/comm") if p.read_text() == "kauditd\n")
        return cpu_ns(kauditd), cpu_ns(self.process.pid)

    def stop(self) -> None:
        for rule in self.RULES:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.control("-d", "always,exit", *rule, "-k", AUDIT_KEY)
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        if self.before:
            self.control("-e", self.before["enabled"])
            self.control("-b", self.before["backlog_limit"])
        shutil.rmtree(self.folder, ignore_errors=True)


class Forkstat:
    """Debian's forkstat: exec events of the proc connector, command lines from procfs; no connections."""

    name = "forkstat"

    def __init__(self, folder: pathlib.Path):
        self.output = folder / "forkstat.log"
        self.process = None

    @staticmethod
    def available() -> bool:
        return shutil.which("forkstat", path="/usr/sbin:/usr/bin") is not None

    def start(self) -> "Forkstat":
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(["forkstat", "-e", "exec", "-x"], stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.DEVNULL)
        time.sleep(1)
        return self

    def kernel_and_user_ns(self) -> tuple[int, int]:
        return 0, cpu_ns(self.process.pid)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.output.unlink(missing_ok=True)


PEERS = (Auditd, Forkstat)
