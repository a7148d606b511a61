"""What operators do with a hub acts at once, is written down, and is counted: with the program itself."""

import json
import time

import pytest
from mqtt_client import Connection, Device, quote, sas
from picket_server import wait_for


def metric(server, name: str) -> float:
    return server.get("/status")["iothub"][name]


def open_by_policy(server, device: Device, policy: str) -> tuple[Connection, int]:
    text = server.cli("hub", "policy", "show", "picket", policy).stdout.strip()
    key = dict(part.split("=", 1) for part in text.split(";"))["SharedAccessKey"]
    token = sas(device.resource, key, time.time() + 3600) + "&skn=" + quote(policy)
    return device.open(token)


@pytest.fixture
def device(shared_server) -> Device:
    return Device(shared_server, shared_server.add_device(f"d{time.monotonic_ns()}"))


def test_a_rotated_policy_ends_what_it_opened_and_nothing_else(shared_server, device):
    own, code = device.open()
    assert code == 0
    other = Device(shared_server, shared_server.add_device(device.device_id + "x"))
    by_policy, code = open_by_policy(shared_server, other, "device")
    assert code == 0
    shared_server.cli("hub", "policy", "rotate", "picket", "device", "--key", "primary")
    assert by_policy.is_closed_by_server()
    own.send(b"\xc0\x00")  # PINGREQ
    assert own.receive()[0] == 0xD0
    assert open_by_policy(shared_server, other, "device")[1] == 0, "with the new key"


def test_an_ip_rule_ends_who_is_connected(server):
    device = Device(server, server.add_device("d"))
    connection, code = device.open()
    assert code == 0
    rule = {"filterName": "nobody", "action": "Reject", "ipMask": "0.0.0.0/0"}
    server.call("PUT", "/hubs/picket/settings", {"ipFilterRules": [rule]})
    assert connection.is_closed_by_server()
    assert device.open()[1] == 5


def test_a_setting_writes_resource_logs_over_a_kill(server):
    server.cli("hub", "diagnostics", "set", "picket", "archive", "--category", "Connections", "--category",
               "DeviceIdentityOperations")
    assert "archive" in server.cli("hub", "diagnostics", "list", "picket").stdout
    wrong = server.cli("hub", "diagnostics", "set", "picket", "more", "--category", "Conections", check=False)
    assert wrong.returncode == 1 and "Connections" in wrong.stderr

    def lines() -> list[dict]:
        files = (server.data / "forward/diagnostics").rglob("PT1H.json")
        whole = [text.rsplit("\n", 1)[0] for text in (file.read_text() for file in files) if "\n" in text]
        return [json.loads(line) for text in whole for line in text.split("\n")]

    def created(name: str) -> int:
        """By the number of the change: one whose way into the journal a kill has cut short is appended again (docs/formats/diagnostics.md)."""
        return len({line["correlationId"] for line in lines() if line["operationName"] == "create" and name in line["properties"]})

    wait_for(lambda: server.get("/status")["hub_diagnostics"]["running"] == 1, 30, "the setting is in force")
    server.cli("device", "add", "before")
    wait_for(lambda: created("before") == 1, 30, "the new device is in the files")
    server.kill()
    server.start()
    server.cli("device", "add", "after")
    wait_for(lambda: created("after") == 1, 30, "and the one after the kill")
    assert created("before") == 1
    assert len({line["recordId"] for line in lines()}) == len(lines()), "no record of the journal is written twice"
    assert all(line["resourceId"].endswith("/iothubs/picket") for line in lines())
    exported = [json.loads(line) for line in
                server.cli("hub", "diagnostics", "export", "picket", "--category",
                       "DeviceIdentityOperations").stdout.splitlines()]
    assert {"before", "after"} <= {json.loads(line["properties"]).get("deviceId") for line in exported}


