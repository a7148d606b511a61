"""A device that becomes another one: what was reported to the former hub is not known to the new one."""

import json

import pytest
from picket_agent import Agent
from picket_server import Server, wait_for
from response import LITTLE


def with_packages(image, *names: str) -> None:
    folder = image / "var/lib/dpkg"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "status").write_text("".join(
        f"Package: {name}\nStatus: install ok installed\nVersion: 1.0\nArchitecture: amd64\nMaintainer: a <a@b.test>\nDescription: c\n\n"
        for name in names))


@pytest.fixture
def second_server(tmp_path):
    folder = tmp_path / "second"
    folder.mkdir()
    made = Server(folder).start()
    yield made
    made.stop()


def packages(server: Server, device: str) -> set[str]:
    rows = server.query(f'SecurityIoTRawEvent | where DeviceId == "{device}" and RawEventName == "SBoM" | project EventDetails')
    return {json.loads(row["EventDetails"]).get("Name", "") for row in rows}


def test_snapshots_are_sent_whole_to_another_hub_and_once_to_the_same(server, second_server, tmp_path):
    image, folder = tmp_path / "image", tmp_path / "agent"
    with_packages(image, "alpha", "beta")
    more = LITTLE.replace("[collectors.sbom]\nenabled = false\n", "") + f'[collectors]\nroot = "{image}"\n'
    agent = Agent(folder, server, "mover", more).start()
    wait_for(lambda: packages(server, "mover") >= {"alpha", "beta"}, 60, "the first snapshot")
    wait_for(lambda: (folder / "data/snapshot-sbom").exists(), 60, "what was sent is remembered")
    agent.stop()

    # The same hub: only what is new.
    with_packages(image, "alpha", "beta", "gamma")
    count = 'SecurityIoTRawEvent | where DeviceId == "mover" and RawEventName == "SBoM" and EventDetails has "alpha" | count'
    before = server.scalar(count)
    agent.start()
    wait_for(lambda: "gamma" in packages(server, "mover"), 60, "the new package")
    assert server.scalar(count) == before
    agent.stop()

    # Another hub, with the same names: everything.
    moved = Agent(folder, second_server, "mover", more).start()
    try:
        wait_for(lambda: packages(second_server, "mover") >= {"alpha", "beta", "gamma"}, 60, "all packages at the new hub")
        assert "snapshots are sent whole" in (folder / "agent.log").read_text()
    finally:
        moved.stop()
    # And another device of the same hub.
    other = Agent(folder, second_server, "mover-2", more).start()
    try:
        wait_for(lambda: packages(second_server, "mover-2") >= {"alpha", "beta", "gamma"}, 60, "all packages of the new device")
    finally:
        other.stop()
