"""Threat intelligence from the feed to the alert: a listed address, a name that is listed only later, a server that is killed."""

import json
import time
import uuid

from mqtt_client import Device
from picket_server import wait_for


def event(name: str, **payload) -> dict:
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return {"Id": str(uuid.uuid4()), "TimestampLocal": now, "TimestampUTC": now, "Category": "Triggered", "Name": name,
            "EventType": "Security", "IsEmpty": False, "PayloadSchemaVersion": "1.0", "Payload": [payload]}


def send(server, device: Device, *events: dict) -> None:
    connection, code = device.open()
    assert code == 0
    body = {"AgentVersion": "1", "AgentId": "a", "MessageSchemaVersion": "3.0", "Events": list(events)}
    connection.publish(device.topic, json.dumps(body).encode())
    connection.close()
    server.settled()


def connection_to(address: str) -> dict:
    return event("ConnectionCreate", RemoteAddress=address, RemotePort="443", Direction="Out", Protocol="tcp", ProcessId=7,
                 Executable="/usr/bin/updater", Result="Success")


def properties(server, alert: dict) -> str:
    return json.dumps(server.get(f"/alerts/{alert['id']}"))


def test_what_feeds_list_raises_alerts_at_once_later_and_after_a_kill(server, tmp_path):
    device = Device(server, server.add_device("press-17"))
    # Before anything is listed.
    send(server, device, event("Dns", QueryName="cdn.later.example", QueryType="A", ResponseCode="NOERROR"),
         connection_to("192.0.2.66"))
    assert not server.alerts(type="IoT_TiConnection")

    feed = tmp_path / "bots.txt"
    feed.write_text("192.0.2.77 # Mirai\n10.0.0.5\nnot an indicator\n")
    added = server.cli("intelligence", "feed", "add", "bots", "--source", str(feed), "--licence", "CC0", "--wait")
    assert "2 indicators, 1 kept out by warning lists, 1 left out" in added.stdout
    send(server, device, connection_to("192.0.2.77"), connection_to("10.0.0.5"))
    alert = wait_for(lambda: server.alerts(type="IoT_TiConnection"), 60, "an alert about 192.0.2.77")[0]
    told = properties(server, alert)
    assert "Mirai" in told and "192.0.2.77:443" in told and "CC0" in told

    # What is listed only now was seen before: the alert says so.
    server.cli("intelligence", "indicator", "add", "later.example", "--threat", "Botnet")
    found = wait_for(lambda: server.alerts(type="IoT_MaliciousNameQueriesDetection"), 60, "an alert of a retro-hunt")[0]
    assert "retro-hunt" in properties(server, found)
    assert "later.example" in server.cli("intelligence", "indicator", "lookup", "cdn.later.example").stdout

    # The set in force is the same after a kill.
    server.kill()
    server.start()
    send(server, Device(server, server.add_device("press-18")), connection_to("192.0.2.77"))
    wait_for(lambda: len(server.alerts(type="IoT_TiConnection")) == 2, 60, "an alert of the second device")
