"""The agent's programs for other architectures, on this kernel by qemu-user, against a real server."""

import json
import shutil
import subprocess

import pytest
from picket_agent import Agent
from picket_server import ROOT, wait_for

EMULATORS = {"arm64": "qemu-aarch64-static", "armhf": "qemu-arm-static", "riscv64": "qemu-riscv64-static"}
BUILD_S_MAX = 3600


@pytest.fixture(scope="module", params=EMULATORS)
def command(request) -> list[str]:
    """Emulator and program; the program is built here."""
    emulator = EMULATORS[request.param]
    assert shutil.which(emulator), f"{emulator} is missing; apt-get install qemu-user-static"
    built = subprocess.run([ROOT / "tools/build_agent.sh", request.param], text=True, capture_output=True, timeout=BUILD_S_MAX)
    assert built.returncode == 0, built.stderr
    return [emulator, str(ROOT / built.stdout.strip())]


class EmulatedAgent(Agent):
    def __init__(self, command: list[str], *rest):
        super().__init__(*rest)
        self.command = command

    def start(self) -> "EmulatedAgent":
        with open(self.folder / "agent.log", "ab") as log:
            self.process = subprocess.Popen([*self.command, "run", "--config", self.config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def run(self, *arguments: str, timeout_s: float = 180) -> subprocess.CompletedProcess:
        return subprocess.run([*self.command, *arguments, "--config", self.config], text=True, capture_output=True,
                              timeout=timeout_s)


def test_says_which_tiers_are_left(command):
    done = subprocess.run([*command, "preflight", "--json", "--config", "/dev/null"], text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    text = json.dumps(json.loads(done.stdout))
    assert "Function not implemented" in text and "procfs" in text


def test_connects_reports_and_passes_the_self_test(command, server, tmp_path):
    agent = EmulatedAgent(command, tmp_path / "agent", server, "emulated").start()
    try:
        wait_for(lambda: agent.rows("| count") > 0, 180, f"events arrive; see {agent.folder}/agent.log")
        for name in ("SystemInformation", "Heartbeat"):
            wait_for(lambda: agent.rows(f'| where RawEventName == "{name}" | count') > 0, 180, name)
        # Long enough for a tier that looks at /proc again and again.
        with subprocess.Popen(["/bin/sleep", "1234.5678"]) as seen:
            try:
                wait_for(lambda: agent.rows('| where RawEventName == "ProcessCreate" and EventDetails has "1234.5678" | count') > 0,
                         180, "a process of this machine")
            finally:
                seen.kill()
        done = agent.run("selftest", "--timeout", "120s")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        agent.stop()
    assert agent.process.returncode == 0, (agent.folder / "agent.log").read_text()[-4000:]
