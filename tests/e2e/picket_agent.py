"""An agent of a test: its own data folder, connected to a test's server."""

import json
import pathlib
import signal
import subprocess

from picket_server import BIN, Server, wait_for


class Agent:
    """`prefix` starts the program elsewhere, such as in namespaces, where the server's address is `host`; it must not fork."""

    def __init__(self, folder: pathlib.Path, server: Server, device_id: str, more_settings: str = "",
                 prefix: tuple | list = (), host: str = "localhost"):
        self.folder, self.server, self.device_id, self.prefix = folder, server, device_id, prefix
        folder.mkdir(parents=True, exist_ok=True)
        secret = folder / "connection-string"
        secret.touch(mode=0o600)
        secret.write_text(server.add_device(device_id) + f";GatewayHostName={host}:{server.mqtt_port}\n")
        self.config = folder / "agent.toml"
        self.config.write_text(f'connection_string_file = "{secret}"\nca_file = "{server.ca_file}"\n'
                               f'data_dir = "{folder / "data"}"\n{more_settings}')
        self.config.chmod(0o600)
        self.program, self.process = BIN / "picket-agent", None

    def start(self) -> "Agent":
        with open(self.folder / "agent.log", "ab") as log:
            self.process = subprocess.Popen([*self.prefix, self.program, "run", "--config", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def wait_connected(self) -> "Agent":
        wait_for(lambda: self.rows("| count") > 0, 30, f"events of the agent arrive; see {self.folder}/agent.log")
        return self

    def status(self) -> dict:
        """As soon as the agent tells it: just after its start it may not yet."""
        def told() -> str:
            return subprocess.run([BIN / "picket-agent", "status", "--json", "--config", self.config], text=True, capture_output=True,
                                  timeout=120).stdout
        return json.loads(wait_for(told, 60, f"the agent tells its status; see {self.folder}/agent.log"))

    def run(self, *arguments: str, timeout_s: float = 180) -> subprocess.CompletedProcess:
        return subprocess.run([BIN / "picket-agent", *arguments, "--config", self.config], text=True, capture_output=True,
                              timeout=timeout_s)

    def rows(self, pipe: str):
        """First value of a query over this device's raw events."""
        return self.server.scalar(f'SecurityIoTRawEvent | where DeviceId == "{self.device_id}" {pipe}') or 0

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
