namespace picket::state {

// Devices and modules get everything that IoT Hub's identity has. auth: 0 sas, 1 selfSigned, 2 certificateAuthority,
// 3 none. status_updated 0: never. identity_count is kept by triggers: counting a million rows takes seconds.
extern const char* const kIdentitiesSchema;
const char* const kIdentitiesSchema = R"sql(
ALTER TABLE device ADD COLUMN etag TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN status_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN status_updated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN auth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN thumbprint_primary TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN thumbprint_secondary TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN edge INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN parent_scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN etag TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN auth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE module ADD COLUMN thumbprint_primary TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN thumbprint_secondary TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN managed_by TEXT NOT NULL DEFAULT '';
UPDATE device SET etag = hex(randomblob(8));
UPDATE module SET etag = hex(randomblob(8));
CREATE TABLE identity_count (
  hub TEXT NOT NULL, module INTEGER NOT NULL, enabled INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (hub, module, enabled)) WITHOUT ROWID;
INSERT INTO identity_count SELECT hub, 0, enabled, count(*) FROM device GROUP BY hub, enabled;
INSERT INTO identity_count SELECT hub, 1, enabled, count(*) FROM module GROUP BY hub, enabled;
CREATE TRIGGER device_inserted AFTER INSERT ON device BEGIN
  INSERT INTO identity_count VALUES (NEW.hub, 0, NEW.enabled, 1)
    ON CONFLICT (hub, module, enabled) DO UPDATE SET count = count + 1; END;
CREATE TRIGGER device_deleted AFTER DELETE ON device BEGIN
  UPDATE identity_count SET count = count - 1 WHERE hub = OLD.hub AND module = 0 AND enabled = OLD.enabled; END;
CREATE TRIGGER device_switched AFTER UPDATE OF enabled ON device WHEN NEW.enabled <> OLD.enabled BEGIN
  UPDATE identity_count SET count = count - 1 WHERE hub = OLD.hub AND module = 0 AND enabled = OLD.enabled;
  INSERT INTO identity_count VALUES (NEW.hub, 0, NEW.enabled, 1)
    ON CONFLICT (hub, module, enabled) DO UPDATE SET count = count + 1; END;
CREATE TRIGGER module_inserted AFTER INSERT ON module BEGIN
  INSERT INTO identity_count VALUES (NEW.hub, 1, NEW.enabled, 1)
    ON CONFLICT (hub, module, enabled) DO UPDATE SET count = count + 1; END;
CREATE TRIGGER module_deleted AFTER DELETE ON module BEGIN
  UPDATE identity_count SET count = count - 1 WHERE hub = OLD.hub AND module = 1 AND enabled = OLD.enabled; END;
)sql";

}  // namespace picket::state
