"""What a broken or hostile device does ends in a clear error or a dead-letter row, and touches nobody else."""

import json
import socket
import ssl
import time
import uuid

import pytest
from mqtt_client import Connection, Device, connect_packet
from picket_server import wait_for


def message(name: str = "ProcessCreate", version: str = "3.0", **payload) -> bytes:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    item = {"Executable": "/bin/true", "ProcessId": 1, "ParentProcessId": 0, "UserId": "0", "CommandLine": "/bin/true"}
    return json.dumps({
        "AgentVersion": "test", "AgentId": str(uuid.uuid4()), "MessageSchemaVersion": version, "SentUtc": now,
        "Events": [{"Id": str(uuid.uuid4()), "TimestampLocal": now, "TimestampUTC": now, "Category": "Triggered",
                    "Name": name, "EventType": "Security", "IsEmpty": False, "PayloadSchemaVersion": "1.0",
                    "Payload": [item | payload]}]}).encode()


@pytest.fixture
def device(shared_server):
    return Device(shared_server, shared_server.add_device("d-" + uuid.uuid4().hex[:12]))


@pytest.fixture(autouse=True)
def others_are_untouched(shared_server):
    """A healthy device sends before, during and after each test."""
    good = Device(shared_server, shared_server.add_device("good-" + uuid.uuid4().hex[:12]))
    connection, code = good.open()
    assert code == 0
    connection.publish(good.topic, message(), 1)
    yield
    connection.publish(good.topic, message(), 2)
    shared_server.settled()
    assert shared_server.scalar(f'SecurityIoTRawEvent | where DeviceId == "{good.device_id}" | count') == 2
    connection.close()


def dead_letters(server, device) -> list[dict]:
    return server.query(f'DeadLetter | where DeviceId == "{device.device_id}"')


def sent(server, device, body: bytes) -> None:
    connection, code = device.open()
    assert code == 0
    connection.publish(device.topic, body)
    connection.close()
    server.settled()


def test_a_message_above_the_limit_ends_the_connection(shared_server, device):
    connection, code = device.open()
    assert code == 0
    try:
        connection.send(b"\x32")  # the whole packet may not be read any more when the server closes
        connection.socket.sendall(__import__("mqtt_client").publish_packet(device.topic, message(Pad="x" * 300_000), 1)[1:])
    except OSError:
        pass
    assert connection.is_closed_by_server()


def test_broken_json_becomes_a_dead_letter(shared_server, device):
    sent(shared_server, device, b'{"AgentVersion":"x", "Events":[}')
    rows = dead_letters(shared_server, device)
    assert len(rows) == 1
    assert "json" in rows[0]["Where"]
    assert rows[0]["Offset"] > 0


def test_an_unknown_schema_version_becomes_a_dead_letter(shared_server, device):
    sent(shared_server, device, message(version="9.7"))
    rows = dead_letters(shared_server, device)
    assert len(rows) == 1
    assert rows[0]["Where"] == "message.schema_version"


def test_the_good_events_of_a_mixed_message_are_kept(shared_server, device):
    mixed = json.loads(message())
    mixed["Events"].append({"Id": "too short"})
    sent(shared_server, device, json.dumps(mixed).encode())
    assert shared_server.scalar(f'SecurityIoTRawEvent | where DeviceId == "{device.device_id}" | count') == 1
    assert len(dead_letters(shared_server, device)) == 1


def test_a_topic_of_another_device_ends_the_connection(shared_server, device):
    other = Device(shared_server, shared_server.add_device("other-" + uuid.uuid4().hex[:12]))
    connection, code = device.open()
    assert code == 0
    connection.send(__import__("mqtt_client").publish_packet(other.topic, message(), 1))
    assert connection.is_closed_by_server()
    shared_server.settled()
    assert shared_server.scalar(f'SecurityIoTRawEvent | where DeviceId == "{other.device_id}" | count') == 0


@pytest.mark.parametrize("make_token", [
    lambda d: d.token(expiry=time.time() - 3600),
    lambda d: d.token()[:-1] + "0" if d.token()[-1] != "0" else d.token()[:-1] + "1",
    lambda d: d.token(resource=d.host + "/devices/someone-else"),
    lambda d: d.token(resource=d.host + "/devices/" + d.device_id[:-1]),
    lambda d: "SharedAccessSignature sr=x",
    lambda d: "",
], ids=["expired", "changed", "other device", "prefix of the id", "incomplete", "empty"])
def test_a_bad_token_is_refused(shared_server, device, make_token):
    connection, code = device.open(make_token(device))
    assert code in (4, 5)
    assert connection.is_closed_by_server()


def test_a_client_that_never_finishes_its_handshake_is_dropped(shared_server):
    raw = socket.create_connection(("127.0.0.1", shared_server.mqtt_port), 30)
    raw.sendall(b"\x16\x03\x01")
    raw.settimeout(120)
    assert raw.recv(1) == b""


def test_half_open_connections_push_out_only_each_other(shared_server, device):
    held, code = device.open()
    assert code == 0
    sockets = []
    try:
        for _ in range(1200):
            try:
                sockets.append(socket.create_connection(("127.0.0.1", shared_server.mqtt_port), 5))
            except OSError:
                break  # refused at the door is an answer too
        held.publish(device.topic, message(), 7)
    finally:
        for one in sockets:
            one.close()
    wait_for(lambda: device_can_connect(shared_server), 30, "new devices can connect again")


def device_can_connect(server) -> bool:
    fresh = Device(server, server.add_device("fresh-" + uuid.uuid4().hex[:12]))
    try:
        connection, code = fresh.open()
    except (OSError, ssl.SSLError):
        return False
    connection.close()
    return code == 0


def test_what_is_no_mqtt_is_closed(shared_server):
    connection = Connection(shared_server)
    connection.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert connection.is_closed_by_server()


def test_the_first_packet_must_be_small_and_a_connect(shared_server):
    connection = Connection(shared_server)
    connection.send(connect_packet("x" * 6000, "u", "p"))
    assert connection.is_closed_by_server()
