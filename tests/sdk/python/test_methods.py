"""azure-iot-device and azure-iot-hub: direct methods."""

import threading
import time

import pytest
from azure.iot.device import MethodResponse
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod
from hub import Device, service_string

both = pytest.mark.parametrize("websockets", [False, True], ids=["mqtt", "websocket"])


@pytest.fixture(scope="module")
def registry():
    return IoTHubRegistryManager.from_connection_string(service_string())


def method(name: str, payload=None, response: int = 10, connect: int = 0) -> CloudToDeviceMethod:
    return CloudToDeviceMethod(method_name=name, payload=payload, response_timeout_in_seconds=response,
                               connect_timeout_in_seconds=connect)


def answering(client, answer):
    client.on_method_request_received = lambda request: client.send_method_response(
        MethodResponse.create_from_method_request(request, *answer(request)))
    client.connect()


@both
def test_a_method_is_answered_with_status_and_payload(registry, websockets):
    device = Device()
    client = device.client(websockets=websockets)
    answering(client, lambda request: (201, {"name": request.name, "echo": request.payload}))
    result = registry.invoke_device_method(device.id, method("reboot", {"delay": 5}))
    assert (result.status, result.payload) == (201, {"name": "reboot", "echo": {"delay": 5}})
    client.shutdown()


def test_a_module_has_methods_of_its_own(registry):
    device = Device()
    client = device.module_client()
    answering(client, lambda request: (200, "module"))
    result = registry.invoke_device_module_method(device.id, "DefenderIotMicroAgent", method("selftest", {}))
    assert (result.status, result.payload) == (200, "module")
    with pytest.raises(Exception, match="Not Found"):
        registry.invoke_device_method(device.id, method("selftest", {}))
    client.shutdown()


def test_no_answer_in_time_is_504(registry):
    device = Device()
    client = device.client()
    client.on_method_request_received = lambda request: None
    client.connect()
    with pytest.raises(Exception, match="504|Timeout"):
        registry.invoke_device_method(device.id, method("sleep", {}, response=5))
    client.shutdown()


def test_a_device_that_is_away_is_404103(registry):
    with pytest.raises(Exception) as failure:
        registry.invoke_device_method(Device().id, method("reboot", {}))
    assert "DeviceNotOnline" in failure.value.response.text or "404103" in failure.value.response.text


def test_connect_timeout_waits_for_the_device(registry):
    device = Device()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(
        registry.invoke_device_method(device.id, method("late", 1, connect=20))))
    waiting.start()
    time.sleep(0.5)
    client = device.client()
    answering(client, lambda request: (200, "there"))
    waiting.join(40)
    assert [(a.status, a.payload) for a in answers] == [(200, "there")]
    client.shutdown()
