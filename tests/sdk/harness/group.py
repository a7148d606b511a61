"""One group of SDK cases in network and mount namespaces of its own. Started by run.py through unshare(1).

In here the loopback belongs to the group alone, so the server has the ports that the SDKs insist on (443, 5671, 8883), and
`hub.example` is this machine. The cases are another program, in any language: it finds its server by the PICKET_SDK_*
variables and asks for what only the harness can do (devices, rows, kill -9) over HTTP, see control.py.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
import control  # noqa: E402
from picket_server import Server  # noqa: E402

HUB = "hub.example"


def make_network(folder: pathlib.Path) -> None:
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {HUB}\n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


def trust_store(server: Server, folder: pathlib.Path) -> pathlib.Path:
    """Java trusts what stands in a store of its own."""
    store = folder / "trust.p12"
    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "picket", "-file", server.ca_file, "-keystore", store,
                    "-storetype", "PKCS12", "-storepass", "changeit"], check=True, capture_output=True)
    return store


def main() -> int:
    folder, language, command = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    make_network(folder)
    server = Server(folder, "--names", HUB)
    server.mqtt_port, server.portal_port, server.amqp_port, server.https_port = 8883, 8443, 5671, 443
    server.start()
    environment = dict(os.environ, PICKET_SDK_HUB=HUB, PICKET_SDK_CA=str(server.ca_file), PICKET_SDK_FOLDER=str(folder),
                       NODE_EXTRA_CA_CERTS=str(server.ca_file), REQUESTS_CA_BUNDLE=str(server.ca_file),
                       SSL_CERT_FILE=str(server.ca_file))
    try:
        with control.listen(server) as address:
            environment["PICKET_SDK_CONTROL"] = address
            if language == "java":
                environment["JAVA_TOOL_OPTIONS"] = (f"-Djavax.net.ssl.trustStore={trust_store(server, folder)} "
                                                    "-Djavax.net.ssl.trustStorePassword=changeit")
            return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
