"""An emulated device with the agent, connected to a real server of this machine."""

import json
import os
import pathlib
import re
import subprocess

from guest import Guest
from kernels import ROOT, Kernel, checked
from picket_server import Server, wait_for

BUILD_S_MAX = 3600
EVENT_S_MAX = float(os.environ.get("PICKET_QEMU_EVENT_S_MAX", "180"))
HOST = "10.0.2.2"
TRIPLES = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "armhf": "arm-linux-gnueabihf", "riscv64": "riscv64-linux-gnu"}


def built_agent(arch: str) -> pathlib.Path:
    if given := os.environ.get("PICKET_QEMU_AGENTS"):  # a folder of agent-ARCH/picket-agent that were built before
        return pathlib.Path(given) / f"agent-{arch}/picket-agent"
    return ROOT / checked([ROOT / "tools/build_agent.sh", arch], BUILD_S_MAX).splitlines()[-1]


def built_helper(arch: str, folder: pathlib.Path) -> pathlib.Path:
    program = folder / "login_as"
    checked(["clang-19", f"--target={TRIPLES[arch]}", f"--sysroot={ROOT}/build/sysroot-{arch}", "-fuse-ld=lld-19", "-static", "-Os",
             "-Wall", "-Werror", ROOT / "tests/qemu/login_as.c", "-o", program], 120)
    return program


class Device:
    def __init__(self, kernel: Kernel, folder: pathlib.Path, server: Server):
        self.kernel, self.server, self.name = kernel, server, f"emulated-{kernel.name}"
        self.guest = Guest(kernel, folder)
        files = self.guest.files
        files.add("usr/sbin/picket-agent", built_agent(kernel.arch))
        files.add("usr/bin/login_as", built_helper(kernel.arch, folder))
        files.add("etc/picket-agent/connection", f"{server.add_device(self.name)};GatewayHostName={HOST}:{server.mqtt_port}\n", 0o600)
        files.add("etc/picket-agent/ca.crt", server.ca_file, 0o644)
        files.add("etc/picket-agent/agent.toml", 'connection_string_file = "/etc/picket-agent/connection"\n'
                  'ca_file = "/etc/picket-agent/ca.crt"\ncollectors.file_system.paths = "/tmp/watched"\n', 0o600)
        files.add("etc/passwd", "root::0:0:root:/root:/bin/sh\n", 0o644)
        files.add("etc/group", "root:x:0:\n", 0o644)
        for log in ("btmp", "wtmp"):
            files.add(f"var/log/{log}", b"", 0o600)
        self.pid = 0

    def boot(self) -> "Device":
        self.guest.boot()
        self.guest.run("mkdir -p /tmp/place /tmp/watched")
        return self

    def run(self, command: str, **more) -> str:
        return self.guest.run(command, **more)

    def restart(self, *tiers: str) -> None:
        """Ends the agent if it runs and starts it with these tiers forced, e.g. "process=procfs"; returns when it watches."""
        if self.pid:
            # A process that has ended stays in the table until PID 1 asks for it, but has no program any more.
            self.run(f"kill {self.pid}; for i in $(seq 600); do [ -e /proc/{self.pid}/exe ] || exit 0; usleep 100000; done; exit 1")
        options = " ".join(f"--tier {tier}" for tier in tiers)
        self.pid = int(self.run(f"picket-agent run {options} >>/tmp/agent.log 2>&1 </dev/null & echo $!"))
        wait_for(lambda: self.status() is not None, EVENT_S_MAX, "the agent answers", every_s=1)

    def status(self) -> dict | None:
        text = self.run(f"[ -e /proc/{self.pid}/exe ] || {{ cat /tmp/agent.log; exit 9; }}; picket-agent status --json || true")
        try:
            return json.loads(text)
        except ValueError:
            return None

    def tiers(self, collector: str) -> list[str]:
        """Those that work here, best first, as preflight sees it."""
        rows = json.loads(self.run("picket-agent preflight --json"))["rows"]
        return [row["name"] for row in rows if row["topic"] == collector and row["state"] != "missing"]

    def tier(self, collector: str) -> str:
        return next(row["tier"] for row in self.status()["collectors"] if row["name"] == collector)

    def events(self, name: str, having: str) -> list[dict]:
        """Payloads that this device sent and the server stored."""
        rows = self.server.query(f'SecurityIoTRawEvent | where DeviceId == "{self.name}" and RawEventName == "{name}" '
                                 f'and EventDetails has "{having}"')
        return [row["EventDetails"] if isinstance(row["EventDetails"], dict) else json.loads(row["EventDetails"]) for row in rows]

    def event(self, name: str, having: str, **fields) -> dict:
        """Waits for the first that has these fields."""
        def find():
            return [e for e in self.events(name, having) if all(e.get(key) == value for key, value in fields.items())]
        try:
            return wait_for(find, EVENT_S_MAX, f"{name} with {having} and {fields}", every_s=0.5)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}\nevents: {self.events(name, having)}\n{self.run('tail -n 30 /tmp/agent.log')}") from None

    def memory_kib(self) -> dict[str, int]:
        text = self.run(f"cat /proc/{self.pid}/smaps_rollup /proc/{self.pid}/status")
        found = dict(re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE))
        return {key: int(found[key]) for key in ("Rss", "Pss", "Private_Dirty", "VmHWM")}
