"""The packets that SDKs send, one by one, and what they must not send."""

import json
import struct
import threading
import time
import uuid

import pytest
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod
from hub import HOST, Device, ask, key_of, rows, service_string
from packets import (CONNACK, PINGRESP, PUBACK, SECURITY, USER_AGENT, Line, packet, sas, security_body, telemetry, text)


# 2.2 in order

@pytest.mark.parametrize("user", [
    "{host}/{id}/?api-version=2021-04-12&" + USER_AGENT,
    "{host}/{id}/?api-version=2021-04-12&model-id=dtmi:com:example:Thermostat;1&" + USER_AGENT,
    "{host}/{id}/?api-version=2018-06-30",
    "{host}/{id}/api-version=2016-11-14",
    "{host}/{id}",
], ids=["node", "model", "old", "without question mark", "bare"])
def test_connect_is_granted_with_user_name(user):
    device = Device()
    assert Line(device, user=user.format(host=HOST, id=device.id)).connack() == (0, 0)


def test_publish_with_a_full_bag_is_acknowledged_and_stored():
    device = Device()
    line = Line(device).granted()
    line.publish(telemetry(device, "%24.mid=id%201&%24.cid=c1&%24.uid=u1&%24.ct=application%2Fjson&%24.ce=utf-8&" + SECURITY
                           + "&alert%20lvl=hi%26there%3D%C3%A9"), security_body(f"bag-{device.id}"))
    assert line.read() == (PUBACK, struct.pack(">H", 7))
    assert rows(f'SecurityIoTRawEvent | where EventDetails has "bag-{device.id}"')[0]["DeviceId"] == device.id


def test_the_dollar_may_also_stand_unencoded():
    device = Device()
    line = Line(device).granted()
    line.publish(telemetry(device, "$.mid=1&$.ct=application%2Fjson&$.ce=utf-8&$.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1/"),
                 security_body(f"dollar-{device.id}"))
    assert line.read()[0] == PUBACK
    rows(f'SecurityIoTRawEvent | where EventDetails has "dollar-{device.id}"')


def test_an_empty_body_is_legal_and_qos_0_is_silent():
    device = Device()
    line = Line(device).granted()
    line.publish(telemetry(device), b"", qos=0)
    line.publish(telemetry(device), b"", packet_id=8)
    assert line.read() == (PUBACK, struct.pack(">H", 8))


def test_each_subscription_of_an_sdk_is_granted_with_its_qos():
    device = Device()
    line = Line(device).granted()
    assert line.subscribe((f"devices/{device.id}/messages/devicebound/#", 1)) == [1]
    assert line.subscribe(("$iothub/methods/POST/#", 0)) == [0]
    assert line.subscribe(("$iothub/twin/res/#", 0)) == [0]
    assert line.subscribe(("$iothub/twin/PATCH/properties/desired/#", 0)) == [0]


@pytest.mark.parametrize("filter_", ["inputs/#", "#"])
def test_a_module_is_granted_its_inputs(filter_):
    device = Device()
    module = f"{device.id}/DefenderIotMicroAgent"
    token = sas(f"{HOST}/devices/{device.id}/modules/DefenderIotMicroAgent", key_of(device.module_string), time.time() + 3600)
    line = Line(device, client_id=module, token=token).granted()
    assert line.subscribe((f"devices/{device.id}/modules/DefenderIotMicroAgent/{filter_}", 1)) == [1]


def test_a_twin_is_asked_for_with_one_space():
    device = Device()
    line = Line(device).granted()
    line.subscribe(("$iothub/twin/res/#", 0))
    request = str(uuid.uuid4())
    line.publish(f"$iothub/twin/GET/?$rid={request}", b" ", qos=0)
    topic, body = line.read_publish()
    assert topic == f"$iothub/twin/res/200/?$rid={request}"
    assert json.loads(body) == {"desired": {"$version": 1}, "reported": {"$version": 1}}


def test_a_reported_patch_is_answered_with_204_and_the_version():
    device = Device()
    line = Line(device).granted()
    line.subscribe(("$iothub/twin/res/#", 0))
    line.publish("$iothub/twin/PATCH/properties/reported/?$rid=r1", b'{"fw":"2","gone":null}', qos=0)
    topic, body = line.read_publish()
    assert topic == "$iothub/twin/res/204/?$rid=r1&$version=2"
    assert body == b""


