"""What goes wrong around an agent ends in a clear text or a counter, and never in an agent that stops. Real server, real agent."""

import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import uuid

import pytest
from picket_agent import Agent
from picket_server import BIN, wait_for
from private_disk import PrivateDisk
from response import call, key_of_server, settings, signed
from test_agent_identity import Certificate, FreeAgent, identity
from test_agent_twin import set_desired, twin

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs namespaces of its own, and the collectors of root")

CLASSIC = "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration"
QUIET = "".join(f"[collectors.{name}]\nenabled = false\n" for name in ("network", "login", "file_system", "sbom", "dns", "firewall"))


def saw(agent: Agent, word: str) -> int:
    return agent.rows(f'| where RawEventName == "ProcessCreate" and EventDetails has "{word}" | count')


def run_and_see(agent: Agent, word: str) -> None:
    subprocess.run(["/bin/echo", word], stdout=subprocess.DEVNULL, check=True)
    wait_for(lambda: saw(agent, word) == 1, 60, f"the program with {word}")


def marker() -> str:
    return "bad" + uuid.uuid4().hex


# ---- settings from the twin ----

BROKEN = {
    "CollectorsCore_PriorityIntervals": "1,2",
    "Process_Disabled": "perhaps",
    "SBoM_Disabled": 2,
    "Login_MessageFrequency": "Urgent",
    "Process_CacheSize": 0,
    "NetworkActivity_CacheSize": "many",
    "Process_Mode": 4,
    "Process_PollingInterval": 60_000_001,
    "NetworkActivity_Devices": {"eth0": True},
    "NetworkActivity_PacketBufferSize": -1,
    "Login_UsePAM": "maybe",
    "IothubModule_MessageTimeout": 0,
    "FileSystem_Paths": [1, 2],
    "FileSystem_Recursive": "deep",
    "SystemInformation_HardwareVendor": "x" * 1025,
    "Baseline_ChecksDisabled": ",".join(str(i) for i in range(65)),
    "Picket_spool_bytes_max": "lots",
    "Picket_intervals_high": "-1h",
    "Picket_collectors_no_such_enabled": True,
    "Picket_data_dir": "/tmp/elsewhere",
    "Picket_response_isolate": True,
    "Picket_policy_twin": True,
    "Process_NoSuchThing": 1,
}


@pytest.fixture
def twin_agent(server, tmp_path):
    made = Agent(tmp_path / "agent", server, "bad-twin", QUIET).start().wait_connected()
    yield made
    made.stop()


def test_every_broken_property_is_rejected_by_name_and_the_good_ones_hold(twin_agent):
    agent = twin_agent
    wait_for(lambda: twin(agent)["reported"].get("latest_state") == "success", 60, "the first report")
    set_desired(agent, BROKEN | {"Heartbeat_Disabled": True, "somebodyElses": {"fan": 3},
                                 CLASSIC: {"lowPriorityMessageFrequency": {"value": "7 minutes"},
                                           "highPriorityMessageFrequency": {"value": "PT9M"}}})
    wanted = set(BROKEN) | {"lowPriorityMessageFrequency"}
    reported = wait_for(lambda: twin(agent)["reported"].get("latest_state") == "failed" and twin(agent)["reported"], 60, "the report")
    assert set(reported["latest_invalid_fields"]) == wanted
    assert {each["Name"] for each in reported["Picket_Problems"]} == wanted
    assert all(each["Reason"] for each in reported["Picket_Problems"])
    in_force = {each["Name"]: each["Value"] for each in reported["Picket_Settings"]}
    assert in_force["collectors.heartbeat.enabled"] == "false"
    assert reported[CLASSIC] == {"highPriorityMessageFrequency": {"value": "PT9M"}}, "echoed as far as it is in force"
    names = '| where RawEventName == "ConfigurationError" | extend n = tostring(parse_json(EventDetails).ConfigurationName) | summarize dcount(n)'
    wait_for(lambda: agent.rows(names) == len(wanted), 60, "an event of each")
    run_and_see(agent, marker())

    set_desired(agent, dict.fromkeys(BROKEN) | {CLASSIC: None})
    wait_for(lambda: twin(agent)["reported"]["latest_state"] == "success", 60, "the report after it was mended")
    assert twin(agent)["reported"]["latest_invalid_fields"] == []
    assert CLASSIC not in twin(agent)["reported"]
    assert agent.process.poll() is None


