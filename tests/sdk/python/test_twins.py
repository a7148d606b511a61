"""azure-iot-device and azure-iot-hub: twins of devices and modules."""

import queue

import pytest
from azure.iot.device.exceptions import ClientError, ServiceError
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import Twin, TwinProperties
from hub import Device, service_string, until

both = pytest.mark.parametrize("websockets", [False, True], ids=["mqtt", "websocket"])


@pytest.fixture(scope="module")
def registry():
    return IoTHubRegistryManager.from_connection_string(service_string())


def desire(registry, device_id: str, desired: dict, etag: str = "*"):
    return registry.update_twin(device_id, Twin(properties=TwinProperties(desired=desired)), etag)


@both
def test_a_new_twin_is_empty_of_version_1(registry, websockets):
    client = Device().client(websockets=websockets)
    assert client.get_twin() == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    client.shutdown()


@both
def test_what_is_reported_is_merged_and_null_deletes(registry, websockets):
    device = Device()
    client = device.client(websockets=websockets)
    client.patch_twin_reported_properties({"fw": "1", "gone": True, "deep": {"a": 1, "b": 2}})
    client.patch_twin_reported_properties({"fw": "2", "gone": None, "deep": {"b": None}})
    reported = registry.get_twin(device.id).properties.reported
    assert {k: v for k, v in reported.items() if not k.startswith("$")} == {"fw": "2", "deep": {"a": 1}}
    assert reported["$version"] == 3
    assert client.get_twin()["reported"] == {"fw": "2", "deep": {"a": 1}, "$version": 3}
    client.shutdown()


@both
def test_desired_changes_arrive_as_patches(registry, websockets):
    device = Device()
    client = device.client(websockets=websockets)
    patches = queue.Queue()
    client.on_twin_desired_properties_patch_received = patches.put
    client.connect()
    client.get_twin()
    desire(registry, device.id, {"interval": 10})
    desire(registry, device.id, {"interval": 20, "extra": {"x": 1}})
    assert patches.get(timeout=30) == {"interval": 10, "$version": 2}
    assert patches.get(timeout=30) == {"interval": 20, "extra": {"x": 1}, "$version": 3}
    client.shutdown()


def test_the_module_has_a_twin_of_its_own(registry):
    device = Device()
    client = device.module_client()
    patches = queue.Queue()
    client.on_twin_desired_properties_patch_received = patches.put
    client.patch_twin_reported_properties({"agent": "on"})
    registry.update_module_twin(device.id, "DefenderIotMicroAgent",
                                Twin(properties=TwinProperties(desired={"baseline": True})), "*")
    assert patches.get(timeout=30)["baseline"] is True
    assert registry.get_module_twin(device.id, "DefenderIotMicroAgent").properties.reported["agent"] == "on"
    assert "agent" not in registry.get_twin(device.id).properties.reported
    client.shutdown()


def test_a_reported_property_that_breaks_a_rule_is_refused(registry):
    client = Device().client()
    with pytest.raises((ServiceError, ClientError)):
        client.patch_twin_reported_properties({"big": "x" * 5000})
    client.patch_twin_reported_properties({"fine": True})
    client.shutdown()


def test_replace_and_etags(registry):
    device = Device()
    first = desire(registry, device.id, {"old": 1})
    replaced = registry.replace_twin(device.id, Twin(tags={"new": 1}, properties=TwinProperties(desired={"kept": 2})), first.etag)
    assert replaced.tags == {"new": 1}
    assert "old" not in replaced.properties.desired and replaced.properties.desired["kept"] == 2
    with pytest.raises(Exception, match="412|Precondition"):
        desire(registry, device.id, {"late": 1}, first.etag)


def test_the_registry_shows_who_is_connected(registry):
    device = Device()
    client = device.client()
    client.connect()
    until(lambda: registry.get_twin(device.id).connection_state == "Connected", "Connected")
    client.shutdown()
    until(lambda: registry.get_twin(device.id).connection_state == "Disconnected", "Disconnected")
