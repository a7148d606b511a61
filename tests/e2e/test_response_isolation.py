"""Isolation of a device on a network of its own: it talks to its hub and to nobody else, whatever happens to the agent."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest
from picket_server import BIN, Server
from response import make_agent, order, ordered, wait_event, wait_takes_commands
from two_hosts import DEVICE, HUB, Device, hub_side

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs own network namespaces")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with hub_side():
        made = Server(tmp_path_factory.mktemp("picket"), "--listen", "0.0.0.0", "--names", HUB).start()
        yield made
        made.stop()


@pytest.fixture(scope="module")
def device(server):
    made = Device()
    yield made
    made.close()


@pytest.fixture
def agent(server, device, tmp_path, request):
    name = "isolated-" + request.node.name.lower().replace("_", "-")[:100]
    made = make_agent(tmp_path / "agent", server, name, "isolate = true", prefix=device.prefix, host=HUB)
    made.start().wait_connected()
    yield made
    made.stop()
    device.run("nft", "delete", "table", "inet", "picket_isolation")


@pytest.fixture(scope="module")
def other(server):
    """Another service beside the hub, at the hub's own address."""
    with socket.create_server((HUB, 0), backlog=64) as listener:
        yield listener.getsockname()[1]


def is_cut_off(device: Device, other: int) -> bool:
    return not device.reaches(HUB, other)


def hub_reaches(port: int) -> bool:
    try:
        socket.create_connection((DEVICE, port), 5).close()
        return True
    except TimeoutError:
        return False


def test_only_the_hub_is_left_through_kill_9_and_restarts_until_it_is_released(agent, device, other):
    assert device.reaches(HUB, other)
    command = ordered(agent, "isolate", "--for", "1h")
    wait_event(agent, Action="isolate", Result="Done", CommandId=command)  # came after it: the hub is in reach
    assert is_cut_off(device, other)
    assert device.reaches(HUB, agent.server.mqtt_port)

    agent.kill()
    assert is_cut_off(device, other), "the kernel holds it without the agent"
    agent.start()
    wait_takes_commands(agent)
    assert is_cut_off(device, other)
    agent.stop()
    assert is_cut_off(device, other)

    # A restart of the device: the kernel has forgotten everything.
    assert device.run("nft", "delete", "table", "inet", "picket_isolation").returncode == 0
    assert device.reaches(HUB, other)
    agent.start()
    wait_takes_commands(agent)
    assert is_cut_off(device, other)

    ordered(agent, "release")
    assert device.reaches(HUB, other)
    assert device.run("nft", "list", "tables").stdout == ""
    wait_event(agent, Action="release", Result="Done")


def test_what_comes_from_elsewhere_is_cut_off_too_and_what_is_named_is_not(agent, device, other):
    listens = "import socket; s = socket.create_server(('0.0.0.0', 4711), backlog=64); print('ready', flush=True); input()"
    service = subprocess.Popen([*device.prefix, sys.executable, "-c", listens], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert service.stdout.readline() == "ready\n"
        assert hub_reaches(4711)
        ordered(agent, "isolate")
        assert not hub_reaches(4711)
        ordered(agent, "isolate", "--allow", f"{HUB}/32")
        assert hub_reaches(4711)
        assert device.reaches(HUB, other)
        ordered(agent, "isolate")  # the newest order counts, whole
        assert not hub_reaches(4711)
    finally:
        service.communicate("\n")


def test_ends_by_its_time_also_when_that_passes_while_the_agent_is_down(agent, device, other):
    ordered(agent, "isolate", "--for", "4s")
    wait_event(agent, Action="isolate", Result="Ended")
    assert device.reaches(HUB, other)

    ordered_at = time.monotonic()
    first = ordered(agent, "isolate", "--for", "12s")
    agent.kill()
    assert is_cut_off(device, other)
    time.sleep(max(0.0, ordered_at + 13 - time.monotonic()))
    agent.start()
    wait_event(agent, Action="isolate", Result="Ended", CommandId=first)
    assert device.reaches(HUB, other)


def test_root_on_the_device_ends_it_also_without_a_running_agent(agent, device, other):
    ordered(agent, "isolate")
    assert run_on(device, agent, "release").returncode == 0
    wait_event(agent, Action="release", Result="Done")
    assert device.reaches(HUB, other)
    ordered(agent, "isolate")
    agent.stop()
    assert is_cut_off(device, other)
    assert run_on(device, agent, "release").returncode == 0
    assert device.reaches(HUB, other)
    agent.start()
    wait_takes_commands(agent)
    assert device.reaches(HUB, other), "it does not come back"


def run_on(device: Device, agent, word: str):
    return device.run(BIN / "picket-agent", word, "--config", agent.config)


def test_an_isolation_that_makes_no_sense_changes_nothing(agent, device, other):
    for words in (("isolate", "--allow", "not-an-address"), ("isolate", *(f"--allow=10.0.0.{i}" for i in range(33)))):
        done = order(agent, *words)
        assert done.returncode == 1
        assert "allow" in done.stderr
    event = wait_event(agent, Action="isolate", Result="Failed")
    assert "allow" in json.loads(event["Arguments"])
    assert device.reaches(HUB, other)
    assert order(agent, "release").returncode == 0, "to release what is not isolated is done"
