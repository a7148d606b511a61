"""Runs a program in this process's own network and mount namespaces, where a name server of its own answers.

Started by test_agent_names.py through unshare(1): resolv.conf names the server and a search list, `hub.test` has the
address 127.0.0.9, nothing else exists. Prints what the program wrote and what was asked, as JSON.
"""

import json
import pathlib
import socket
import subprocess
import sys
import threading

ADDRESS = bytes([127, 0, 0, 9])
A, NAME_ERROR = 1, 3


def answer(query: bytes, asked: list) -> bytes:
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += query[at] + 1
    name, kind = ".".join(labels), query[at + 2]
    asked.append([name, kind])
    known = name == "hub.test"
    found = known and kind == A
    reply = query[:2] + bytes([0x81, 0x80 | (0 if known else NAME_ERROR), 0, 1, 0, int(found), 0, 0, 0, 0])
    reply += query[12:at + 5]
    return reply + (b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + ADDRESS if found else b"")


def serve(at: socket.socket, asked: list) -> None:
    while True:
        query, peer = at.recvfrom(512)
        at.sendto(answer(query, asked), peer)


def main() -> None:
    resolv_conf = pathlib.Path(sys.argv[1])
    resolv_conf.write_text("# of a test\nsearch corp.test\nnameserver 127.0.0.1\noptions timeout:1\n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", resolv_conf, "/etc/resolv.conf"], check=True)
    asked: list = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        threading.Thread(target=serve, args=(server, asked), daemon=True).start()
        done = subprocess.run(sys.argv[2:], text=True, capture_output=True, timeout=180)
        print(json.dumps({"code": done.returncode, "error": done.stderr, "asked": asked}), flush=True)


main()
