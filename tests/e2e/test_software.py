"""Software and vulnerabilities from a device's report to the tables: a feed that comes later, an update, a server that is killed."""

import json
import time
import uuid

from mqtt_client import Device
from picket_server import wait_for

TRACKER = {"openssl": {"CVE-2099-1": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "3.0.11-1", "urgency": "high"}}}},
           "bash": {"CVE-2099-2": {"releases": {"bookworm": {"status": "open", "urgency": "low"}}}}}
NOW = ("SoftwareVulnerabilities | summarize arg_max(TimeGenerated, *) by DeviceId, CveId, PackageUrl | where State == 'Affected' "
       "| project Text = strcat(DeviceId, ' ', CveId, ' ', SoftwareName, ' ', RecommendedSecurityUpdate) | sort by Text asc")


def package(name: str, version: str, source: str = "", change: str = "") -> dict:
    item = {"Name": name, "Version": version, "PackageType": "deb", "Architecture": "amd64",
            "Purl": f"pkg:deb/debian/{name}@{version}?arch=amd64&distro=debian-12"}
    if source:
        item["SourceName"] = source
    if change:
        item["ExtraDetails"] = {"Change": change}
    return item


def report(server, device: Device, *items: dict) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1_000_000 % 1000:03d}Z"
    event = {"Id": str(uuid.uuid4()), "TimestampLocal": now, "TimestampUTC": now, "Category": "Periodic", "Name": "SBoM", "EventType": "Security",
             "IsEmpty": False, "PayloadSchemaVersion": "1.0", "Payload": list(items)}
    connection, code = device.open()
    assert code == 0
    connection.publish(device.topic, json.dumps({"AgentVersion": "1", "AgentId": "a", "MessageSchemaVersion": "3.0", "Events": [event]}).encode())
    connection.close()
    server.settled()


def texts(server, query: str) -> list[str]:
    return [next(iter(row.values())) for row in server.query(query)]


def test_findings_are_rows_as_soon_as_they_are_known_and_after_a_kill(server, tmp_path):
    device = Device(server, server.add_device("press-17"))
    report(server, device, package("libssl3", "3.0.9-1", "openssl"), package("bash", "5.2-1"))
    wait_for(lambda: texts(server, "SoftwareInventory | project SoftwareName | sort by SoftwareName asc") == ["bash", "libssl3"], 60,
             "two rows of software")
    feed = tmp_path / "tracker.json"
    feed.write_text(json.dumps(TRACKER))
    server.cli("vuln", "feed", "load", "debian", "debian-tracker", str(feed))
    both = ["press-17 CVE-2099-1 libssl3 3.0.11-1", "press-17 CVE-2099-2 bash "]
    wait_for(lambda: texts(server, NOW) == both, 60, "two findings")

    server.kill()
    server.start()
    wait_for(lambda: texts(server, NOW) == both, 60, "the findings again")
    report(server, device, package("libssl3", "3.0.11-1", "openssl", change="changed"))
    wait_for(lambda: texts(server, NOW) == both[1:], 60, "the update resolves a finding")
    states = texts(server, "SoftwareVulnerabilities | where CveId == 'CVE-2099-1' | summarize by State | sort by State asc")
    assert states == ["Affected", "Resolved"]
