"""How an agent proves who it is, and the ways to the hub: certificates, provisioning, WebSocket, a proxy. Real server, real agent."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import select
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request
import uuid

import pytest
from picket_agent import Agent
from picket_server import BIN, Server, free_port, wait_for

COLLECT_LITTLE = "[collectors.process]\nenabled = false\n[collectors.network]\nenabled = false\n[collectors.login]\nenabled = false\n"


class FreeAgent(Agent):
    """An agent whose identity the test writes into the settings itself."""

    def __init__(self, folder: pathlib.Path, server: Server, device_id: str, settings: str, program: str = "picket-agent"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.server, self.device_id, self.program, self.process = folder, server, device_id, program, None
        self.config = folder / "agent.toml"
        self.config.write_text(f'ca_file = "{server.ca_file}"\ndata_dir = "{folder / "data"}"\n{settings}\n{COLLECT_LITTLE}')
        self.config.chmod(0o600)

    def start(self) -> "FreeAgent":
        with open(self.folder / "agent.log", "ab") as log:
            self.process = subprocess.Popen([BIN / self.program, "run", "--config", self.config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def log(self) -> str:
        return (self.folder / "agent.log").read_text()


@contextlib.contextmanager
def running(agent: FreeAgent):
    agent.start()
    try:
        yield agent.wait_connected()
    finally:
        agent.stop()


def secret_file(path: pathlib.Path, text: str) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    path.chmod(0o600)
    return path


def openssl(*words) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, stdin=subprocess.DEVNULL)


class Certificate:
    def __init__(self, folder: pathlib.Path, common_name: str, kind: str = "ec", issuer: "Certificate" = None):
        folder.mkdir(parents=True, exist_ok=True)
        stem = uuid.uuid4().hex[:8]
        self.key, self.file = folder / f"{stem}.key", folder / f"{stem}.crt"
        algorithm = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if kind == "rsa" else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("genpkey", "-algorithm", *algorithm, "-out", self.key)
        self.key.chmod(0o600)
        if issuer is None:
            openssl("req", "-x509", "-new", "-key", self.key, "-days", "60", "-subj", f"/CN={common_name}", "-out", self.file)
        else:
            request = folder / f"{stem}.csr"
            openssl("req", "-new", "-key", self.key, "-subj", f"/CN={common_name}", "-out", request)
            openssl("x509", "-req", "-in", request, "-CA", issuer.file, "-CAkey", issuer.key, "-CAcreateserial", "-days", "60", "-out",
                    self.file)

    def thumbprint(self) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.file.read_text())).hexdigest()

    def settings(self) -> str:
        return f'certificate_file = "{self.file}"\nkey_file = "{self.key}"\n'


def identity(server: Server, tmp_path, text: str) -> str:
    """Settings of a connection string that goes to this test's port."""
    path = secret_file(tmp_path / f"cs-{uuid.uuid4().hex[:8]}", f"{text};GatewayHostName=localhost:{server.mqtt_port}\n")
    return f'connection_string_file = "{path}"\n'


@pytest.mark.parametrize("kind,program", [("ec", "picket-agent"), ("rsa", "picket-agent"), ("ec", "picket-agent-openssl")])
def test_a_certificate_known_by_its_thumbprint_opens_the_hub_to_the_module(shared_server, tmp_path, kind, program):
    server, device = shared_server, f"thumb-{kind}-{program[-7:]}"
    mine = Certificate(tmp_path, device, kind)
    added = json.loads(server.cli("device", "add", device, "--x509-thumbprint", mine.thumbprint(), "--json").stdout)
    assert "x509=true" in added["connectionString"] and "ModuleId=" in added["connectionString"]
    settings = identity(server, tmp_path, added["connectionString"]) + mine.settings()
    with running(FreeAgent(tmp_path / "agent", server, device, settings, program)) as agent:
        assert agent.status()["uplink"]["state"] == "connected"


def test_a_certificate_of_a_proven_authority_opens_the_hub_to_the_device_it_names(shared_server, tmp_path):
    server = shared_server
    authority = Certificate(tmp_path / "ca", "Factory CA")
    added = json.loads(server.cli("hub", "certificate", "add", "picket", "factory", str(authority.file), "--json").stdout)
    proof = Certificate(tmp_path / "ca", added["verificationCode"], issuer=authority)
    server.cli("hub", "certificate", "verify", "picket", "factory", str(proof.file))
    server.cli("device", "add", "by-ca", "--ca")
    mine = Certificate(tmp_path, "by-ca", issuer=authority)
    settings = identity(server, tmp_path, "HostName=localhost;DeviceId=by-ca;x509=true") + mine.settings()
    with running(FreeAgent(tmp_path / "agent", server, "by-ca", settings)):
        pass
    # Another's certificate of the same authority: refused, said, and not asked again for minutes.
    other = Certificate(tmp_path, "somebody-else", issuer=authority)
    stranger = FreeAgent(tmp_path / "stranger", server, "by-ca",
                         identity(server, tmp_path, "HostName=localhost;DeviceId=by-ca;x509=true") + other.settings()).start()
    try:
        wait_for(lambda: "denied" in stranger.log(), 30, "the refusal is in the log")
    finally:
        stranger.stop()


