"""A full disk: nothing acknowledged is lost, nothing is acknowledged that is not stored, and people can still look."""

import json
import os
import pathlib
import subprocess
import time

import pytest
from mqtt_client import Device, publish_packet
from picket_server import Server, wait_for
from test_bad_input import message

SIZE = "96m"


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True)
    if made.returncode != 0:
        pytest.skip("may not mount a file system")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def server(small_disk, tmp_path):
    made = Server(tmp_path, "--reserve-mib", "8")
    made.data = small_disk / "server"
    made.start()
    yield made
    made.stop()


def fill(disk: pathlib.Path) -> pathlib.Path:
    ballast = disk / "ballast"
    with open(ballast, "ab", buffering=0) as out:
        try:
            while True:
                out.write(bytes(1 << 16))
        except OSError:
            pass
    return ballast


def wait_refuses(device: Device) -> None:
    """Until new connections are told to come back: the journal has seen that the disk is full."""
    def refused() -> bool:
        connection, code = device.open()
        connection.close()
        return code == 3
    wait_for(refused, 30, "the hub refuses new connections")


def commands(server) -> list[str]:
    return [json.loads(row["EventDetails"])["CommandLine"]
            for row in server.query("SecurityIoTRawEvent | order by TimeGenerated asc, EventDetails asc | project EventDetails")]


def test_withholds_the_puback_and_goes_on_when_there_is_space(server, small_disk):
    device, another = (Device(server, server.add_device(name)) for name in ("d1", "d2"))
    connection, code = device.open()
    assert code == 0
    connection.publish(device.topic, message(CommandLine="before"), 1)

    ballast = fill(small_disk)
    wait_for(lambda: os.statvfs(small_disk).f_bavail == 0, 10, "the disk is full")
    wait_refuses(another)
    connection.socket.settimeout(5)
    with pytest.raises((TimeoutError, ConnectionError, OSError)):
        connection.publish(device.topic, message(CommandLine="full"), 2)
    for path in ("/status", "/overview", "/devices", "/alerts", "/me"):
        server.get(path)
    server.settled()
    assert commands(server) == ["before"]

    ballast.unlink()

    def connected():
        opened, answer = device.open()
        return opened if answer == 0 else None

    connection = wait_for(connected, 30, "the hub takes devices again")
    connection.publish(device.topic, message(CommandLine="after"), 3)
    server.settled()
    found = commands(server)
    assert [c for c in found if c != "full"] == ["before", "after"]
    assert found.count("full") <= 1


def test_stops_soon_and_starts_on_a_full_disk(server, small_disk):
    device, another = (Device(server, server.add_device(name)) for name in ("d1", "d2"))
    connection, _ = device.open()
    connection.publish(device.topic, message(CommandLine="before"), 1)
    server.settled()
    ballast = fill(small_disk)
    wait_refuses(another)
    connection.send(publish_packet(device.topic, message(CommandLine="waits"), 2))
    time.sleep(0.5)
    server.process.terminate()
    assert server.process.wait(60) == 0
    for end in (server.stop, server.kill):
        fill(small_disk)
        server.start()
        assert commands(server) == ["before"]
        end()
    ballast.unlink()
    server.start()
    assert commands(server) == ["before"]


def test_the_defaults_fit_a_small_disk(small_disk, tmp_path):
    made = Server(tmp_path)
    made.data = small_disk / "server"
    made.start()
    try:
        device = Device(made, made.add_device("d1"))
        connection, code = device.open()
        assert code == 0
        connection.publish(device.topic, message(CommandLine="on a small disk"), 1)
        made.settled()
        assert commands(made) == ["on a small disk"]
    finally:
        made.stop()
