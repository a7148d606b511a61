"""kill -9 of the hub at any point: twin versions never go back, no command is lost before it was completed, sessions stay.

Devices subscribe once, before the first kill, and never again. PICKET_SDK_KILLS: how often the hub dies (3).
"""

import json
import os
import random
import threading
import time
import uuid

from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import Twin, TwinProperties
from hub import Device, ask, service_string
from packets import PUBACK, PUBLISH, Line
from test_commands import trusted_authority  # noqa: F401: the service client trusts the hub's authority

KILLS = int(os.environ.get("PICKET_SDK_KILLS", "3"))
DEVICES = 3


class Member:
    """One device: reports without end, completes commands, and notes what the hub has promised."""

    def __init__(self):
        self.device = Device()
        self.subscribed = False
        self.reported_version = 1  # the highest that was acknowledged, or read
        self.reported_number = 0
        self.desired_version = 1
        self.commands: list[str] = []
        self.connects = 0
        self.faults: list[str] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._session()
            except OSError:
                time.sleep(0.1)
            except Exception as error:  # shown by the test, not lost in a thread
                self.faults.append(f"{type(error).__name__}: {error}")
                return

    def _session(self) -> None:
        line = Line(self.device)
        line.socket.settimeout(20)
        present, code = line.connack()
        if code == 3:  # the hub is not ready yet
            return time.sleep(0.2)
        assert code == 0, f"CONNACK {code}"
        self.connects += 1
        if self.subscribed:
            assert present == 1, "the session was forgotten"
        else:
            line.subscribe((f"devices/{self.device.id}/messages/devicebound/#", 1), ("$iothub/twin/res/#", 0),
                           ("$iothub/twin/PATCH/properties/desired/#", 0))
            self.subscribed = True
        self._check_twin(self._ask(line, "$iothub/twin/GET/?$rid=0", b" ")[1])
        while not self.stopping.is_set():
            number = self.reported_number + 1
            topic, _ = self._ask(line, f"$iothub/twin/PATCH/properties/reported/?$rid={number}",
                                 json.dumps({"number": number}).encode())
            assert topic.startswith("$iothub/twin/res/204/"), topic
            version = int(topic.split("$version=")[1])
            if version <= self.reported_version:
                self.faults.append(f"reported {self.reported_version} came back as {version}")
            self.reported_version, self.reported_number = version, number
        line.close()

    def _ask(self, line: Line, topic: str, body: bytes) -> tuple[str, bytes]:
        line.publish(topic, body, qos=0)
        while True:
            first, packet = line.read()
            if first & 0xF0 != PUBLISH:
                continue
            size = int.from_bytes(packet[:2], "big")
            got, rest = packet[2:2 + size].decode(), packet[2 + size:]
            if got.startswith("$iothub/twin/res/"):
                return got, rest
            if first & 6:
                self.commands.append(rest[2:].decode())
                line.send(bytes([PUBACK, 2]) + rest[:2])
            else:
                self._note_desired(json.loads(rest)["$version"])

    def _check_twin(self, body: bytes) -> None:
        twin = json.loads(body)
        if twin["reported"]["$version"] < self.reported_version or twin["reported"].get("number", 0) < self.reported_number:
            self.faults.append(f"reported went back from {self.reported_version} to {twin['reported']}")
        self.reported_version = twin["reported"]["$version"]
        self.reported_number = twin["reported"].get("number", 0)
        self._note_desired(twin["desired"]["$version"])

    def _note_desired(self, version: int) -> None:
        if version < self.desired_version:
            self.faults.append(f"desired went back from {self.desired_version} to {version}")
        self.desired_version = version


class Operator:
    """Desires and commands, over and over; notes what was accepted."""

    def __init__(self, members: list[Member]):
        self.members = members
        self.desired = {member.device.id: 1 for member in members}
        self.sent: dict[str, list[str]] = {member.device.id: [] for member in members}
        self.faults: list[str] = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(work,)) for work in (self._desire, self._command)]

    def _run(self, work) -> None:
        registry = None
        while not self.stopping.is_set():
            for member in self.members:
                try:
                    registry = registry or IoTHubRegistryManager.from_connection_string(service_string())
                    work(registry, member.device.id)
                except Exception:  # the hub is away: what was not accepted is not counted
                    registry = None
                    time.sleep(0.2)

    def _desire(self, registry, device_id: str) -> None:
        twin = registry.update_twin(device_id, Twin(properties=TwinProperties(desired={"mark": str(uuid.uuid4())})), "*")
        version = twin.properties.desired["$version"]
        if version <= self.desired[device_id]:
            self.faults.append(f"desired {self.desired[device_id]} came back as {version}")
        self.desired[device_id] = version

    def _command(self, registry, device_id: str) -> None:
        text = str(uuid.uuid4())
        registry.send_c2d_message(device_id, text)
        self.sent[device_id].append(text)


def test_kill_at_any_point_takes_nothing_back():
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    members = [Member() for _ in range(DEVICES)]
    operator = Operator(members)
    for thread in [member.thread for member in members] + operator.threads:
        thread.start()
    try:
        for _ in range(KILLS):
            time.sleep(1 + chance.random() * 2)
            ask("kill")
        time.sleep(2)
    finally:
        operator.stopping.set()
        for thread in operator.threads:
            thread.join(60)
        end = time.monotonic() + 60
        while time.monotonic() < end and any(
                set(operator.sent[m.device.id]) - set(m.commands) and m.thread.is_alive() for m in members):
            time.sleep(0.1)
        for member in members:
            member.stopping.set()
        for member in members:
            member.thread.join(60)
    assert operator.faults == [], f"seed {seed}"
    for member in members:
        sent, got = operator.sent[member.device.id], member.commands
        assert member.faults == [], f"seed {seed}"
        assert member.connects > KILLS, "the kills hit a living device"
        assert member.reported_number > KILLS and member.desired_version > 1 and sent, "there was work to lose"
        assert set(sent) <= set(got), f"seed {seed}: lost {set(sent) - set(got)}"
        first_seen = [text for text in dict.fromkeys(got) if text in set(sent)]
        assert first_seen == sent, f"seed {seed}: commands changed their order"
        assert member.desired_version >= operator.desired[member.device.id] - 1
