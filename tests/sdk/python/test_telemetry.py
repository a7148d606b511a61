"""azure-iot-device: connecting and sending, over MQTT and MQTT in WebSocket."""

import azure.iot.device.exceptions as failures
import pytest
from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient, Message
from hub import HOST, Device, key_of, raw_event, rows, security_message, trusting

both = pytest.mark.parametrize("websockets", [False, True], ids=["mqtt", "websocket"])


@both
def test_a_security_message_becomes_a_raw_event_of_its_device(websockets):
    device = Device()
    client = device.client(websockets=websockets)
    client.send_message(security_message(f"mark-{device.id}"))
    row = raw_event(f"mark-{device.id}")
    assert (row["DeviceId"], row["RawEventName"]) == (device.id, "ProcessCreate")
    client.shutdown()


@both
def test_a_module_sends_with_its_own_key_also_to_an_output(websockets):
    device = Device()
    client = device.module_client(websockets=websockets)
    client.send_message(security_message(f"module-{device.id}"))
    client.send_message_to_output(Message("to an output"), "out1")
    assert raw_event(f"module-{device.id}")["DeviceId"] == device.id
    client.shutdown()


@both
def test_a_module_may_listen_to_its_inputs(websockets):
    """Only IoT Edge routes messages to modules: the hub grants the subscription, and has nothing to send."""
    device = Device()
    client = device.module_client(websockets=websockets)
    heard = []
    client.connect()
    client.on_message_received = heard.append
    client.send_message(security_message(f"listens-{device.id}"))
    raw_event(f"listens-{device.id}")
    assert heard == []
    client.shutdown()


@both
def test_properties_an_empty_body_and_255_kib_pass(websockets):
    device = Device()
    client = device.client(websockets=websockets)
    message = Message('{"hello":"hub"}', message_id="id 1", content_encoding="utf-8", content_type="application/json")
    message.correlation_id, message.user_id = "c1", "u1"
    message.custom_properties["alert lvl"] = "hi&there=é"
    client.send_message(message)
    client.send_message(Message(""))
    client.send_message(Message("x" * (255 * 1024)))
    client.shutdown()


@both
def test_a_wrong_key_is_refused(websockets):
    device, other = Device(), Device()
    device.string = device.string.replace(key_of(device.string), key_of(other.string))
    client = device.client(websockets=websockets, connection_retry=False)
    with pytest.raises(failures.CredentialError):
        client.connect()
    client.shutdown()


def test_the_module_of_that_id_needs_its_own_token():
    device = Device()
    client = IoTHubModuleClient.create_from_connection_string(
        f"HostName={HOST};DeviceId={device.id};ModuleId=DefenderIotMicroAgent;SharedAccessKey={key_of(device.string)}",
        **trusting({"connection_retry": False}))
    with pytest.raises(failures.CredentialError):
        client.connect()
    client.shutdown()


def test_the_secondary_key_opens_too():
    from azure.iot.hub import IoTHubRegistryManager
    from hub import service_string

    device = Device()
    registered = IoTHubRegistryManager.from_connection_string(service_string()).get_device(device.id)
    key = registered.authentication.symmetric_key.secondary_key
    client = IoTHubDeviceClient.create_from_connection_string(
        f"HostName={HOST};DeviceId={device.id};SharedAccessKey={key}", **trusting({"connection_retry": False}))
    client.connect()
    client.shutdown()


def test_many_messages_at_once_are_all_stored():
    device = Device()
    client = device.client()
    for i in range(100):
        client.send_message(security_message(f"burst-{i}-{device.id}"))
    rows(f'SecurityIoTRawEvent | where DeviceId == "{device.id}" | distinct IoTRawEventId', 100)
    client.shutdown()


def test_a_second_connection_evicts_the_first():
    device = Device()
    first = device.client(auto_connect=False, connection_retry=False)
    first.connect()
    second = device.client(auto_connect=False, connection_retry=False)
    second.connect()
    from hub import until
    until(lambda: not first.connected, "the first is told")
    second.send_message(security_message(f"stays-{device.id}"))
    raw_event(f"stays-{device.id}")
    second.shutdown()
    first.shutdown()
