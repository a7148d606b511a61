"""kill -9 of the server under load: nothing acknowledged is lost or doubled, no alert lost or doubled."""

import time

import pytest
from picket_server import Server, load, wait_for, write_identities

EVENTS_PER_MESSAGE = 2
ATTACK_EVERY = 499  # prime: all devices are attacked, and none so often that a rule is throttled there


def run_with_kills(tmp_path, kills: int, messages_per_s: int, seconds_between: float) -> None:
    server = Server(tmp_path).start()
    identities = tmp_path / "identities"
    write_identities(server, identities, 50)
    try:
        with load(server, identities, messages_per_s=messages_per_s, events=EVENTS_PER_MESSAGE,
                  seconds=kills * seconds_between, attack_every=ATTACK_EVERY, without_mid_percent=50, run=1,
                  drain_seconds=300) as finish:
            wait_for(lambda: server.get("/status")["hub"]["connected"] >= 40, 60, "the load works")
            for _ in range(kills):
                time.sleep(seconds_between)
                server.kill()
                server.start()
            report = finish()
        assert report["complete"], report
        # Where a start takes as long as the load lasts, only the first kill meets all devices.
        assert report["connection_losses"] >= 40, "the kills hit a working load"
        assert report["repeated"] > 0, "messages were sent again"
        server.settled(300)
        check_exactly_once(server, report)
        # The same answers from a server that starts again with nothing to do.
        server.stop()
        server.start()
        server.settled()
        check_exactly_once(server, report)
    finally:
        server.stop()


def check_exactly_once(server: Server, report: dict) -> None:
    expected = report["messages"] * EVENTS_PER_MESSAGE
    ours = 'SecurityIoTRawEvent | where IoTRawEventId startswith "00000001-"'
    assert server.scalar(f"{ours} | count") == expected
    assert server.scalar(f"{ours} | distinct IoTRawEventId | count") == expected
    assert server.scalar("DeadLetter | count") == 0
    # Each attack has a command line of its own: one alert each.
    alerts = server.alerts(type="IoT_ReverseShell")
    assert len(alerts) == len({alert["id"] for alert in alerts}) == report["attacks"]
    assert server.scalar('SecurityAlert | where AlertType == "IoT_ReverseShell" | distinct SystemAlertId | count') == report["attacks"]
    # Devices that are attacked from one address are a campaign: made once, with one number, in the list and in the table.
    incidents = server.get("/incidents?merged=true&limit=500")
    assert incidents["total"] == len({one["number"] for one in incidents["items"]}) == len({one["id"] for one in incidents["items"]})
    campaigns = [one["key"] for one in incidents["items"] if one["kind"] == "campaign"]
    assert campaigns.count("address 203.0.113.9") == 1, campaigns
    wait_for(lambda: server.scalar("SecurityIncident | distinct IncidentName | count") == incidents["total"], 60, "rows of incidents")


def test_loses_and_doubles_nothing_across_three_kills(tmp_path):
    run_with_kills(tmp_path, kills=3, messages_per_s=1000, seconds_between=3)


@pytest.mark.slow
def test_loses_and_doubles_nothing_across_twenty_kills(tmp_path):
    run_with_kills(tmp_path, kills=20, messages_per_s=5000, seconds_between=4)
