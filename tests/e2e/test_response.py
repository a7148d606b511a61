"""Signed commands from the server's CLI to a real agent: what is allowed happens, and what is not is said."""

import json
import subprocess

import pytest
from picket_agent import Agent
from picket_server import MODULE, Server, wait_for

LITTLE = "".join(f"[collectors.{name}]\nenabled = false\n" for name in ("process", "network", "login", "file_system"))


def make_agent(folder, server: Server, device: str, allowed: str) -> Agent:
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "response.pem"
    key.write_text(server.cli("response", "key").stdout)
    key.chmod(0o644)
    return Agent(folder, server, device, f'[response]\nkey_file = "{key}"\n{allowed}\n{LITTLE}')


@pytest.fixture
def agent(shared_server, tmp_path, request):
    made = make_agent(tmp_path / "agent", shared_server, "response-" + request.node.name.lower().replace("_", "-"),
                      "process = true\nscan = true")
    made.start().wait_connected()
    yield made
    made.stop()


def order(agent: Agent, *words: str) -> subprocess.CompletedProcess:
    return agent.server.cli("respond", agent.device_id, *words, check=False)


def events(agent: Agent) -> list[dict]:
    rows = agent.server.query('SecurityIoTRawEvent | where RawEventName == "Response" '
                              f'and DeviceId == "{agent.device_id}" | project EventDetails')
    return [json.loads(row["EventDetails"]) for row in rows]


def wait_event(agent: Agent, **wanted: str) -> dict:
    def found():
        return next((e for e in events(agent) if all(e.get(k) == v for k, v in wanted.items())), None)
    return wait_for(found, 60, f"a Response event with {wanted}")


def test_kills_the_process_that_was_named(agent):
    victim = subprocess.Popen(["sleep", "600"])
    try:
        done = order(agent, "kill", str(victim.pid))
        assert done.returncode == 0, done.stderr
        assert victim.wait(30) == -9
    finally:
        if victim.poll() is None:
            victim.kill()
    event = wait_event(agent, Action="kill", Result="Done")
    assert event["CommandId"] in done.stdout
    assert json.loads(event["Arguments"])["pid"] == victim.pid
    audit = agent.server.get("/audit")["items"]
    assert any("response.order" in json.dumps(each) and event["CommandId"] in json.dumps(each) for each in audit)


def test_what_the_local_policy_forbids_is_refused_by_the_device(agent):
    done = order(agent, "isolate", "--for", "1h")
    assert done.returncode == 4
    assert "response.isolate" in done.stderr
    assert "response.isolate" in wait_event(agent, Action="isolate", Result="Refused")["Message"]


def test_a_command_that_was_heard_on_the_way_is_worth_nothing(agent):
    """Whoever may call methods, but holds no key: neither a repetition nor another device's command is taken."""
    def call(payload):
        return agent.server.call("POST", f"/devices/{agent.device_id}/methods?module={MODULE}",
                                 {"methodName": "PicketRespond", "payload": payload})["status"]
    assert call({"command": "e30=", "signatures": ["MAA="]}) == 401
    assert call({}) == 400
    wait_event(agent, Result="Refused")


def test_a_device_that_is_not_there_is_not_reached(shared_server):
    shared_server.add_device("response-absent")
    done = shared_server.cli("respond", "response-absent", "release", check=False)
    assert done.returncode == 1
    assert "not connected" in done.stderr