def test_a_country_table_is_imported_whole_or_not_at_all(shared_server, tmp_path):
    table = tmp_path / "countries.csv"
    table.write_text("network,country,asn\n192.0.2.0/24,DE,64500\n2001:db8::/32,BR\n")
    assert "2 networks" in shared_server.cli("intelligence", "import", "country", table).stdout
    before = shared_server.cli("intelligence", "list").stdout
    table.write_text("192.0.2.0/24,DE\nnot a network,DE\n")
    wrong = shared_server.cli("intelligence", "import", "country", table, check=False)
    assert wrong.returncode == 1 and "line 2" in wrong.stderr
    assert shared_server.cli("intelligence", "list").stdout == before


def test_groups_and_routes_are_kept_from_the_command_line(shared_server, tmp_path):
    rules = tmp_path / "group.json"
    rules.write_text(json.dumps({"properties": {"timeWindowRules": [
        {"ruleType": "DirectMethodInvokesNotInAllowedRange", "isEnabled": True, "minThreshold": 0, "maxThreshold": 5,
         "timeWindowSize": "PT5M"}]}}))
    shared_server.cli("security-group", "set", "presses", rules)
    assert "presses" in shared_server.cli("security-group", "list").stdout
    assert "DirectMethodInvokes" in shared_server.cli("security-group", "show", "presses").stdout
    shared_server.cli("security-group", "remove", "presses")
    assert "presses" not in shared_server.cli("security-group", "list").stdout
    route = tmp_path / "route.json"
    route.write_text(json.dumps({"name": "hot", "source": "DeviceMessages", "condition": "level = 'hot'",
                                 "endpointNames": ["events"], "isEnabled": True}))
    shared_server.cli("hub", "routing", "set-route", "picket", route)
    assert "hot" in shared_server.cli("hub", "routing", "list", "picket").stdout
    shared_server.cli("hub", "routing", "remove-route", "picket", "hot")
    assert "hot" not in shared_server.cli("hub", "routing", "list", "picket").stdout


def test_a_revocation_is_listed_and_taken_back(shared_server):
    thumbprint = "00112233445566778899aabbccddeeff00112233"
    shared_server.cli("hub", "certificate", "revoke", "picket", "--thumbprint", thumbprint, "--reason", "lost")
    assert thumbprint in shared_server.cli("hub", "certificate", "revoked", "picket").stdout
    shared_server.cli("hub", "certificate", "restore", "picket", thumbprint)
    assert thumbprint not in shared_server.cli("hub", "certificate", "revoked", "picket").stdout


def test_metrics_count_by_who_did_it(shared_server, device):
    before = {name: metric(shared_server, name) for name in
              ("totalDeviceCount", "connectedDeviceCount", "c2d.twin.update.success", "dailyMessageQuotaUsed")}
    connection, code = device.open()
    assert code == 0
    connection.publish(device.topic, b"{}")
    assert metric(shared_server, "connectedDeviceCount") == before["connectedDeviceCount"], "a module is no device"
    plain = Device(shared_server, f"HostName={device.host};DeviceId={device.device_id};SharedAccessKey=")
    itself, code = open_by_policy(shared_server, plain, "device")
    assert code == 0
    shared_server.call("PATCH", f"/devices/{device.device_id}/twin", {"tags": {"site": "north"}})
    assert metric(shared_server, "c2d.twin.update.success") == before["c2d.twin.update.success"] + 1
    assert metric(shared_server, "connectedDeviceCount") == before["connectedDeviceCount"] + 1
    itself.close()
    wait_for(lambda: metric(shared_server, "connectedDeviceCount") == before["connectedDeviceCount"], 30, "it has gone")
    shared_server.add_device(device.device_id + "y")
    assert metric(shared_server, "totalDeviceCount") == before["totalDeviceCount"] + 1
    assert metric(shared_server, "dailyMessageQuotaUsed") == before["dailyMessageQuotaUsed"] + 1
    assert "d2c.telemetry.egress.dropped" not in json.dumps(shared_server.get("/status"))