def test_a_whole_twin_of_nonsense_does_no_harm(twin_agent):
    set_desired(twin_agent, {f"Process_{i:03}" + "x" * 60: "y" * 60 for i in range(180)})
    wait_for(lambda: len(twin(twin_agent)["reported"].get("latest_invalid_fields", [])) == 64, 60, "the first 64 are named")
    run_and_see(twin_agent, marker())


# ---- disks ----

def ext4(folder: pathlib.Path) -> str:
    image = folder / "image"
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    return f"-o loop {image}"


@pytest.fixture
def disk_agent(server, tmp_path, request):
    folder = tmp_path / "agent"
    (folder / "data").mkdir(parents=True)
    if getattr(request, "param", "") == "ext4" and not os.path.exists("/dev/loop-control"):
        pytest.skip("no loop devices here")
    disk = PrivateDisk(folder / "data", ext4(tmp_path) if getattr(request, "param", "") == "ext4" else "-t tmpfs -o size=1m tmpfs")
    more = f'status_socket = "{folder}/agent.sock"\n' + settings(folder, server, "process = true") + QUIET
    made = Agent(folder, server, "bad-disk", more, prefix=disk.prefix)
    made.disk = disk
    yield made
    made.stop()
    disk.close()


def test_a_full_disk_is_survived_in_memory_and_used_again_when_it_has_room(disk_agent):
    agent = disk_agent.start().wait_connected()
    run_and_see(agent, marker())
    agent.disk.fill()
    agent.server.stop()
    kept = marker()
    subprocess.run(["/bin/echo", kept], stdout=subprocess.DEVNULL, check=True)

    def spool_in_memory() -> dict | None:
        # A full disk still has the rest of the last block that the spool was given: programs come until that is full too.
        subprocess.run(["/bin/echo", marker()], stdout=subprocess.DEVNULL, check=True)
        spool = agent.status()["spool"]
        return None if spool["onDisk"] else spool

    spool = wait_for(spool_in_memory, 60, "the spool is in memory")
    dropped = spool["dropped"]
    assert spool["bytes"] <= 1 << 20
    # What is less important makes room on the disk for what is urgent; nothing else is lost.
    assert dropped["total"] == dropped["evicted"]["low"] + dropped["evicted"]["medium"], dropped
    agent.server.start()
    wait_for(lambda: saw(agent, kept) == 1, 120, "what was kept in memory")
    run_and_see(agent, marker())
    agent.disk.empty()
    run_and_see(agent, marker())
    wait_for(lambda: agent.status()["spool"]["onDisk"], 60, "the disk is used again")


def test_it_starts_on_a_full_disk(disk_agent):
    disk_agent.disk.fill()
    agent = disk_agent.start().wait_connected()
    run_and_see(agent, marker())
    assert agent.status()["spool"]["place"].startswith("in memory, since") or not agent.status()["spool"]["onDisk"]


@pytest.mark.parametrize("disk_agent", ["ext4"], indirect=True)
def test_a_disk_that_breaks_down_stops_neither_events_nor_what_is_told(disk_agent):
    agent = disk_agent.start().wait_connected()
    run_and_see(agent, marker())
    agent.disk.break_down()
    run_and_see(agent, marker())
    assert not agent.status()["spool"]["onDisk"]
    # A command that cannot be remembered could be repeated: it is not done.
    victim = subprocess.Popen(["sleep", "600"])
    try:
        answer = call(agent, signed(agent, key_of_server(agent.server), "kill", {"pid": victim.pid}))
        assert answer["status"] == 500 and "cannot be remembered" in answer["payload"]["error"], answer
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


def test_it_starts_on_a_read_only_disk_and_says_that_it_is_in_memory(disk_agent):
    disk_agent.disk.read_only()
    agent = disk_agent.start().wait_connected()
    run_and_see(agent, marker())
    spool = agent.status()["spool"]
    assert not spool["onDisk"] and "Read-only file system" in spool["place"], spool
    assert "a restart loses what was not sent" in (agent.folder / "agent.log").read_text()


# ---- certificates ----

def expired(folder: pathlib.Path, name: str, issuer: Certificate) -> Certificate:
    made = Certificate(folder, name, issuer=issuer)
    request = folder / "expired.csr"
    subprocess.run(["openssl", "req", "-new", "-key", made.key, "-subj", f"/CN={name}", "-out", request], check=True, capture_output=True)
    extension = folder / "names"
    extension.write_text(f"subjectAltName = DNS:{name}\n")
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", issuer.file, "-CAkey", issuer.key, "-CAcreateserial", "-days", "0",
                    "-extfile", extension, "-out", made.file], check=True, capture_output=True)
    return made


