"""Raw MQTT 3.1.1 against the hub's port 8883: each packet is bytes that a case may change."""

import pathlib
import socket
import ssl
import struct
import sys
import time

from hub import CA, HOST, Device, key_of, security_message

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
from mqtt_client import packet, sas, text  # noqa: E402, F401

USER_AGENT = "DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20.20.2%3B%20Debian%2012%3B%20x64)hubx%2F1.0"
CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP = 0x20, 0x30, 0x40, 0x90, 0xB0, 0xD0
SECURITY = "%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1"


class Line:
    """A connection that sends any bytes and reads packets."""

    def __init__(self, device: Device, *, client_id: str | None = None, user: str | None = None, token: str | None = None,
                 keep_alive: int = 180, clean: bool = False, will: tuple[str, bytes] | None = None, send_connect: bool = True):
        self.device = device
        self.id = client_id or device.id
        context = ssl.create_default_context(cadata=CA)
        self.socket = context.wrap_socket(socket.create_connection((HOST, 8883), 30), server_hostname=HOST)
        if send_connect:
            user = user if user is not None else f"{HOST}/{self.id}/?api-version=2021-04-12&{USER_AGENT}"
            flags = 0xC0 | (2 if clean else 0) | (0x0C if will else 0)
            body = text("MQTT") + bytes([4, flags]) + struct.pack(">H", keep_alive) + text(self.id)
            if will:
                body += text(will[0]) + text(will[1])
            self.send(packet(0x10, body + text(user) + text(token or self.token())))

    def token(self, seconds: float = 3600) -> str:
        return sas(f"{HOST}/devices/{self.device.id}", key_of(self.device.string), time.time() + seconds)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def publish(self, topic: str, body: bytes = b"", *, qos: int = 1, packet_id: int = 7, retain: bool = False) -> None:
        head = text(topic) + (struct.pack(">H", packet_id) if qos else b"")
        self.send(packet(0x30 | qos << 1 | int(retain), head + body))

    def subscribe(self, *filters: tuple[str, int], packet_id: int = 9) -> list[int]:
        self.send(packet(0x82, struct.pack(">H", packet_id) + b"".join(text(f) + bytes([qos]) for f, qos in filters)))
        kind, body = self.read()
        assert (kind, body[:2]) == (SUBACK, struct.pack(">H", packet_id))
        return list(body[2:])

    def read(self) -> tuple[int, bytes]:
        first, length, shift = self._exactly(1)[0], 0, 0
        while True:
            byte = self._exactly(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return first, self._exactly(length)

    def read_publish(self) -> tuple[str, bytes]:
        first, body = self.read()
        assert first & 0xF0 == PUBLISH, hex(first)
        size = struct.unpack(">H", body[:2])[0]
        return body[2:2 + size].decode(), body[2 + size + (2 if first & 6 else 0):]

    def connack(self) -> tuple[int, int]:
        kind, body = self.read()
        assert kind == CONNACK
        return body[0], body[1]

    def granted(self) -> "Line":
        assert self.connack()[1] == 0
        return self

    def is_closed(self) -> bool:
        try:
            while True:
                self.read()
        except TimeoutError:
            return False
        except (ConnectionError, OSError):
            return True

    def close(self) -> None:
        self.socket.close()

    def _exactly(self, count: int) -> bytes:
        out = b""
        while len(out) < count:
            more = self.socket.recv(count - len(out))
            if not more:
                raise ConnectionError("closed by the hub")
            out += more
        return out


def telemetry(device: Device, bag: str = "") -> str:
    return f"devices/{device.id}/messages/events/{bag}"


def security_body(mark: str) -> bytes:
    return security_message(mark).data.encode()
