"""What the pipeline makes of what the agent told while something ran in a sandbox."""
import json
import os
import pathlib
import subprocess
import tempfile
import time

import sandbox as sandboxes

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPLAY = pathlib.Path(os.environ.get("PICKET_REPLAY", ROOT / "build/release/bench/pipeline_replay"))
# A folder to keep what was recorded in: how src/pipeline/tests/recorded is made.
KEEP = os.environ.get("PICKET_KEEP_RECORDINGS")


class Watched:
    """`with Watched(sandbox, "name") as watched: …run…`, then `watched.raised("IoT_…", "T1046")`.

    `about`: words of which one must be in an event of what is not below a process that was run here, such as the address of
    a connection; events of everything else on this machine are left out."""

    def __init__(self, sandbox, name: str, about: tuple[str, ...] = (), timeout_s: float = 90):
        self.sandbox, self.name, self.about, self.timeout_s = sandbox, name, about, timeout_s
        self.ancestors, self.begin = [], 0

    def __enter__(self) -> "Watched":
        self.sandbox.settle()
        self.begin = len(self.sandbox.events())
        return self

    def run(self, *argv: str, timeout_s: float = 60):
        process = self.sandbox.run(list(argv), timeout_s=timeout_s)
        self.ancestors.append(process.pid)
        return process

    def __exit__(self, *_) -> None:
        self.sandbox.settle()

    def events(self) -> list:
        all_events = self.sandbox.events()[self.begin:]
        out = {}
        for ancestor in self.ancestors:
            for event in sandboxes.started_by(all_events, ancestor):
                out[sandboxes.line_of(event)] = event
        for time_text, name, item in all_events:
            item = sandboxes.cleaned(item)
            if name not in ("ProcessCreate", "ProcessTerminate") and any(word in json.dumps(item) for word in self.about):
                event = (time_text, name, item)
                out[sandboxes.line_of(event)] = event
        return sorted(out.values(), key=lambda event: event[0])

    def alerts(self) -> list[dict]:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / f"{self.name}.events"
            text = "".join(sandboxes.line_of(event) + "\n" for event in self.events())
            path.write_text(text)
            if KEEP:
                (pathlib.Path(KEEP) / path.name).write_text(text)
            done = subprocess.run([REPLAY, path], check=True, capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def raised(self, alert_type: str, technique: str) -> dict:
        """The alert; waits for records that are told late, fails when it does not come."""
        end = time.monotonic() + self.timeout_s
        while True:
            alerts = self.alerts()
            for alert in alerts:
                if alert["type"] == alert_type and technique in alert["techniques"]:
                    return alert
            told = sorted((alert["type"], *alert["techniques"]) for alert in alerts)
            assert time.monotonic() < end, f"{alert_type} with {technique} after {self.name}; of {len(self.events())} events came {told}"
            time.sleep(2)
