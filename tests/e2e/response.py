"""Response of a test: an agent that has pinned the server's key, orders by the CLI, commands that the test signs itself."""

import base64
import datetime
import json
import pathlib
import subprocess
import uuid

from picket_agent import Agent
from picket_server import MODULE, ApiError, Server, wait_for

# What these tests do not look at does not run beside them.
LITTLE = "".join(f"[collectors.{name}]\nenabled = false\n"
                 for name in ("process", "network", "login", "file_system", "sbom", "dns", "firewall"))
ALLOWED = "isolate = true\nprocess = true\nblock = true\ncollect = true\nscan = true\n"


def settings(folder: pathlib.Path, server: Server, allowed: str) -> str:
    """What an agent's settings need so that it takes commands."""
    key = folder / "response.pem"
    key.write_text(server.cli("response", "key").stdout)
    key.chmod(0o644)
    return f'[response]\nkey_file = "{key}"\n{allowed}\n'


def make_agent(folder: pathlib.Path, server: Server, device: str, allowed: str, more: str = LITTLE, **how) -> Agent:
    folder.mkdir(parents=True, exist_ok=True)
    return Agent(folder, server, device, settings(folder, server, allowed) + more, **how)


def order(agent: Agent, *words: str) -> subprocess.CompletedProcess:
    return agent.server.cli("respond", agent.device_id, *words, check=False)


def ordered(agent: Agent, *words: str) -> str:
    """The id of a command that the device carried out."""
    done = order(agent, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("Command ")[1].strip()


def events(agent: Agent) -> list[dict]:
    rows = agent.server.query('SecurityIoTRawEvent | where RawEventName == "Response" '
                              f'and DeviceId == "{agent.device_id}" | project EventDetails')
    return [json.loads(row["EventDetails"]) for row in rows]


def wait_event(agent: Agent, **wanted: str) -> dict:
    def found():
        return next((e for e in events(agent) if all(e.get(k) == v for k, v in wanted.items())), None)
    return wait_for(found, 60, f"a Response event with {wanted}; there are {events(agent)}")


def wait_event_about(agent: Agent, action: str, **arguments) -> dict:
    def found():
        return next((e for e in events(agent) if e.get("Action") == action
                     and arguments.items() <= json.loads(e["Arguments"]).items()), None)
    return wait_for(found, 60, f"a Response event of {action} with {arguments}; there are {events(agent)}")


def audit(agent: Agent, action: str) -> list[dict]:
    """Details of the audit records about this device, newest first."""
    items = agent.server.get("/audit?limit=500")["items"]
    return [each["detail"] | {"user": each["user"]} for each in items
            if each["action"] == action and each.get("target", "").startswith(agent.device_id)]


def wait_audit(agent: Agent, **wanted) -> dict:
    def found():
        return next((each for each in audit(agent, "response.answer") if all(each.get(k) == v for k, v in wanted.items())), None)
    return wait_for(found, 60, f"an audit record with {wanted}; there are {audit(agent, 'response.answer')}")


def call(agent: Agent, payload) -> dict:
    """The direct method, as anybody calls it who may call methods; `status` and `payload` of the answer."""
    return agent.server.call("POST", f"/devices/{agent.device_id}/methods?module={MODULE}",
                             {"methodName": "PicketRespond", "payload": payload})


def wait_takes_commands(agent: Agent) -> None:
    """Until the agent is connected and answers calls."""
    def answers():
        try:
            return call(agent, {})["status"] == 400
        except ApiError as error:
            assert error.status in (404, 504), error
            return False
    wait_for(answers, 120, f"the agent answers; see {agent.folder}/agent.log")


def key_of_server(server: Server) -> pathlib.Path:
    return server.data / "secrets/response.key"


def signed(agent: Agent, key: pathlib.Path, action: str, arguments: dict | None = None, age_s: int = 0, life_s: int = 300,
           **fields: str) -> dict:
    """The payload of a command `age_s` old, signed with a private key; `fields` in place of what is right."""
    modules = agent.server.get(f"/devices/{agent.device_id}")["modules"]
    issued = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age_s)
    text = {"id": str(uuid.uuid4()), "hub": "picket", "device": agent.device_id, "module": MODULE,
            "generation": next(each["generationId"] for each in modules if each["moduleId"] == MODULE),
            "issued": time_text(issued), "expires": time_text(issued + datetime.timedelta(seconds=life_s)), "action": action,
            "arguments": arguments or {}} | fields
    command = json.dumps(text).encode()
    done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=command, capture_output=True, check=True)
    return {"command": base64.b64encode(command).decode(), "signatures": [base64.b64encode(done.stdout).decode()]}


def time_text(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def id_of(payload: dict) -> str:
    return json.loads(base64.b64decode(payload["command"]))["id"]