@pytest.mark.parametrize("patch", [b"not json", b"[1]", b'{"a.b":1}', b'{"a$b":1}', b'{"deep":' * 12 + b"1" + b"}" * 12,
                                   b'{"big":"' + b"x" * 40_000 + b'"}'],
                         ids=["no json", "array", "dotted key", "reserved key", "too deep", "too big"])
def test_a_bad_patch_is_answered_with_an_error_body(patch):
    device = Device()
    line = Line(device).granted()
    line.subscribe(("$iothub/twin/res/#", 0))
    line.publish("$iothub/twin/PATCH/properties/reported/?$rid=r1", patch, qos=0)
    topic, body = line.read_publish()
    assert topic.startswith(("$iothub/twin/res/400/", "$iothub/twin/res/413/")), topic
    assert json.loads(body)["errorCode"] and json.loads(body)["message"]


def test_a_method_goes_out_with_a_request_id_and_is_answered_under_it():
    device = Device()
    line = Line(device).granted()
    line.subscribe(("$iothub/methods/POST/#", 0))
    answers = []
    registry = IoTHubRegistryManager.from_connection_string(service_string())
    caller = threading.Thread(target=lambda: answers.append(registry.invoke_device_method(
        device.id, CloudToDeviceMethod(method_name="reboot", payload={"a": 1}, response_timeout_in_seconds=15))))
    caller.start()
    topic, body = line.read_publish()
    assert topic.startswith("$iothub/methods/POST/reboot/?$rid=") and json.loads(body) == {"a": 1}
    line.publish(f"$iothub/methods/res/200/?{topic.partition('?')[2]}", b'"done"', qos=0)
    caller.join(30)
    assert (answers[0].status, answers[0].payload) == (200, "done")


def test_ping_is_answered_and_disconnect_ends():
    line = Line(Device()).granted()
    line.send(b"\xC0\x00")
    assert line.read() == (PINGRESP, b"")
    line.send(b"\xE0\x00")
    assert line.is_closed()


def test_a_session_outlives_its_connection():
    device = Device()
    line = Line(device).granted()
    line.subscribe(("$iothub/twin/res/#", 0))
    line.send(b"\xE0\x00")
    line.is_closed()
    again = Line(device)
    assert again.connack() == (1, 0)
    again.publish("$iothub/twin/GET/?$rid=2", b" ", qos=0)
    assert again.read_publish()[0] == "$iothub/twin/res/200/?$rid=2"
    clean = Line(device, clean=True)
    assert clean.connack() == (0, 0)
    assert Line(device).connack() == (0, 0)


# 2.3, acceptance

def test_the_old_connection_is_closed_before_the_new_connack():
    device = Device()
    old = Line(device).granted()
    Line(device).granted()
    old.socket.settimeout(5)
    assert old.is_closed()


@pytest.mark.parametrize("seconds", [-60, -100_000])
def test_an_expired_token_is_refused(seconds):
    device = Device()
    line = Line(device, token=sas(f"{HOST}/devices/{device.id}", key_of(device.string), time.time() + seconds))
    assert line.connack()[1] == 5


def test_sr_of_another_device_is_refused():
    device, other = Device(), Device()
    line = Line(device, token=sas(f"{HOST}/devices/{other.id}", key_of(device.string), time.time() + 600))
    assert line.connack()[1] == 5


def test_sr_is_a_prefix_by_segment():
    device = Device()
    cut = sas(f"{HOST}/devices/{device.id[:-1]}", key_of(device.string), time.time() + 600)
    assert Line(device, token=cut).connack()[1] == 5


def test_client_id_and_user_name_must_name_the_same_device():
    device, other = Device(), Device()
    assert Line(device, client_id=other.id).connack()[1] == 5
    assert Line(device, user=f"{HOST}/{other.id}/?api-version=2021-04-12").connack()[1] == 5


def test_a_module_with_the_devices_token_is_refused():
    device = Device()
    line = Line(device, client_id=f"{device.id}/DefenderIotMicroAgent")
    assert line.connack()[1] == 5


