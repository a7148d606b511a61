"""A small MQTT 3.1.1 client over TLS that can also misbehave: each packet is bytes that a test may change."""

import base64
import hashlib
import hmac
import socket
import ssl
import struct
import time
import urllib.parse

SECURITY_BAG = "%24.ct=application%2Fjson&%24.ce=utf-8&%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1"


def quote(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def sas(resource: str, key: str, expiry: float) -> str:
    encoded, end = quote(resource), str(int(expiry))
    signature = hmac.new(base64.b64decode(key), f"{encoded}\n{end}".encode(), hashlib.sha256).digest()
    return f"SharedAccessSignature sr={encoded}&sig={quote(base64.b64encode(signature).decode())}&se={end}"


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(raw)) + raw


def packet(first: int, body: bytes) -> bytes:
    length, out = len(body), bytearray([first])
    while True:
        out.append((length & 0x7F) | (0x80 if length > 0x7F else 0))
        length >>= 7
        if length == 0:
            return bytes(out) + body


def connect_packet(client_id: str, user: str, password: str, keep_alive: int = 60) -> bytes:
    return packet(0x10, text("MQTT") + bytes([4, 0xC0]) + struct.pack(">H", keep_alive) + text(client_id) + text(user)
                  + text(password))


def publish_packet(topic: str, body: bytes, packet_id: int) -> bytes:
    return packet(0x32, text(topic) + struct.pack(">H", packet_id) + body)


class Device:
    """One device or module of a server, with its key."""

    def __init__(self, server, connection_string: str):
        fields = dict(part.split("=", 1) for part in connection_string.split(";"))
        self.server, self.key = server, fields["SharedAccessKey"]
        self.device_id, self.module_id = fields["DeviceId"], fields.get("ModuleId", "")
        self.host = fields["HostName"]
        self.client_id = self.device_id + (f"/{self.module_id}" if self.module_id else "")
        self.resource = f"{self.host}/devices/{self.device_id}" + (f"/modules/{self.module_id}" if self.module_id else "")
        self.topic = f"devices/{self.device_id}/" + (f"modules/{self.module_id}/" if self.module_id else "") + \
            "messages/events/" + SECURITY_BAG

    def token(self, expiry: float | None = None, resource: str | None = None) -> str:
        return sas(resource or self.resource, self.key, expiry or time.time() + 3600)

    def open(self, token: str | None = None) -> tuple["Connection", int]:
        """Connects; the connection and the CONNACK code."""
        connection = Connection(self.server)
        connection.send(connect_packet(self.client_id, f"{self.host}/{self.client_id}/?api-version=2021-04-12",
                                       self.token() if token is None else token))
        kind, body = connection.receive()
        assert kind == 0x20, f"CONNACK, not {kind:#x}"
        return connection, body[1]


class Connection:
    def __init__(self, server, timeout_s: float = 60):
        context = ssl.create_default_context(cafile=server.ca_file)
        raw = socket.create_connection(("127.0.0.1", server.mqtt_port), timeout_s)
        self.socket = context.wrap_socket(raw, server_hostname="localhost")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _exactly(self, count: int) -> bytes:
        out = b""
        while len(out) < count:
            more = self.socket.recv(count - len(out))
            if not more:
                raise ConnectionError("closed by the server")
            out += more
        return out

    def receive(self) -> tuple[int, bytes]:
        first, length, shift = self._exactly(1)[0], 0, 0
        while True:
            byte = self._exactly(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return first, self._exactly(length)

    def publish(self, topic: str, body: bytes, packet_id: int = 1) -> None:
        """Publishes and waits for the PUBACK."""
        self.send(publish_packet(topic, body, packet_id))
        kind, answer = self.receive()
        assert (kind, answer) == (0x40, struct.pack(">H", packet_id))

    def is_closed_by_server(self) -> bool:
        try:
            while True:
                self.receive()
        except (ConnectionError, ssl.SSLError, OSError) as error:
            return not isinstance(error, TimeoutError)

    def close(self) -> None:
        self.socket.close()
