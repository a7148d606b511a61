"""The agent against a real server: what the kernel saw is in the workspace, once."""

import contextlib
import os
import re
import pathlib
import subprocess
import time

import pytest
from picket_agent import Agent
from picket_server import wait_for
from ssh_server import ssh_server

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="collectors of tier 1 and sshd need root")


@pytest.fixture
def agent(server, tmp_path):
    made = Agent(tmp_path / "agent", server, "press-17").start().wait_connected()
    yield made
    made.stop()


def run_unique(count: int, label: str) -> None:
    for i in range(count):
        subprocess.run(["/bin/echo", f"{label}-{i}"], stdout=subprocess.DEVNULL, check=True)


def test_reports_every_kind_of_event_of_this_machine(agent, tmp_path):
    run_unique(5, "first-light")
    with ssh_server(tmp_path) as ssh:
        assert ssh.login()
        for name in ("ProcessCreate", "ConnectionCreate", "SystemInformation", "Heartbeat", "Login"):
            wait_for(lambda: agent.rows(f'| where RawEventName == "{name}" | count') > 0, 30, name)
        login = agent.server.query('SecurityIoTRawEvent | where RawEventName == "Login" and EventDetails has "sshd" '
                                   f'and EventDetails has "{ssh.user}" '
                                   '| extend d = parse_json(EventDetails) | project Result = tostring(d.Result), '
                                   'User = tostring(d.UserName), Address = tostring(d.RemoteAddress)')
    assert {"Result": "Success", "User": ssh.user, "Address": "127.0.0.1"} in login


def test_failed_logins_and_then_a_success_raise_both_brute_force_alerts(agent, tmp_path):
    with ssh_server(tmp_path) as ssh:
        for _ in range(8):
            assert not ssh.login("wrong password")
        assert ssh.login()
    server = agent.server
    wait_for(lambda: server.alerts(type="IoT_BruteForceFailed"), 20, "the alert about failed logins")
    success = wait_for(lambda: server.alerts(type="IoT_BruteForceSuccess"), 20, "the alert about the success")
    alert = server.get(f"/alerts/{success[0]['id']}")
    assert alert["severity"] == "High"
    assert alert["deviceId"] == "press-17"
    assert "T1110" in " ".join(alert["techniques"] + alert.get("subTechniques", []))
    assert alert["remediationSteps"]
    assert len(alert["evidence"]) >= 6
    assert {"Result", "RemoteAddress"} <= set(alert["evidence"][0]["eventDetails"])
    assert len(server.alerts(type="IoT_BruteForceFailed")) == 1


def test_a_shell_on_a_socket_raises_a_reverse_shell_alert(agent):
    # A listener and a shell whose standard streams are one connection to it: nothing in the command line tells.
    script = ("import socket,subprocess,threading\n"
              "l=socket.create_server(('127.0.0.1',0))\n"
              "c=socket.create_connection(l.getsockname())\n"
              "p,_=l.accept()\n"
              "s=subprocess.Popen(['/bin/sh'],stdin=c,stdout=c,stderr=c)\n"
              "p.sendall(b'exit\\n')\ns.wait(120)\n")
    subprocess.run(["python3", "-c", script], check=True, timeout=180)
    found = wait_for(lambda: agent.server.alerts(type="IoT_ReverseShell"), 20, "the reverse shell alert")
    assert found[0]["severity"] == "High"


def test_selftest_raises_a_visible_alert(agent):
    done = agent.run("selftest")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: "elf" in agent.server.cli("alert", "list").stdout, 20, "picket alert list shows it")


def test_tells_its_status(agent):
    status = agent.status()
    assert status
    human = agent.run("status")
    assert human.returncode == 0
    assert "connected" in human.stdout.lower()


def spooled(agent: Agent, label: str) -> set[bytes]:
    """The numbers of run_unique() that the spool's files hold. They are read while they are written."""
    found: set[bytes] = set()
    for path in (agent.folder / "data/spool").glob("*.spool"):
        with contextlib.suppress(FileNotFoundError):
            found.update(re.findall(rf"{label}-(\d+)\b".encode(), path.read_bytes()))
    return found


def test_sends_what_it_spooled_after_kill_and_outage_exactly_once(agent):
    server = agent.server
    run_unique(50, "before-outage")
    wait_for(lambda: agent.rows('| where EventDetails has "before-outage" | count') >= 50, 30, "events before")
    server.stop()
    run_unique(200, "in-outage")
    wait_for(lambda: len(spooled(agent, "in-outage")) == 200, 60, "all are on the disk")
    agent.kill()
    agent.start()
    time.sleep(1)
    agent.kill()
    server.start()
    agent.start()
    unique = '| where RawEventName == "ProcessCreate" and EventDetails has "in-outage" ' \
             '| extend c = tostring(parse_json(EventDetails).CommandLine)'
    wait_for(lambda: agent.rows(f"{unique} | distinct c | count") >= 200, 60, "every spooled event arrives")
    server.settled()
    assert agent.rows(f"{unique} | distinct c | count") == 200
    assert agent.rows(f"{unique} | count") == 200
