"""An emulated machine (never KVM): boots a kernel with the agent in its file system, runs commands in it, plugs USB devices."""

import base64
import json
import os
import pathlib
import re
import select
import socket
import subprocess
import time

from initramfs import Initramfs
from kernels import Kernel

HERE = pathlib.Path(__file__).resolve().parent
BOOT_S_MAX = 600  # 20 s on an idle machine
COMMAND_S_MAX = 300
SENDINGS_MAX = 5
# A busy host gives the machine no time for seconds: neither its timer nor its processor is broken then.
LATE_IS_FINE = "no_timer_check nowatchdog rcupdate.rcu_cpu_stall_suppress=1"


class Guest:
    """Files of the machine are given before boot(). The host is 10.0.2.2 in it, and only the host's loopback is reached."""

    def __init__(self, kernel: Kernel, folder: pathlib.Path):
        self.kernel, self.folder = kernel, folder
        self.image, self.module_folder = kernel.image_and_modules()
        self.files = Initramfs()
        self.files.add("init", HERE / "guest_init.sh")
        self.files.add("bin/busybox", kernel.busybox())
        self.files.add_modules(self.module_folder, list(kernel.modules))
        self.process = None
        self._seen = b""
        self._number = 0
        self._lost = ""  # what it did not answer to

    def boot(self) -> "Guest":
        self.files.write(self.folder / "initramfs")
        console = self.kernel.console
        command = [*self.kernel.emulator, "-accel", "tcg,tb-size=128", "-m", str(self.kernel.memory_mib), "-smp", "1",
                   "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
                   "-netdev", "user,id=net,restrict=off", "-device", f"{self.kernel.network_device},netdev=net",
                   "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off", "-kernel", str(self.image),
                   "-initrd", str(self.folder / "initramfs"),
                   "-append", f"console={console} loglevel=4 panic=-1 audit=1 random.trust_cpu=on {LATE_IS_FINE}"]
        if self.kernel.usb:
            (self.folder / "stick").write_bytes(bytes(1 << 20))
            command += ["-blockdev", f"driver=file,node-name=stick,filename={self.folder}/stick"]
        with open(self.folder / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        os.set_blocking(self.process.stdout.fileno(), False)
        self._until(re.compile(rb"@READY\n"), BOOT_S_MAX, "the kernel boots")
        self.run(f"date -s @{int(time.time())}")
        return self

    def run(self, command: str, timeout_s: float = COMMAND_S_MAX, check: bool = True) -> str:
        """Output (both streams) of a line for busybox' sh; a failed command is a failed test."""
        assert not self._lost, f"the machine is lost since: {self._lost}"
        for _ in range(SENDINGS_MAX):
            self._number += 1
            line = f"{self._number} {base64.b64encode(command.encode()).decode()}"
            self._send(line)
            got = self._until(re.compile(rb"@GOT ([^\n]*)\n"), timeout_s, f"the machine takes: {command[:200]}")
            if got[1].decode(errors="replace") == line:
                break
            self._send("no")
        self._send(f"go{self._number}")
        found = self._until(re.compile(rb"@BEGIN %d\n(.*?)@END %d (\d+)\n" % (self._number, self._number), re.DOTALL),
                            timeout_s, f"the machine runs: {command[:200]}")
        output = base64.b64decode(found[1]).decode(errors="replace")
        assert not check or found[2] == b"0", f"{command[:500]}\nended with {found[2].decode()}:\n{output[-4000:]}"
        return output

    def qmp(self, command: str, **arguments) -> None:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(60)
            monitor.connect(str(self.folder / "qmp"))
            lines = monitor.makefile("rw")
            lines.readline()  # its greeting
            for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                lines.write(json.dumps(request) + "\n")
                lines.flush()
                while "return" not in (answer := json.loads(lines.readline())):
                    assert "error" not in answer, f"{request}: {answer['error']}"

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _send(self, line: str) -> None:
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def _until(self, pattern: re.Pattern, timeout_s: float, what: str) -> re.Match:
        end = time.monotonic() + timeout_s
        while not (found := pattern.search(self._seen)):
            left = end - time.monotonic()
            ready = left > 0 and select.select([self.process.stdout], [], [], left)[0]
            more = self.process.stdout.read() if ready else None
            if more:
                self._seen += more.replace(b"\r", b"")
                continue
            self._lost = what
            why = f"not within {timeout_s} s" if not ready else f"the emulator ended with {self.process.wait(30)}"
            raise AssertionError(f"{self.kernel.name}: {what}: {why}; {(self.folder / 'qemu.log').read_text()[-2000:]}\n"
                                 f"last on its console:\n{self._seen[-4000:].decode(errors='replace')}")
        self._seen = self._seen[found.end():]
        return found
