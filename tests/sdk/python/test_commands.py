"""azure-iot-hub sends over AMQP, azure-iot-device receives over MQTT; file upload."""

import queue
import urllib.request
import uuid

import certifi
import pytest
from azure.iot.hub import IoTHubRegistryManager
from hub import CA, FOLDER, Device, service_string

both = pytest.mark.parametrize("websockets", [False, True], ids=["mqtt", "websocket"])


@pytest.fixture(scope="module", autouse=True)
def trusted_authority():
    """uAMQP trusts what certifi names; it has no option for another authority."""
    path = FOLDER / "authorities.pem"
    path.write_text(CA)
    original, certifi.where = certifi.where, lambda: str(path)
    yield
    certifi.where = original


@pytest.fixture(scope="module")
def registry():
    return IoTHubRegistryManager.from_connection_string(service_string())


@both
def test_a_message_arrives_with_its_properties(registry, websockets):
    device = Device()
    client = device.client(websockets=websockets)
    inbox = queue.Queue()
    client.on_message_received = inbox.put
    client.connect()
    message_id = str(uuid.uuid4())
    registry.send_c2d_message(device.id, "turn left", {"messageId": message_id, "correlationId": "c 1",
                                                       "speed": "slow & steady"})
    got = inbox.get(timeout=30)
    assert got.data == b"turn left"
    assert (got.message_id, got.correlation_id) == (message_id, "c 1")
    assert got.custom_properties["speed"] == "slow & steady"
    client.shutdown()


def test_messages_wait_for_the_device_in_order(registry):
    device = Device()
    for n in range(3):
        registry.send_c2d_message(device.id, f"waiting {n}")
    client = device.client()
    inbox = queue.Queue()
    client.on_message_received = inbox.put
    client.connect()
    assert [inbox.get(timeout=30).data for _ in range(3)] == [b"waiting 0", b"waiting 1", b"waiting 2"]
    client.shutdown()


def test_a_file_is_put_by_its_ticket(registry):
    device = Device()
    client = device.client()
    ticket = client.get_storage_info_for_blob("log.txt")
    assert ticket["blobName"] == f"{device.id}/log.txt"
    uri = f"https://{ticket['hostName']}/{ticket['containerName']}/{ticket['blobName']}{ticket['sasToken']}"
    request = urllib.request.Request(uri, b"a line\n", {"x-ms-blob-type": "BlockBlob"}, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201
    client.notify_blob_upload_status(ticket["correlationId"], True, 200, "done")
    client.shutdown()
