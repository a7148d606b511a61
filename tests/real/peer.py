"""Another host on a wire with a sandbox: a network namespace that answers, and serves what attacks need."""
import subprocess
import sys

HERE, PEER = "10.77.0.1", "10.77.0.2"


class Peer:
    def __init__(self, sandbox):
        self.sandbox, self.processes = sandbox, []
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up; echo ready; exec sleep 86400"],
                                       stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n"
        self.prefix = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        inside = ["nsenter", f"--net=/proc/{sandbox.holder.pid}/ns/net"]
        for words in (["link", "add", "wire0", "type", "veth", "peer", "name", "wire1", "netns", str(self.holder.pid)],
                      ["address", "add", f"{HERE}/24", "dev", "wire0"], ["link", "set", "wire0", "up"]):
            subprocess.run([*inside, "ip", *words], check=True)
        for words in (["address", "add", f"{PEER}/24", "dev", "wire1"], ["link", "set", "wire1", "up"]):
            subprocess.run([*self.prefix, "ip", *words], check=True)

    def start(self, *argv, **more) -> subprocess.Popen:
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
        self.processes.append(subprocess.Popen([*self.prefix, *map(str, argv)], **more))
        return self.processes[-1]

    def serve(self, port: int, answer: bytes = b"ok" * 16, keep: bool = False) -> None:
        """Answers every request with the same bytes; `keep`: leaves connections open."""
        script = ("import socket,threading,sys\nl=socket.socket(); l.setsockopt(1,2,1)\n"
                  f"l.bind(('{PEER}',{port})); l.listen(64); print('ready',flush=True)\n"
                  "def one(c):\n  try:\n    while c.recv(4096):\n"
                  f"      c.sendall({answer!r})\n      {'pass' if keep else 'break'}\n  finally: c.close()\n"
                  "while True: threading.Thread(target=one,args=(l.accept()[0],),daemon=True).start()\n")
        process = self.start(sys.executable, "-c", script, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"

    def stop(self) -> None:
        for process in [*reversed(self.processes), self.holder]:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