def test_the_sixth_subscription_closes():
    device = Device()
    line = Line(device).granted()
    filters = [f"devices/{device.id}/messages/devicebound/#", "$iothub/methods/POST/#", "$iothub/twin/res/#",
               "$iothub/twin/PATCH/properties/desired/#", "$iothub/streams/POST/#", "$iothub/commands/#"]
    line.send(packet(0x82, struct.pack(">H", 30) + b"".join(text(f) + b"\0" for f in filters)))
    assert line.is_closed()


def test_subscribing_with_qos_2_grants_1():
    device = Device()
    assert Line(device).granted().subscribe((f"devices/{device.id}/messages/devicebound/#", 2)) == [1]


@pytest.mark.parametrize("filter_", ["#", "+/#", "$iothub/#", "devices/#", "devices/+/messages/devicebound/#",
                                     "devices/someone-else/messages/devicebound/#", "$SYS/#"])
def test_no_filter_of_ones_own(filter_):
    device = Device()
    assert Line(device).granted().subscribe((filter_, 0)) == [0x80]


@pytest.mark.parametrize("topic", ["devices/someone-else/messages/events/", "devices/{id}/modules/m/messages/events/", "anything",
                                   "$iothub/twin/PATCH/properties/desired/?$rid=1", "$iothub/twin/res/200/?$rid=1",
                                   "$iothub/methods/POST/reboot/?$rid=1"])
def test_publishing_elsewhere_closes(topic):
    device = Device()
    line = Line(device).granted()
    line.publish(topic.format(id=device.id), b"x", qos=0)
    assert line.is_closed()


def test_publishing_with_qos_2_closes():
    device = Device()
    line = Line(device).granted()
    line.publish(telemetry(device), b"x", qos=2)
    assert line.is_closed()


def test_a_message_over_256_kib_closes_and_one_below_passes():
    device = Device()
    line = Line(device).granted()
    line.publish(telemetry(device), b"x" * (255 * 1024))
    assert line.read()[0] == PUBACK
    try:
        line.publish(telemetry(device), b"x" * (257 * 1024))
    except OSError:
        pass
    assert line.is_closed()


def test_a_retained_message_is_not_kept_but_marked():
    device = Device()
    line = Line(device).granted()
    line.publish(telemetry(device, SECURITY), security_body(f"retained-{device.id}"), retain=True)
    assert line.read()[0] == PUBACK
    rows(f'SecurityIoTRawEvent | where EventDetails has "retained-{device.id}"')
    line.subscribe((f"devices/{device.id}/messages/devicebound/#", 1))
    line.send(b"\xC0\x00")
    assert line.read() == (PINGRESP, b"")


def test_the_will_is_telemetry_when_nobody_said_goodbye():
    device = Device()
    for farewell, expected in ((b"\xE0\x00", False), (b"", True)):
        mark = f"will-{expected}-{device.id}".lower()
        line = Line(device, will=(telemetry(device, SECURITY), security_body(mark))).granted()
        if farewell:
            line.send(farewell)
            assert line.is_closed()
        line.close()
        if expected:
            rows(f'SecurityIoTRawEvent | where EventDetails has "{mark}"')
    assert ask("rows", query=f'SecurityIoTRawEvent | where EventDetails has "will-false-{device.id}"') == []


def test_silence_of_one_and_a_half_keep_alives_ends():
    line = Line(Device(), keep_alive=2).granted()
    begin = time.monotonic()
    line.socket.settimeout(20)
    assert line.is_closed()
    assert time.monotonic() - begin >= 2.9


def test_mqtt_5_is_told_that_its_version_is_not_spoken():
    device = Device()
    line = Line(device, send_connect=False)
    line.send(packet(0x10, text("MQTT") + bytes([5, 0x02]) + struct.pack(">H", 60) + b"\0" + text(device.id)))
    kind, body = line.read()
    assert (kind, body[1]) == (CONNACK, 0x84)
    assert line.is_closed()


def test_the_first_packet_must_be_connect():
    line = Line(Device(), send_connect=False)
    line.send(b"\xC0\x00")
    assert line.is_closed()
