"""A damaged middle of the journal is named with its place; nobody passes it but by the operator's decision."""

import subprocess
import uuid

from mqtt_client import Device
from picket_server import BIN, Server, wait_for
from test_bad_input import message



def journal_command(name: str, server: Server) -> subprocess.CompletedProcess:
    return subprocess.run([BIN / "picket", "journal", name, "--data", server.data], text=True, capture_output=True)


def send(server: Server, device: Device, count: int, **payload) -> None:
    connection, code = device.open()
    assert code == 0
    for i in range(count):
        connection.publish(device.topic, message(**payload), i + 1)
    connection.close()


def test_a_damaged_middle_stops_the_pipeline_until_the_operator_decides(tmp_path):
    server = Server(tmp_path).start()
    try:
        device = Device(server, server.add_device("d-" + uuid.uuid4().hex[:8]))
        send(server, device, 5)
        assert journal_command("check", server).returncode == 2, "a running server is not disturbed"
        server.kill()

        # One byte in the middle of a record that the workspace has not sealed yet.
        segment = sorted((server.data / "journal").glob("*"), key=lambda p: p.stat().st_size)[-1]
        raw = bytearray(segment.read_bytes())
        records = len(raw.rstrip(b"\0"))  # room for later ones stands behind them
        at = raw.find(b"/bin/true", records // 2)
        assert at > 0
        raw[at] ^= 0xFF
        segment.write_bytes(raw)

        server.start()
        wait_for(lambda: server.get("/status")["pipeline"]["stopped_at_corruption"] == 1, 20, "the pipeline says it stopped")
        assert "damaged" in server.log_path.read_text() or "corrupt" in server.log_path.read_text()
        send(server, device, 3)  # the hub still takes messages, durably
        server.stop()

        checked = journal_command("check", server)
        assert checked.returncode == 1
        assert segment.name in checked.stdout and "bytes" in checked.stdout
        accepted = journal_command("accept-loss", server)
        assert accepted.returncode == 0, accepted.stderr
        server.start()
        server.settled()
        # One of the first five is lost; everything else is there, once.
        rows = f'SecurityIoTRawEvent | where DeviceId == "{device.device_id}"'
        assert server.scalar(f"{rows} | count") == 7
        assert server.scalar(f"{rows} | distinct IoTRawEventId | count") == 7
    finally:
        server.stop()
