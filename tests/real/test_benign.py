"""A working day of a healthy device is quiet in the `default` profile."""
import collections
import json
import pathlib
import subprocess
import sys

import pytest
from watched import REPLAY

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOUD = ("Medium", "High")


@pytest.mark.slow
def test_a_working_day_raises_at_most_one_alert_of_medium_or_above(tmp_path):
    subprocess.run([sys.executable, ROOT / "tools/rules/benign.py", tmp_path], check=True, timeout=3000)
    # One device, one day: all scenes in the order in which they happened.
    lines = sorted(line for path in tmp_path.glob("*.events") for line in path.read_text().splitlines())
    assert len(lines) > 500, "the day was recorded"
    day = tmp_path / "day.events"
    day.write_text("\n".join(lines) + "\n")
    done = subprocess.run([REPLAY, day], check=True, capture_output=True, text=True)
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    counted = collections.Counter((alert["severity"], alert["type"]) for alert in alerts)
    print("figure: benign day:", dict(counted))
    loud = [(alert["type"], alert["properties"]) for alert in alerts if alert["severity"] in LOUD]
    assert len(loud) <= 1, loud
