"""What the cases share: the hub under test, its devices, its rows. Hosts and ports are the SDK's own."""

import base64
import hashlib
import hmac
import itertools
import json
import os
import pathlib
import time
import urllib.parse
import urllib.request
import uuid

from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient, Message

HOST = os.environ["PICKET_SDK_HUB"]
FOLDER = pathlib.Path(os.environ["PICKET_SDK_FOLDER"])
CA = pathlib.Path(os.environ["PICKET_SDK_CA"]).read_text()
_numbers = itertools.count(1)


def ask(what: str, **body):
    """Asks the harness, see harness/control.py."""
    request = urllib.request.Request(f"{os.environ['PICKET_SDK_CONTROL']}/{what}", json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise RuntimeError("harness: " + json.loads(error.read())["error"]) from None


class Device:
    """A new device with its security module and their connection strings."""

    def __init__(self, device_id: str | None = None):
        self.id = device_id or f"py-{next(_numbers)}-{uuid.uuid4().hex[:6]}"
        strings = ask("device", id=self.id)
        self.string, self.module_string = strings["device"], strings["module"]

    def client(self, **options) -> IoTHubDeviceClient:
        return IoTHubDeviceClient.create_from_connection_string(self.string, **trusting(options))

    def module_client(self, **options) -> IoTHubModuleClient:
        return IoTHubModuleClient.create_from_connection_string(self.module_string, **trusting(options))


def trusting(options: dict) -> dict:
    return {"server_verification_cert": CA} | options


def service_string() -> str:
    return ask("service", policy="iothubowner")["connectionString"]


def key_of(connection_string: str) -> str:
    return connection_string.split("SharedAccessKey=")[1].split(";")[0]


def service_token(connection_string: str | None = None) -> str:
    """A token of a policy, for what the SDK has no call for."""
    fields = dict(part.split("=", 1) for part in (connection_string or service_string()).split(";"))
    resource, end = urllib.parse.quote(fields["HostName"], safe=""), str(int(time.time()) + 600)
    signature = hmac.new(base64.b64decode(fields["SharedAccessKey"]), f"{resource}\n{end}".encode(), hashlib.sha256).digest()
    return (f"SharedAccessSignature sr={resource}&sig={urllib.parse.quote(base64.b64encode(signature), safe='')}&se={end}"
            f"&skn={fields['SharedAccessKeyName']}")


def until(probe, what: str, seconds: float = 30, every: float = 0.1):
    """The first true value of `probe()`; fails with `what` after the time."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(every)


def rows(query: str, count: int = 1) -> list[dict]:
    """The rows of a KQL query as soon as there are at least `count`."""
    def probe():
        found = ask("rows", query=query)
        return found if len(found) >= count else None
    return until(probe, f"{count} rows of {query}")


def raw_event(mark: str) -> dict:
    return rows(f'SecurityIoTRawEvent | where EventDetails has "{mark}"')[0]


def security_message(mark: str) -> Message:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"EventType": "Security", "Category": "Triggered", "Name": "ProcessCreate", "IsEmpty": False,
             "PayloadSchemaVersion": "1.0", "Id": str(uuid.uuid4()), "TimestampLocal": now, "TimestampUTC": now,
             "Payload": [{"Executable": "/usr/bin/true", "ProcessId": 42, "ParentProcessId": 1, "UserName": "root",
                          "UserId": 0, "CommandLine": f"true {mark}"}]}
    body = {"AgentVersion": "0.0.1", "AgentId": str(uuid.uuid4()), "MessageSchemaVersion": "1.0", "Events": [event]}
    message = Message(json.dumps(body), content_encoding="utf-8", content_type="application/json", message_id=mark)
    message.set_as_security_message()
    return message
