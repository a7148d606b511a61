"""A backup of a server under load, restored into an empty folder: everything acknowledged before it is there, once."""

import os
import shutil
import signal
import subprocess

from picket_server import BIN, Server, load, wait_for, write_identities


def picket(*arguments, check=True):
    return subprocess.run([BIN / "picket", *map(str, arguments)], text=True, capture_output=True, check=check, timeout=120)


def test_a_backup_under_load_becomes_a_server_that_lost_nothing(tmp_path):
    server = Server(tmp_path).start()
    backup = tmp_path / "backup"
    try:
        identities, acknowledged = tmp_path / "identities", tmp_path / "acknowledged"
        write_identities(server, identities, 4)
        with load(server, identities, messages_per_s=200, events=5, seconds=6, run=7, attack_every=100,
                  acknowledged_file=acknowledged) as finish:
            wait_for(lambda: server.scalar("SecurityIoTRawEvent | count") > 500, 60, "events come in")
            server.settled()
            before = server.scalar("SecurityIoTRawEvent | count")
            alerts_before = {alert["id"] for alert in server.alerts()}
            # One that is killed leaves no backup.
            half = subprocess.Popen([BIN / "picket", "backup", "create", tmp_path / "half", "--data", server.data])
            half.send_signal(signal.SIGKILL)
            half.wait()
            assert picket("restore", tmp_path / "half", "--data", tmp_path / "x", check=False).returncode != 0
            picket("backup", "create", backup, "--data", server.data)
            report = finish(120)
        assert report["complete"], report
    finally:
        server.stop()
    picket("backup", "check", backup)

    shutil.rmtree(server.data)
    picket("restore", backup, "--data", server.data)
    again = Server(tmp_path).start()
    try:
        again.settled()
        assert again.scalar("SecurityIoTRawEvent | count") >= before
        assert again.scalar("SecurityIoTRawEvent | summarize n = count() by IoTRawEventId, DeviceId | where n > 1 | count") == 0
        wait_for(lambda: alerts_before <= {alert["id"] for alert in again.alerts()}, 60, "the alerts are there")
    finally:
        again.stop()

    damaged = backup / "state/state.sqlite"
    with open(damaged, "r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    refused = picket("restore", backup, "--data", tmp_path / "y", check=False)
    assert refused.returncode == 1 and os.fspath(damaged) in refused.stderr, refused.stderr
    assert not (tmp_path / "y").exists()
