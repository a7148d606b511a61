"""What must outlive a connection, and the server: tokens are renewed, the hub is killed, and subscriptions stay."""

import queue
import time

import pytest
from azure.iot.device import MethodResponse
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, Twin, TwinProperties
from hub import Device, ask, raw_event, security_message, service_string


class Listener:
    """A device that listens to everything."""

    def __init__(self, **options):
        self.device = Device()
        self.client = self.device.client(**options)
        self.patches = queue.Queue()
        self.client.on_twin_desired_properties_patch_received = self.patches.put
        self.client.on_method_request_received = lambda request: self.client.send_method_response(
            MethodResponse.create_from_method_request(request, 200, request.payload))
        self.client.connect()
        self.client.get_twin()

    def everything_works(self, registry: IoTHubRegistryManager, mark: str) -> None:
        self.client.send_message(security_message(f"{mark}-{self.device.id}"))
        raw_event(f"{mark}-{self.device.id}")
        registry.update_twin(self.device.id, Twin(properties=TwinProperties(desired={"round": mark})), "*")
        while self.patches.get(timeout=30)["round"] != mark:
            pass
        method = CloudToDeviceMethod(method_name="echo", payload=mark, response_timeout_in_seconds=15,
                                     connect_timeout_in_seconds=10)
        assert registry.invoke_device_method(self.device.id, method).payload == mark


@pytest.mark.parametrize("websockets", [False, True], ids=["mqtt", "websocket"])
def test_after_renewal_and_after_kill_every_subscription_still_works(websockets):
    registry = IoTHubRegistryManager.from_connection_string(service_string())
    listener = Listener(websockets=websockets)
    listener.everything_works(registry, "first")
    # The SDK renews 120 s before the end of a token; its own call does now what it would do then.
    listener.client._mqtt_pipeline.reauthorize_connection(callback=lambda **_: None)
    time.sleep(2)
    listener.everything_works(registry, "renewed")
    ask("kill")
    listener.everything_works(registry, "killed")
    listener.client.shutdown()
