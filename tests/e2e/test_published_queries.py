"""Queries of the kind that the documentation of device builders publishes, over events of our own agent: the shapes are theirs
(extractjson with a type, `contains tolower(hub)`, makeset, two-key joins, toscalar), the rows are what this test did."""

import os
import socket
import subprocess

import pytest
from picket_agent import Agent
from picket_server import BIN, wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="collectors of tier 1 and ports below 1024 need root")

DEVICE = "press-21"
HEAD = f'let device = "{DEVICE}"; let hub = "Picket";\n'  # the hub's name in another case: the resource id is lower case


@pytest.fixture(scope="module")
def listener():
    """A port below 1024 that this test listens on."""
    for port in range(1023, 600, -1):
        try:
            made = socket.create_server(("0.0.0.0", port))
        except OSError:
            continue
        with made:
            yield port
        return
    pytest.fail("no free port below 1024")


@pytest.fixture(scope="module")
def agent(shared_server, listener, tmp_path_factory):
    settings = ('[collectors.sbom]\nenabled = false\n[collectors.baseline]\n'
                f'content = "{BIN.parent / "share/picket-agent/baseline.bin"}"\n')
    made = Agent(tmp_path_factory.mktemp("published"), shared_server, DEVICE, settings).start().wait_connected()
    yield made
    made.stop()


def rows(agent, text: str, fits, what: str) -> list[dict]:
    """The rows of a query as soon as `fits` says that they hold what they must."""
    def probe():
        found = agent.server.query(HEAD + text)
        return found if fits(found) else None
    return wait_for(probe, 90, what, every_s=0.5)


def test_users_with_access(agent):
    text = ('SecurityIoTRawEvent | where DeviceId == device and AssociatedResourceId contains tolower(hub) '
            'and RawEventName == "LocalUsers" '
            '| project At = extractjson("$.TimestampLocal", EventDetails, typeof(datetime)), '
            'Groups = extractjson("$.GroupNames", EventDetails, typeof(string)), '
            'Name = extractjson("$.UserName", EventDetails, typeof(string)) '
            '| summarize First = min(At) by Groups, Name')
    found = rows(agent, text, lambda all: any(row["Name"] == "root" for row in all), "root is a user of the device")
    names = {line.split(":")[0] for line in open("/etc/passwd", encoding="utf-8")}
    root = next(row for row in found if row["Name"] == "root")
    assert {row["Name"] for row in found} <= names
    assert "root" in root["Groups"] and root["First"]


def test_open_ports_below_1024(agent, listener):
    text = ('SecurityIoTRawEvent | where DeviceId == device and AssociatedResourceId contains tolower(hub) '
            'and RawEventName == "ListeningPorts" and extractjson("$.LocalPort", EventDetails, typeof(int)) <= 1024 '
            '| project At = extractjson("$.TimestampLocal", EventDetails, typeof(datetime)), '
            'Protocol = extractjson("$.Protocol", EventDetails, typeof(string)), '
            'LocalPort = extractjson("$.LocalPort", EventDetails, typeof(int)), '
            'RemoteAddress = extractjson("$.RemoteAddress", EventDetails, typeof(string)) '
            '| summarize First = min(At), Last = max(At), Allowed = makeset(RemoteAddress) by Protocol, LocalPort')
    found = rows(agent, text, lambda all: any(row["LocalPort"] == listener for row in all), f"port {listener} is open")
    port = next(row for row in found if row["LocalPort"] == listener)
    assert port["Protocol"] == "tcp" and port["First"] <= port["Last"] and isinstance(port["Allowed"], list)
    assert all(row["LocalPort"] <= 1024 for row in found)


def test_processes_with_the_names_of_their_users(agent):
    mark = "published-" + os.urandom(4).hex()
    subprocess.run(["/bin/echo", mark], stdout=subprocess.DEVNULL, check=True)
    where = 'SecurityIoTRawEvent | where DeviceId == device and AssociatedResourceId contains tolower(hub) and RawEventName == '
    text = (where + '"ProcessCreate" | project Executable = extractjson("$.Executable", EventDetails, typeof(string)), '
            'UserId = extractjson("$.UserId", EventDetails, typeof(string)), '
            'CommandLine = extractjson("$.CommandLine", EventDetails, typeof(string)) '
            '| join kind=leftouter (' + where + '"LocalUsers" '
            '| project UserId = extractjson("$.UserId", EventDetails, typeof(string)), '
            'UserName = extractjson("$.UserName", EventDetails, typeof(string)) | distinct UserId, UserName) on UserId '
            '| extend By = strcat("Id:", UserId, ", Name:", UserName) '
            f'| where CommandLine has "{mark}" '
            '| summarize Count = count(), Users = makeset(By), Lines = makeset(CommandLine) by Executable')
    found = rows(agent, text, lambda all: any("Id:0, Name:root" in row["Users"] for row in all), "echo was started by root")
    assert [line for row in found for line in row["Lines"]] == [f"/bin/echo {mark}"]


def test_failed_checks_of_the_baseline_by_time_and_by_scan(agent):
    by_time = ('let lastDates = SecurityIoTRawEvent | where RawEventName == "Baseline" | summarize TimeStamp = max(TimeStamp) by DeviceId; '
               'lastDates | join kind=inner (SecurityIoTRawEvent) on TimeStamp, DeviceId | extend event = parse_json(EventDetails) '
               '| where event.BaselineCheckResult == "FAIL" | project DeviceId, event.BaselineCheckId, event.BaselineCheckDescription')
    found = rows(agent, by_time, len, "a check of the baseline failed")
    assert {row["DeviceId"] for row in found} == {DEVICE}
    assert set(found[0]) == {"DeviceId", "event_BaselineCheckId", "event_BaselineCheckDescription"}
    assert all(row["event_BaselineCheckId"] and row["event_BaselineCheckDescription"] for row in found)
    by_scan = ('let id = SecurityIoTRawEvent | extend Scan = extractjson("$.EventId", EventDetails, typeof(string)) '
               '| where TimeGenerated <= now() and RawEventName == "Baseline" and DeviceId == device '
               '| summarize arg_max(TimeGenerated, Scan) | project Scan; '
               'SecurityIoTRawEvent | extend Scan = extractjson("$.EventId", EventDetails, typeof(string)), d = todynamic(EventDetails) '
               '| where Scan == toscalar(id) | where d.BaselineCheckResult == "FAIL" | project CceId = d.BaselineCheckId')

    def failed_twice() -> bool:
        """The same checks by the scan's id and by its time, once all of its messages are here."""
        by_id = {row["CceId"] for row in agent.server.query(HEAD + by_scan)}
        return bool(by_id) and by_id == {row["event_BaselineCheckId"] for row in agent.server.query(HEAD + by_time)}

    wait_for(failed_twice, 120, "a scan's failed checks are the same by its id and by its time")
