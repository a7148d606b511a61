"""The agent as a service: what it tells the service manager, and its Debian package."""

import os
import shutil
import socket
import subprocess

import pytest
from picket_agent import Agent
from picket_server import BIN, ROOT


class OnlyFiles:
    """In place of a server that is not there: the agent's life does not depend on it."""
    mqtt_port = 1

    def __init__(self, folder):
        self.ca_file = folder / "ca.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        folder / "ca.key", "-out", self.ca_file, "-subj", "/CN=nobody"], check=True, capture_output=True)

    def add_device(self, device_id: str) -> str:
        return f"HostName=localhost;DeviceId={device_id};SharedAccessKey=a2V5"


def test_tells_the_service_manager_ready_alive_and_stopping(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
        agent = Agent(tmp_path / "agent", OnlyFiles(tmp_path), "service").start()
        try:
            said = [manager.recv(1000).decode()]
            while said.count("WATCHDOG=1") < 4 or not any(text.startswith("STATUS=") for text in said):
                said.append(manager.recv(1000).decode())
            assert said[0] == "READY=1"
            assert any(text.startswith("STATUS=not connected: network: ") for text in said), said
            assert set(said[1:]) == {"WATCHDOG=1"} | {text for text in said if text.startswith("STATUS=")}
            agent.process.terminate()
            while said[-1] != "STOPPING=1":
                said.append(manager.recv(1000).decode())
            assert agent.process.wait(60) == 0
        finally:
            agent.stop()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("dpkg-deb"), reason="needs root and dpkg")
def test_the_package_installs_upgrades_takes_over_and_leaves_nothing(tmp_path):
    program = tmp_path / "picket-agent"
    subprocess.run(["llvm-strip-19", "-o", program, BIN / "picket-agent"], check=True)
    done = subprocess.run([ROOT / "packaging/deb/install_test.sh", program], text=True, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
