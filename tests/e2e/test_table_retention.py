"""How long a table is kept, set while the server runs: in force, audited, and remembered by the next start."""

from picket_server import Server, load, wait_for, write_identities


def test_a_retention_that_was_set_holds_after_a_restart(tmp_path):
    server = Server(tmp_path).start()
    try:
        identities = tmp_path / "identities"
        write_identities(server, identities, 2)
        with load(server, identities, messages_per_s=100, events=10, seconds=2, run=3, attack_every=0) as finish:
            assert finish(120)["complete"]
        server.settled()
        tables = {table["name"]: table for table in server.get("/workspace/tables")["items"]}
        assert sum(table["hotRows"] for table in tables.values()) >= 2000, tables
        assert all(table["retention"]["fromSettings"] and table["retention"]["days"] == 30 for table in tables.values())
        server.cli("workspace", "retention", "ProcessEvents", "--days", "7", "--archive-days", "90")
        shown = server.cli("workspace", "tables").stdout
        assert "7 d, then 90 d of archive *" in shown, shown
        refused = server.cli("workspace", "retention", "SecurityIoTRawEvent", "--days", "1", check=False)
        assert refused.returncode == 1 and "views" in refused.stderr, refused
        wait_for(lambda: server.scalar('HubOperations | where Kind == "retention.set" | count') == 1, 60, "the audit record")
    finally:
        server.stop()
    again = Server(tmp_path).start()
    try:
        table = next(t for t in again.get("/workspace/tables")["items"] if t["name"] == "ProcessEvents")
        assert (table["retention"]["days"], table["retention"]["archiveDays"]) == (7, 90)
        again.cli("workspace", "retention", "ProcessEvents", "--settings")
        table = next(t for t in again.get("/workspace/tables")["items"] if t["name"] == "ProcessEvents")
        assert table["retention"]["fromSettings"] and table["retention"]["days"] == 30
    finally:
        again.stop()
