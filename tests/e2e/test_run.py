"""The newcomer's path: ./run --detach, the README's first steps, ./run --stop."""

import os
import pathlib
import subprocess

from picket_server import BIN, ROOT, free_port, wait_for


def test_run_shows_events_of_this_machine_and_stops_again(tmp_path):
    ports = [str(free_port()) for _ in range(4)]
    environment = dict(os.environ, XDG_CONFIG_HOME=str(tmp_path / "config"))
    options = ["--data", str(tmp_path / "data"), "--mqtt-port", ports[0], "--portal-port", ports[1],
               "--amqp-port", ports[2], "--https-port", ports[3]]
    query = "SecurityIoTRawEvent | summarize count() by RawEventName"
    started = subprocess.run([ROOT / "run", "--detach", *options], env=environment, text=True, capture_output=True,
                             timeout=600)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        assert f"https://localhost:{ports[1]}" in started.stdout
        assert "Secret" in started.stdout
        wanted = {"ProcessCreate", "ConnectionCreate", "SystemInformation", "Heartbeat"}

        def all_come() -> bool:
            text = subprocess.run([BIN / "picket", "query", query], env=environment, text=True, capture_output=True).stdout
            return all(name in text for name in wanted)
        wait_for(all_come, 120, f"events of the kinds {wanted}")
        again = subprocess.run([ROOT / "run", "--detach", *options], env=environment, text=True, capture_output=True)
        assert again.returncode == 0 and "running already" in again.stdout
    finally:
        stopped = subprocess.run([ROOT / "run", "--stop", *options], env=environment, text=True, capture_output=True)
    assert stopped.returncode == 0
    gone = subprocess.run([BIN / "picket", "query", query], env=environment, text=True, capture_output=True)
    assert gone.returncode == 3
    assert "cannot reach" in gone.stderr
    for secret in (tmp_path / "data/server/secrets").iterdir():
        if not secret.name.endswith(".crt"):
            assert secret.stat().st_mode & 0o077 == 0, secret
