"""What strangers and signed-in users send to the portal's port and into queries to break it or to get more."""

import contextlib
import json
import socket
import ssl
import threading
import urllib.request

import pytest
from mqtt_client import Device
from picket_server import ApiError, wait_for
from test_bad_input import message, sent

HALF_OPEN = 1400  # more than the 1,024 that are let stand
CONNECTIONS = 1100


def connect(server) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=server.ca_file)
    raw = socket.create_connection(("127.0.0.1", server.portal_port), 60)
    return context.wrap_socket(raw, server_hostname="localhost")


def exchange(server, data: bytes) -> bytes:
    """Everything that comes back until the server ends the connection."""
    out = b""
    with connect(server) as client:
        client.sendall(data)
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while more := client.recv(65536):
                out += more
    return out


def memory_mib(server) -> int:
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def queries_running(server) -> int:
    context = ssl.create_default_context(cafile=server.ca_file)
    request = urllib.request.Request(f"{server.url}/metrics")
    request.add_header("Authorization", "Bearer " + (server.data / "secrets/cli-token").read_text().strip())
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        lines = answer.read().decode().splitlines()
    return int(float(next(line for line in lines if line.startswith("picket_workspace_queries_running")).split()[-1]))


def test_half_open_connections_do_not_shut_out_the_portal(shared_server):
    with contextlib.ExitStack() as stack:
        for _ in range(HALF_OPEN):
            stack.enter_context(socket.create_connection(("127.0.0.1", shared_server.portal_port), 60))
        assert shared_server.get("/me")["role"] == "Admin"


def test_anonymous_readers_of_files_do_not_shut_out_the_portal(shared_server):
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            client = stack.enter_context(connect(shared_server))
            client.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(1)
        assert shared_server.get("/me")["role"] == "Admin"


def test_a_chunk_without_end_does_not_fill_the_memory(shared_server):
    before = memory_mib(shared_server)
    with connect(shared_server) as client, contextlib.suppress(ConnectionError, ssl.SSLError):
        client.sendall(b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;")
        for _ in range(2000):
            client.sendall(b"a" * 65536)
    assert memory_mib(shared_server) < before + 100, "125 MiB were sent"


@pytest.mark.parametrize("framing", [
    "Transfer-Encoding: identity\r\n\r\n", "Transfer-Encoding: xchunked\r\n\r\n",
    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Content-Length: 0, 0\r\n\r\n",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
def test_no_request_hides_in_another(shared_server, framing):
    hidden = "GET /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = exchange(shared_server, f"POST /api/v1/query HTTP/1.1\r\nHost: x\r\n{framing}{hidden}".encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("path", ["/api/v1/users", "/api/v1/users/", "/api/v1/%75sers", "//api/v1/users", "/metrics",
                                  "/api/v1/audit", "/../secrets/cli-token", "/assets/%2e%2e/%2e%2e/secrets/cli-token"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_stranger_gets_nothing(shared_server, method, path):
    answer = exchange(shared_server, f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                     "X-HTTP-Method-Override: GET\r\n\r\n".encode())
    body = answer.partition(b"\r\n\r\n")[2]
    assert (shared_server.data / "secrets/cli-token").read_bytes().strip() not in body
    assert b'"items"' not in body and b"picket_" not in body


@pytest.mark.parametrize("query", [
    "read_csv('/etc/passwd')", "duckdb_settings()", "duckdb_settings", "sqlite_master", "['main.RawEvents']",
    "print getenv('HOME')", "print current_setting('memory_limit')", "externaldata(a:string)['/etc/passwd']"])
def test_queries_reach_nothing_but_tables(shared_server, query):
    with pytest.raises(ApiError) as refused:
        shared_server.query(query)
    assert refused.value.status == 400


@pytest.mark.parametrize("text", ["x'; DROP TABLE RawEvents; --", 'x" FROM read_csv("/etc/passwd") --', "$1 /* */",
                                  "\\", "\u202e\x1b[2J", "a\nb"])
def test_texts_and_names_in_queries_stay_what_they_are(shared_server, text):
    quoted = json.dumps(text, ensure_ascii=False).replace("\x1b", "\\u001b")
    assert shared_server.scalar(f"print x = {quoted}") == text
    assert list(shared_server.query(f"print [{quoted}] = 1")[0]) == [text]


def test_hostile_names_and_commands_reach_the_terminal_as_text(shared_server):
    device = Device(shared_server, shared_server.add_device("#+?%$*'=,(x)"))
    command = "\x1b[2J\x07<script>alert(1)</script>\r\n=cmd|'/c calc'!A1"
    sent(shared_server, device, message(CommandLine=command))
    rows = shared_server.query(f'SecurityIoTRawEvent | where DeviceId == "{device.device_id}"')
    assert json.loads(rows[0]["EventDetails"])["CommandLine"] == command
    for arguments in (["query", "DeviceEvents | project DeviceId, EventDetails, parse_json(EventDetails).CommandLine"],
                      ["query", "DeviceEvents | project EventDetails", "--json"], ["device", "list"],
                      ["device", "show", device.device_id]):
        printed = shared_server.cli(*arguments).stdout
        assert not any(ord(c) < 0x20 and c != "\n" for c in printed)


def test_slow_queries_hold_up_nothing_else(shared_server):
    slow = ("range x from 1 to 100000 step 1 | extend k = 1 | join kind=inner "
            "(range y from 1 to 100000 step 1 | extend k = 1) on k | count")

    def ask():
        with contextlib.suppress(ApiError):
            shared_server.call("POST", "/query", {"query": slow}, timeout_s=120)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_for(lambda: queries_running(shared_server) == 3, 20, "as many queries run as may")
    assert shared_server.call("GET", "/me", timeout_s=20)["role"] == "Admin"
    for thread in threads:
        thread.join()
