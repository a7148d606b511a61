"""When a device was last heard of outlives the server."""

from picket_server import Server, load, wait_for, write_identities


def last_activity(server: Server) -> dict[str, str]:
    items = server.get("/devices?limit=100")["items"]
    return {one["deviceId"]: one["lastActivity"] for one in items if one.get("lastActivity")}


def test_the_last_activity_of_devices_is_known_after_a_restart(tmp_path):
    server = Server(tmp_path).start()
    try:
        identities = tmp_path / "identities"
        write_identities(server, identities, 3)
        server.call("POST", "/devices", {"deviceId": "never-there"})
        with load(server, identities, messages_per_s=30, events=1, seconds=2, run=1, attack_every=0) as finish:
            finish(60)
        server.settled(60)
        before = last_activity(server)
        assert len(before) == 3
        server.stop()
        server.start()
        after = wait_for(lambda: (now := last_activity(server)) and len(now) == 3 and now, 60, "activity is known again")
        assert set(after) == set(before)
        # What is read from rows is when the last stored event came in: not after what was seen.
        assert all(after[device] <= before[device] for device in before)
    finally:
        server.stop()
