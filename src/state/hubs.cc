namespace picket::state {

// rights: bits of hub::Right. verified: possession of the key was proven; code: what a proof must name.
extern const char* const kHubsSchema;
const char* const kHubsSchema = R"sql(
CREATE TABLE hub (
  name TEXT PRIMARY KEY, location TEXT NOT NULL, tier TEXT NOT NULL, units INTEGER NOT NULL, settings TEXT NOT NULL,
  etag TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE policy (
  hub TEXT NOT NULL REFERENCES hub (name) ON DELETE CASCADE, name TEXT NOT NULL, rights INTEGER NOT NULL,
  key_primary TEXT NOT NULL, key_secondary TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
  PRIMARY KEY (hub, name)) WITHOUT ROWID;
CREATE TABLE ca_certificate (
  hub TEXT NOT NULL REFERENCES hub (name) ON DELETE CASCADE, name TEXT NOT NULL, pem TEXT NOT NULL,
  verified INTEGER NOT NULL, code TEXT NOT NULL, etag TEXT NOT NULL, created INTEGER NOT NULL,
  updated INTEGER NOT NULL, PRIMARY KEY (hub, name)) WITHOUT ROWID;
)sql";

}  // namespace picket::state
