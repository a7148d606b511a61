"""Settings from the module twin: the real server's twin changes a running agent, and the agent reports what came of it."""

import pytest
from picket_agent import Agent
from picket_server import wait_for


@pytest.fixture
def agent(server, tmp_path):
    made = Agent(tmp_path / "agent", server, "press-twin", '[collectors.heartbeat]\nevery = "1s"\n')
    made.start().wait_connected()
    yield made
    made.stop()


def twin(agent) -> dict:
    return agent.server.call("GET", f"/devices/{agent.device_id}/twin?module=DefenderIotMicroAgent")["properties"]


def set_desired(agent, desired: dict) -> None:
    agent.server.call("PATCH", f"/devices/{agent.device_id}/twin?module=DefenderIotMicroAgent", {"properties": {"desired": desired}})


def collector(agent, name: str) -> dict:
    return next(each for each in agent.status()["collectors"] if each["name"] == name)


def test_desired_properties_change_the_running_agent_and_the_report_says_what_came_of_it(agent):
    wait_for(lambda: twin(agent)["reported"].get("latest_state") == "success", 60, "the first report")
    set_desired(agent, {"Heartbeat_Disabled": "True", "CollectorsCore_PriorityIntervals": "1,2",
                        "Picket_collectors_process_tier": "procfs"})
    reported = wait_for(lambda: twin(agent)["reported"].get("latest_state") == "failed" and twin(agent)["reported"], 60,
                        "the report of a bad property")
    assert reported["latest_invalid_fields"] == ["CollectorsCore_PriorityIntervals"]
    assert {"Name": "collectors.heartbeat.enabled", "Value": "false", "Source": "twin"} in reported["Picket_Settings"]
    assert {each["Name"]: each["Tier"] for each in reported["Picket_Collectors"]}["process"] == "procfs"
    assert not collector(agent, "heartbeat")["enabled"]
    wait_for(lambda: agent.rows('| where RawEventName == "ConfigurationError" | count') > 0, 60, "its event")
    set_desired(agent, {"CollectorsCore_PriorityIntervals": None, "Heartbeat_Disabled": None})
    wait_for(lambda: twin(agent)["reported"]["latest_state"] == "success", 60, "the report after it was mended")
    assert twin(agent)["reported"]["latest_invalid_fields"] == []
    assert collector(agent, "heartbeat")["enabled"]


def test_settings_of_the_twin_hold_after_a_start_without_the_hub(agent):
    set_desired(agent, {"Heartbeat_Disabled": "True"})
    wait_for(lambda: not collector(agent, "heartbeat")["enabled"], 60, "the collector stops")
    agent.stop()
    agent.server.stop()
    agent.start()
    wait_for(lambda: (agent.folder / "data" / "agent.sock").exists(), 60, "the agent runs")
    wait_for(lambda: not collector(agent, "heartbeat")["enabled"], 60, "the kept setting holds")
