"""What the cases of any language ask of the harness: POST with a JSON object, answered with JSON.

/device {"id"}              makes a device with its security module; {"device", "module"}: their connection strings
/service {"policy"}         {"connectionString"} of a shared access policy of the hub
/provisioning {}            {"idScope", "connectionString"} of the provisioning service
/authority {"name", "file"}  names a certificate authority of devices; {"verificationCode"}
/prove {"name", "file"}     hands in the certificate that proves its possession
/rows {"query"}             the rows of a KQL query, once the pipeline has caught up
/resize {"tier"}            the rates of the hub: none, F1, S1, S2, S3
/kill {}                    kill -9 of the server, then a new start; answers when it listens again
/stop {}, /start {}         the two halves, with a gentle end
"""

import contextlib
import http.server
import json
import threading

from picket_server import Server

HUB = "picket"  # the hub that every installation begins with


class Control:
    def __init__(self, server: Server):
        self.server = server

    def device(self, id: str) -> dict:
        self.server.call("POST", "/devices", {"deviceId": id})
        return {"device": self._string("device", "connection-string", id),
                "module": self._string("device", "connection-string", id, "--module", "DefenderIotMicroAgent")}

    def service(self, policy: str = "iothubowner") -> dict:
        return {"connectionString": self._string("hub", "policy", "show", HUB, policy)}

    def provisioning(self) -> dict:
        shown = json.loads(self._string("provisioning", "show", "--json"))
        return {"idScope": shown["idScope"], **self.service()}

    def authority(self, name: str, file: str) -> dict:
        return json.loads(self._string("hub", "certificate", "add", HUB, name, file, "--json"))

    def prove(self, name: str, file: str) -> dict:
        self._string("hub", "certificate", "verify", HUB, name, file)
        return {}

    def resize(self, tier: str) -> dict:
        self._string("hub", "resize", HUB, "--tier", tier)
        return {}

    def rows(self, query: str) -> list:
        self.server.settled()
        return self.server.query(query)

    def kill(self) -> dict:
        self.server.kill()
        return self.start()

    def stop(self) -> dict:
        self.server.stop()
        return {}

    def start(self) -> dict:
        self.server.start()
        return {}

    def _string(self, *command: str) -> str:
        done = self.server.cli(*command, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"picket {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout.strip()


@contextlib.contextmanager
def listen(server: Server):
    """The address of the control service, for as long as the context lasts."""
    control = Control(server)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            arguments = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            try:
                status, answer = 200, getattr(control, self.path.strip("/"))(**arguments)
            except Exception as error:  # the case that asked fails with it
                print(f"control {self.path} {arguments}: {error}", flush=True)
                status, answer = 500, {"error": f"{type(error).__name__}: {error}"}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")  # Java would ask again over a connection that is about to end
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}"
        finally:
            listener.shutdown()