def test_a_device_certificate_that_has_expired_is_named_and_a_new_one_is_taken(shared_server, tmp_path):
    server = shared_server
    authority = Certificate(tmp_path / "ca", "An authority")
    mine = expired(tmp_path, "bad-certificate", authority)
    fresh = Certificate(tmp_path / "fresh", "bad-certificate")
    added = server.cli("device", "add", "bad-certificate", "--x509-thumbprint", fresh.thumbprint(), "--json").stdout
    own = identity(server, tmp_path, json.loads(added)["connectionString"])
    agent = FreeAgent(tmp_path / "agent", server, "bad-certificate", own + mine.settings() + QUIET.replace("network", "system", 1)
                      .replace('[collectors.login]\nenabled = false\n', "")).start()
    try:
        uplink = wait_for(lambda: status_of(agent).get("problem") == "certificate" and status_of(agent), 60, "the problem in the status")
        assert uplink["state"] == "waiting" and "of this device has expired at" in uplink["reason"], uplink
        for source, target in ((fresh.key, mine.key), (fresh.file, mine.file)):
            staged = target.with_suffix(".new")
            shutil.copy(source, staged)
            staged.chmod(0o600)
            staged.rename(target)
        wait_for(lambda: status_of(agent).get("state") == "connected", 180, "the new certificate is taken by itself")
    finally:
        agent.stop()


def status_of(agent: Agent) -> dict:
    done = agent.run("status", "--json")
    return json.loads(done.stdout)["uplink"] if done.returncode == 0 else {}


class FormerHub:
    """A hub whose certificate has run out."""

    def __init__(self, folder: pathlib.Path):
        self.authority = Certificate(folder, "An authority")
        mine = expired(folder, "localhost", self.authority)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(mine.file, mine.key)
        self.context, self.listener = context, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.refusals = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                with self.context.wrap_socket(self.listener.accept()[0], server_side=True):
                    pass
            except ssl.SSLError:
                self.refusals += 1
            except OSError:
                return


def test_a_hub_certificate_that_has_expired_is_named_and_nothing_is_sent(tmp_path):
    hub = FormerHub(tmp_path / "hub")
    secret = tmp_path / "connection"
    secret.touch(mode=0o600)
    secret.write_text(f"HostName=localhost:{hub.port};DeviceId=d;SharedAccessKey=a2V5\n")
    done = subprocess.run([BIN / "picket-agent", "selftest", "--config", os.devnull, "--data", tmp_path / "data", "--ca-file",
                           hub.authority.file, "--connection-string-file", secret, "--timeout", "12s"], text=True,
                          capture_output=True, timeout=120)
    hub.listener.close()
    assert done.returncode == 3, done
    assert "the hub's certificate has expired; or is this device's clock wrong?" in done.stderr, done.stderr
    assert hub.refusals > 0


# ---- command lines ----

@pytest.mark.parametrize("tier", ["auto", "proc-connector"])
def test_a_command_line_of_a_megabyte_is_cut_and_measured(shared_server, tmp_path, tier):
    agent = Agent(tmp_path / "agent", shared_server, f"bad-line-{tier}", f'{QUIET}[collectors.process]\ntier = "{tier}"\n')
    agent.start().wait_connected()
    try:
        for length in (120_000, 1_000):  # the second tells the hash of the first apart
            word = marker()
            arguments = [word, *("x" * length for _ in range(9))]
            # A tier that asks procfs afterwards needs a program that is still there.
            with subprocess.Popen(["/bin/sh", "-c", "read line", *arguments], stdin=subprocess.PIPE) as program:
                wait_for(lambda: saw(agent, word) == 1, 60, f"the program with {word}")
                program.stdin.close()
            row = agent.server.query(f'SecurityIoTRawEvent | where RawEventName == "ProcessCreate" and EventDetails has "{word}"')[0]
            details = json.loads(row["EventDetails"])
            assert len(details["CommandLine"]) <= 8192
            assert details["Truncated"] is True or length * 9 < 8192
            if length == 120_000:
                assert len(details["CommandLine"]) > 8000
                assert int(details["CommandLineBytes"]) > 1_080_000, details["CommandLineBytes"]
                assert len(details["CommandLineHash"]) == 16
    finally:
        agent.stop()
