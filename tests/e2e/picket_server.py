"""A Picket server of a test: its own data folder and ports, its API, its devices, its end."""

import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PICKET_TEST_BIN", ROOT / "build/release/bin"))
MODULE = "DefenderIotMicroAgent"
CALL_ATTEMPTS_MAX = 3
# No wait for what must come is shorter: a starved machine needs it, and where all is well nobody waits.
WAIT_SECONDS_MIN = 120
PORTS = range(10_000, 32_768)


_given_ports: set[int] = set()


def free_port() -> int:
    """A port that nobody has, below those that the kernel gives to connections: one of those may be taken by any connection
    before the server listens, or while it is down between two starts."""
    first, last = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    # Where the kernel gives all of them to connections, any that is free must do.
    ours = [port for port in PORTS if not first <= port <= last] or PORTS
    for _ in range(1000):
        port = random.choice(ours)
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        _given_ports.add(port)
        return port
    raise AssertionError(f"no free port between {ours[0]} and {ours[-1]}")


def wait_for(condition, timeout_s: float, what: str, every_s: float = 0.1):
    """The first true value of `condition()`; fails with `what` after the time, which is WAIT_SECONDS_MIN at least."""
    timeout_s = max(timeout_s, WAIT_SECONDS_MIN)
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s} s: {what}")
        time.sleep(every_s)


class ApiError(Exception):
    def __init__(self, status: int, body: dict):
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body


class Server:
    def __init__(self, folder: pathlib.Path, *more: str):
        self.folder = folder
        self.data = folder / "server"
        self.mqtt_port, self.amqp_port, self.https_port, self.portal_port = (free_port() for _ in range(4))
        self.more = more
        self.process = None
        self.log_path = folder / "server.log"

    # life
    def start(self, timeout_s: float = 60) -> "Server":
        self.launch()
        wait_for(self._answers, timeout_s, f"the server answers; see {self.log_path}")
        return self

    def launch(self) -> None:
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BIN / "picket", "serve", "--data", self.data, "--portal", ROOT / "portal/dist", "--mqtt-port",
                 str(self.mqtt_port), "--amqp-port", str(self.amqp_port), "--https-port", str(self.https_port),
                 "--portal-port", str(self.portal_port), *self.more],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the server ended:\n{self.log_path.read_text()[-4000:]}"
        try:
            self.get("/status")
            return True
        except (OSError, ssl.SSLError, ApiError):
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    # API
    @property
    def ca_file(self) -> pathlib.Path:
        return self.data / "secrets/ca.crt"

    @property
    def url(self) -> str:
        return f"https://localhost:{self.portal_port}"

    def call(self, method: str, path: str, body=None, timeout_s: float = 60):
        """A question whose connection ends without an answer is asked again, as clients do: a machine that stands still for
        longer than the ten seconds of a handshake ends it."""
        repeatable = method == "GET" or path == "/query"
        for left in reversed(range(CALL_ATTEMPTS_MAX if repeatable else 1)):
            try:
                return self._call_once(method, path, body, timeout_s)
            except OSError:
                if left == 0 or self.process is None or self.process.poll() is not None:
                    raise
                time.sleep(0.5)

    def _call_once(self, method: str, path: str, body, timeout_s: float):
        context = ssl.create_default_context(cafile=self.ca_file)
        request = urllib.request.Request(f"{self.url}/api/v1{path}", method=method)
        request.add_header("Authorization", "Bearer " + (self.data / "secrets/cli-token").read_text().strip())
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, data, timeout=timeout_s, context=context) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            text = error.read()
            raise ApiError(error.code, json.loads(text) if text else {}) from None

    def get(self, path: str):
        return self.call("GET", path)

    def query(self, kql: str, max_rows: int = 100_000) -> list[dict]:
        answer = self.call("POST", "/query", {"query": kql, "max_rows": max_rows})
        assert not answer["stats"]["truncated"], "the test asks for fewer rows"
        names = [column["name"] for column in answer["columns"]]
        return [dict(zip(names, row)) for row in answer["rows"]]

    def scalar(self, kql: str):
        rows = self.query(kql)
        return next(iter(rows[0].values())) if rows else None

    def alerts(self, **filters: str) -> list[dict]:
        text = "".join(f"&{k}={v}" for k, v in filters.items())
        items, cursor = [], ""
        while True:
            page = self.get(f"/alerts?limit=500{text}{cursor}")
            items += page["items"]
            if "next_cursor" not in page:
                return items
            cursor = "&cursor=" + urllib.request.quote(page["next_cursor"], safe="")

    def add_device(self, device_id: str) -> str:
        """Makes a device; the connection string of its security module."""
        return self.call("POST", "/devices", {"deviceId": device_id})["connectionString"]

    def settled(self, timeout_s: float = 60) -> None:
        """Waits until the pipeline has seen everything that the journal holds."""
        wait_for(lambda: self.get("/overview")["pipeline"]["lag_records"] == 0, timeout_s, "the pipeline caught up")

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        environment = dict(os.environ, PICKET_SERVER=self.url, PICKET_CA_FILE=str(self.ca_file),
                           PICKET_TOKEN_FILE=str(self.data / "secrets/cli-token"))
        return subprocess.run([BIN / "picket", *arguments], env=environment, text=True, capture_output=True, check=check,
                              timeout=300)


def key_of(connection_string: str) -> str:
    return connection_string.split("SharedAccessKey=")[1].split(";")[0]


def write_identities(server: Server, path: pathlib.Path, count: int, prefix: str = "load") -> None:
    """Makes devices and writes the file that picket-load reads."""
    with open(path, "w") as out:
        os.fchmod(out.fileno(), 0o600)
        for i in range(count):
            device = f"{prefix}-{i}"
            out.write(f"{device} {MODULE} {key_of(server.add_device(device))}\n")


@contextlib.contextmanager
def load(server: Server, identities: pathlib.Path, **options):
    """picket-load in the background; `with load(...) as finish: ...; report = finish()`."""
    arguments = [str(x) for key, value in options.items() for x in ("--" + key.replace("_", "-"), value)]
    process = subprocess.Popen([BIN / "picket-load", "--identities", identities, "--port", str(server.mqtt_port),
                                "--ca-file", server.ca_file, *arguments], stdout=subprocess.PIPE, text=True)

    def finish(timeout_s: float = 600) -> dict:
        text, _ = process.communicate(timeout=timeout_s)
        return json.loads(text.splitlines()[-1])

    try:
        yield finish
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