def enroll(server: Server, path: str, body: dict) -> str:
    """Puts an enrolment by the service API; the id scope."""
    shown = json.loads(server.cli("provisioning", "show", "--json").stdout)
    text = server.cli("hub", "policy", "show", "picket", "iothubowner").stdout
    words = next(word for word in text.split() if word.startswith("HostName="))
    fields = dict(part.split("=", 1) for part in words.split(";"))
    resource, end = urllib.parse.quote(fields["HostName"], safe=""), str(int(time.time()) + 600)
    signature = hmac.new(base64.b64decode(fields["SharedAccessKey"]), f"{resource}\n{end}".encode(), hashlib.sha256).digest()
    token = (f"SharedAccessSignature sr={resource}&sig={urllib.parse.quote(base64.b64encode(signature), safe='')}&se={end}"
             f"&skn={fields['SharedAccessKeyName']}")
    request = urllib.request.Request(f"https://localhost:{server.https_port}/{path}?api-version=2021-10-01", json.dumps(body).encode(),
                                     {"Authorization": token, "Content-Type": "application/json"}, method="PUT")
    with urllib.request.urlopen(request, timeout=30, context=ssl.create_default_context(cafile=server.ca_file)) as answer:
        assert answer.status == 200
    return shown["idScope"]


def provisioning(server: Server, scope: str, registration: str, more: str) -> str:
    to = f"localhost:{server.mqtt_port}"
    return (f'uplink.gateway = "{to}"\nprovisioning.endpoint = "{to}"\nprovisioning.id_scope = "{scope}"\n'
            f'provisioning.registration_id = "{registration}"\n{more}')


def test_a_member_of_a_group_provisions_itself_and_is_its_security_module(shared_server, tmp_path):
    server, key = shared_server, base64.b64encode(os.urandom(32)).decode()
    scope = enroll(server, "enrollmentGroups/line-1", {
        "enrollmentGroupId": "line-1",
        "attestation": {"type": "symmetricKey", "symmetricKey": {"primaryKey": key, "secondaryKey": base64.b64encode(os.urandom(32)).decode()}}})
    secret = secret_file(tmp_path / "group-key", key + "\n")
    settings = provisioning(server, scope, "member-1", f'provisioning.group_key_file = "{secret}"\n')
    with running(FreeAgent(tmp_path / "agent", server, "member-1", settings)) as agent:
        assert agent.status()["uplink"]["identity"] == "member-1/DefenderIotMicroAgent"
    stored = tmp_path / "agent/data/provisioned"
    assert stored.stat().st_mode & 0o777 == 0o600 and key not in stored.read_text()
    # The device is deleted and made anew by the next registration: the agent finds back without anybody's help.
    server.call("DELETE", "/devices/member-1")
    again = FreeAgent(tmp_path / "agent", server, "member-1", settings).start()
    try:
        wait_for(lambda: again.log().count("connected to ") > 1, 60, "the agent is at the hub again")
    finally:
        again.stop()


def test_an_individual_enrolment_by_certificate(shared_server, tmp_path):
    server, mine = shared_server, Certificate(tmp_path, "cert-1")
    scope = enroll(server, "enrollments/cert-1", {
        "registrationId": "cert-1",
        "attestation": {"type": "x509", "x509": {"clientCertificates": {
            "primary": {"certificate": base64.b64encode(mine.file.read_bytes()).decode()}}}}})
    settings = provisioning(server, scope, "cert-1", "") + mine.settings()
    with running(FreeAgent(tmp_path / "agent", server, "cert-1", settings)) as agent:
        assert agent.status()["uplink"]["identity"] == "cert-1/DefenderIotMicroAgent"


class Proxy:
    """CONNECT for whoever brings the credentials; counts."""

    def __init__(self, credentials: str):
        self.wanted = "Proxy-Authorization: Basic " + base64.b64encode(credentials.encode()).decode()
        self.targets, self.listener = [], socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096) or b"\r\n\r\n"
        target = head.split()[1].decode()
        self.targets.append(target)
        if self.wanted not in head.decode():
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return client.close()
        host, port = target.rsplit(":", 1)
        with client, socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            pair = {client: server, server: client}
            while True:
                for one in select.select(list(pair), [], [])[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    pair[one].sendall(data)


def test_mqtt_over_a_websocket_through_a_proxy_and_the_secret_is_nowhere(shared_server, tmp_path):
    server, proxy = shared_server, Proxy("agent:s3cret,word")
    settings = identity(server, tmp_path, server.add_device("by-ws"))
    settings += (f'uplink.transport = "websocket"\nuplink.websocket_port = {server.https_port}\n'
                 f'uplink.proxy = "127.0.0.1,{proxy.port},agent,s3cret,word"\n')
    with running(FreeAgent(tmp_path / "agent", server, "by-ws", settings)) as agent:
        assert f"localhost:{server.https_port}" in proxy.targets
        assert "s3cret" not in agent.log() + json.dumps(agent.status())


def test_auto_goes_on_by_websocket_where_mqtt_is_blocked(shared_server, tmp_path):
    server = shared_server
    closed = free_port()
    text = server.add_device("by-auto") + f";GatewayHostName=localhost:{closed}"
    path = secret_file(tmp_path / "cs", text)
    settings = f'connection_string_file = "{path}"\nuplink.websocket_port = {server.https_port}\n'
    with running(FreeAgent(tmp_path / "agent", server, "by-auto", settings)) as agent:
        assert "by WebSocket, since" in agent.log()
