"""Signed commands from the server's CLI to a real agent: what is allowed happens, and what is not is refused and told."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from picket_agent import Agent
from picket_server import BIN, wait_for
from private_disk import PrivateDisk
from response import (LITTLE, audit, call, id_of, key_of_server, make_agent, order, ordered, signed, wait_audit, wait_event,
                      wait_event_about, wait_takes_commands)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="response needs root")


@pytest.fixture
def agent(shared_server, tmp_path, request):
    name = "response-" + request.node.name.lower().replace("_", "-")[:100]
    made = make_agent(tmp_path / "agent", shared_server, name, "process = true\ncollect = true\nscan = true")
    made.start().wait_connected()
    yield made
    made.stop()


@pytest.fixture
def victim():
    made = subprocess.Popen(["sleep", "600"])
    yield made
    made.kill()
    made.wait()


def state_of(process: subprocess.Popen) -> str:
    return pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_kills_the_process_that_was_named_and_both_sides_keep_a_record(agent, victim):
    command = ordered(agent, "kill", str(victim.pid))
    assert victim.wait(30) == -9
    event = wait_event(agent, Action="kill", Result="Done", CommandId=command)
    assert json.loads(event["Arguments"])["pid"] == victim.pid
    assert any(each["command"] == command and each["action"] == "kill" for each in audit(agent, "response.order"))
    answer = wait_audit(agent, command=command)
    assert (answer["outcome"], answer["status"], answer["user"]) == ("done", 200, "local")


def test_suspends_a_process_and_lets_it_go_on(agent, victim):
    ordered(agent, "suspend", str(victim.pid))
    wait_for(lambda: state_of(victim) == "T", 30, "the process stands")
    ordered(agent, "resume", str(victim.pid))
    wait_for(lambda: state_of(victim) != "T", 30, "the process goes on")
    assert victim.poll() is None
    for action in ("suspend", "resume"):
        wait_event(agent, Action=action, Result="Done")


def test_a_number_that_another_process_has_got_is_left_alone(agent, victim):
    ticks = int(pathlib.Path(f"/proc/{victim.pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    done = order(agent, "kill", str(victim.pid), "--start-ticks", str(ticks + 1))
    assert done.returncode == 1
    wait_event(agent, Action="kill", Result="Failed")
    assert victim.poll() is None
    ordered(agent, "kill", str(victim.pid), "--start-ticks", str(ticks))
    assert victim.wait(30) == -9


@pytest.fixture(scope="module")
def refusing(shared_server, tmp_path_factory):
    """Allows nothing."""
    made = make_agent(tmp_path_factory.mktemp("refusing") / "agent", shared_server, "response-refusing", "")
    made.start().wait_connected()
    # The first command tells the device its hub and generation.
    assert call(made, signed(made, key_of_server(shared_server), "no-such-action"))["status"] == 404
    yield made
    made.stop()


@pytest.mark.parametrize("name,status,says,changes", [
    ("expired", 410, "expired", {"age_s": 7200}),
    ("from the future", 425, "future", {"age_s": -1800}),
    ("of another device", 403, "device", {"device": "response-other"}),
    ("of another module", 403, "module", {"module": "other"}),
    ("of a former registration", 403, "generation", {"generation": "0"}),
    ("of another hub", 403, "hub", {"hub": "elsewhere"}),
    ("for too long", 400, "lives", {"life_s": 7200}),
    ("forbidden by the local policy", 403, "response.process", {}),
], ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "")
def test_refuses_a_good_signature_on_what_is(refusing, victim, name, status, says, changes):
    payload = signed(refusing, key_of_server(refusing.server), "kill", {"pid": victim.pid}, **changes)
    answer = call(refusing, payload)
    assert answer["status"] == status, answer
    assert says in answer["payload"]["error"]
    event = wait_event(refusing, CommandId=id_of(payload))
    assert (event["Action"], event["Result"], event["Message"]) == ("kill", "Refused", answer["payload"]["error"])
    record = wait_audit(refusing, command=id_of(payload))
    assert (record["outcome"], record["status"], record["reason"]) == ("refused", status, answer["payload"]["error"])
    rows = f'HubOperations | where Kind == "response.answer" and Details has "{id_of(payload)}" | count'
    wait_for(lambda: refusing.server.scalar(rows) == 1, 60, "the record is in the workspace")
    assert victim.poll() is None


def test_refuses_the_signature_of_another_key(refusing, victim, tmp_path):
    other = tmp_path / "other.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other],
                   check=True, capture_output=True)
    payload = signed(refusing, other, "kill", {"pid": victim.pid})
    assert call(refusing, payload)["status"] == 401
    # The device believes nothing that nobody signed: its event has no id. The server says what was claimed.
    said = wait_audit(refusing, command=id_of(payload), status=401)["reason"]
    assert wait_event(refusing, Result="Refused", Message=said)["CommandId"] == ""
    assert victim.poll() is None


def test_refuses_what_is_no_command(refusing):
    assert call(refusing, {"command": "e30=", "signatures": ["MAA="]})["status"] == 401
    assert call(refusing, {})["status"] == 400


def test_takes_a_command_once_also_over_kill_9(agent, victim):
    payload = signed(agent, key_of_server(agent.server), "suspend", {"pid": victim.pid})
    assert call(agent, payload)["status"] == 200
    wait_for(lambda: state_of(victim) == "T", 30, "the process stands")
    ordered(agent, "resume", str(victim.pid))
    for _ in range(2):
        again = call(agent, payload)
        assert again["status"] == 409, again
        assert state_of(victim) != "T"
        refused = wait_event(agent, CommandId=id_of(payload), Result="Refused")
        agent.kill()
        agent.start()
        wait_takes_commands(agent)
    assert "before" in refused["Message"]
    wait_audit(agent, command=id_of(payload), status=409)


def test_a_file_arrives_whole_and_only_one_that_is_allowed(agent, tmp_path):
    source = tmp_path / "evidence"
    content = os.urandom(300_000)
    source.write_bytes(content)
    out = tmp_path / "out"
    command = ordered(agent, "collect", str(source))
    source.write_bytes(b"changed after it was read")

    def arrived() -> bool:
        return agent.server.cli("response", "file", agent.device_id, command, "-o", str(out), check=False).returncode == 0
    wait_for(arrived, 60, "all parts")
    assert out.read_bytes() == content

    link = tmp_path / "link"
    link.symlink_to(source)
    large = tmp_path / "large"
    with open(large, "wb") as file:
        file.truncate((1 << 20) + 1)
    for path, says in ((link, "link"), (large, "collect_max"), (tmp_path, "regular"),
                       (tmp_path / "absent", "No such file"), ("relative", "absolute")):
        done = order(agent, "collect", str(path))
        assert done.returncode == 1, path
        assert says in done.stderr, done.stderr
        event = wait_event_about(agent, "collect", path=str(path))
        assert event["Result"] == "Failed" and says in event["Message"], event


def test_a_scan_sends_what_a_snapshot_sends(shared_server, tmp_path):
    """Of a small root that stands for a firmware image."""
    image = tmp_path / "image"
    (image / "var/lib/dpkg").mkdir(parents=True)
    status = image / "var/lib/dpkg/status"
    status.write_text(stanza("first", "1.0"))
    more = LITTLE.replace("[collectors.sbom]\nenabled = false\n", '[collectors.sbom]\nevery = "1d"\n')
    more += f'[collectors]\nroot = "{image}"\nbaseline.content = "{BIN.parent / "share/picket-agent/baseline.bin"}"\n'
    agent = make_agent(tmp_path / "agent", shared_server, "response-scan", "scan = true", more)
    agent.start().wait_connected()
    try:
        rows = '| where RawEventName == "SBoM" and EventDetails has "{}" | count'
        wait_for(lambda: agent.rows(rows.format("first")) > 0, 60, "the first snapshot")
        status.write_text(stanza("first", "1.0") + stanza("second", "2.0"))
        ordered(agent, "scan", "sbom")
        wait_for(lambda: agent.rows(rows.format("second")) > 0, 60, "what came since")
        count = '| where RawEventName == "Baseline" | count'
        before = wait_for(lambda: agent.rows(count), 120, "the first baseline")
        ordered(agent, "scan", "baseline")
        wait_for(lambda: agent.rows(count) > before, 120, "the baseline")
        done = order(agent, "scan", "no-such-collector")
        assert done.returncode == 1
        assert "no-such-collector" in done.stderr
        wait_event(agent, Action="scan", Result="Failed")
    finally:
        agent.stop()


def stanza(name: str, version: str) -> str:
    return (f"Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n"
            "Maintainer: somebody <s@example.test>\nDescription: a test\n\n")


@pytest.fixture
def disk(tmp_path):
    made = PrivateDisk(tmp_path / "disk")
    yield made
    made.close()


def test_a_blocked_program_does_not_start_whatever_its_name_until_it_is_unblocked(shared_server, tmp_path, disk):
    hashed = hashlib.sha256(pathlib.Path("/bin/echo").read_bytes()).hexdigest()
    program, copy, other = (str(disk.folder / name) for name in ("program", "another-name", "true"))
    assert disk.run("cp", "/bin/echo", program).returncode == 0
    assert disk.run("cp", "/bin/echo", copy).returncode == 0
    assert disk.run("cp", "/bin/true", other).returncode == 0
    agent = make_agent(tmp_path / "agent", shared_server, "response-block", f'block = true\nblock_paths = ["{disk.folder}"]',
                       prefix=disk.prefix)
    agent.start().wait_connected()
    try:
        assert disk.run(program, "before").stdout == "before\n"
        command = ordered(agent, "block", hashed)
        for path in (program, copy):
            done = disk.run("sh", "-c", f"exec {path} blocked")
            assert done.returncode != 0 and "not permitted" in done.stderr, done
            event = wait_event_about(agent, "exec", path=path)
            assert (event["Result"], event["CommandId"]) == ("Refused", command)
            assert hashed in event["Message"]
        assert disk.run(other).returncode == 0, "what is not blocked starts"
        # Started again after kill -9, the agent goes on.
        agent.kill()
        assert disk.run(program, "nobody looks").stdout == "nobody looks\n"
        agent.start()
        wait_for(lambda: disk.run("sh", "-c", f"exec {program} again").returncode != 0, 60, "it is blocked again")
        wait_takes_commands(agent)
        ordered(agent, "unblock", hashed)
        assert disk.run(program, "after").stdout == "after\n"
    finally:
        agent.stop()


def test_another_key_takes_the_place_of_the_old_one(server, tmp_path):
    """Three states of the server: old key, both, new key. The device follows with one command, and the old key is worth nothing then."""
    agent = make_agent(tmp_path / "agent", server, "response-rotate", "scan = true")
    agent.start().wait_connected()
    try:
        assert order(agent, "rotate-key").returncode != 0, "there is no next key yet"
        secrets = server.data / "secrets"
        new, old = secrets / "response-next.key", tmp_path / "old.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", new],
                       check=True, capture_output=True)
        new.chmod(0o600)
        shutil.copy(secrets / "response.key", old)
        again(server, agent)
        ordered(agent, "rotate-key")
        ordered(agent, "scan", "heartbeat")  # carries both signatures
        new.rename(secrets / "response.key")
        again(server, agent)
        ordered(agent, "scan", "heartbeat")
        assert call(agent, signed(agent, old, "scan", {"collector": "heartbeat"}))["status"] == 401
        wait_event(agent, Action="rotate-key", Result="Done")
        agent.kill()
        agent.start()
        wait_takes_commands(agent)
        ordered(agent, "scan", "heartbeat")  # the key was kept
        assert call(agent, signed(agent, old, "scan", {"collector": "heartbeat"}))["status"] == 401
    finally:
        agent.stop()


def again(server, agent) -> None:
    server.stop()
    server.start()
    wait_takes_commands(agent)


def test_a_device_that_is_not_there_is_not_reached_and_the_order_stays_on_record(shared_server):
    shared_server.add_device("response-absent")
    done = shared_server.cli("respond", "response-absent", "release", check=False)
    assert done.returncode == 1
    assert "not connected" in done.stderr
    rows = 'HubOperations | where DeviceId == "response-absent" and Kind startswith "response." | count'
    wait_for(lambda: shared_server.scalar(rows) == 2, 60, "the order and that nobody answered")


def test_without_a_pinned_key_nothing_is_taken(shared_server, tmp_path):
    agent = Agent(tmp_path / "agent", shared_server, "response-unpinned", LITTLE + "[response]\nscan = true\n")
    agent.start().wait_connected()
    try:
        done = order(agent, "scan", "heartbeat")
        assert done.returncode == 1
        assert "response.key_file is not set" in done.stderr
        wait_event(agent, Result="Refused")
    finally:
        agent.stop()


def test_the_key_is_told_where_a_device_is_put_into_service(shared_server):
    key = shared_server.cli("response", "key").stdout
    assert key.startswith("-----BEGIN PUBLIC KEY-----")
    said = shared_server.cli("device", "add", "response-new").stdout
    assert key in said and "response.key_file" in said
    assert json.loads(shared_server.cli("device", "add", "response-new-2", "--json").stdout)["responsePublicKey"] == key
    assert key in shared_server.cli("provisioning", "show").stdout
    assert json.loads(shared_server.cli("provisioning", "show", "--json").stdout)["responsePublicKey"] == key
