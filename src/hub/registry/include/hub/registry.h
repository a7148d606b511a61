// The registry of devices and modules, as IoT Hub's service side sees it (spec/hub.md 1.4, identity).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/identity_json.h"
#include "hub/identity_key.h"
#include "state/database.h"
#include "state/devices.h"
#include "state/identities.h"

struct sqlite3;

namespace picket::hub {

enum class PutMode : std::uint8_t { create, update, create_or_update };

struct RegistryOptions {
  std::uint64_t identities_max = 1'000'000;  ///< Of a hub: devices and modules.
  std::size_t modules_per_device_max = 50;
};

/// One transaction of the registry. Made by Registry; used inside the body that it is given to.
/// Each change writes its audit record to the outbox: device.create, device.update, device.delete, module.*,
/// key.rotate.
class RegistryTransaction {
 public:
  RegistryTransaction(sqlite3* db, const RegistryOptions& options, std::string hub, state::Actor actor, Timestamp now)
      : db_(db), options_(options), hub_(std::move(hub)), actor_(std::move(actor)), now_(now) {}

  /// `if_match`: an etag with or without quotes; empty or "*": whatever it is. Keys that are not given are made, or
  /// stay. Errors: 409001 (create, and it exists), 404001 (update, and it does not), 412001, 400004, 403002 (hub full).
  HubResult<state::Device> put(const DeviceSpec& spec, PutMode mode, std::string_view if_match = "");
  /// Errors: 409301, 404001, 404010, 412001, 400004, 403002.
  HubResult<state::Module> put(const ModuleSpec& spec, PutMode mode, std::string_view if_match = "");
  /// With its modules. Errors: 404001, 412001.
  HubResult<> remove_device(std::string_view device_id, std::string_view if_match = "");
  HubResult<> remove_module(std::string_view device_id, std::string_view module_id, std::string_view if_match = "");

  HubResult<state::Device> device(std::string_view device_id) const;
  HubResult<state::Module> module(std::string_view device_id, std::string_view module_id) const;

  [[nodiscard]] sqlite3* database() const { return db_; }
  [[nodiscard]] const std::string& hub() const { return hub_; }
  [[nodiscard]] const state::Actor& actor() const { return actor_; }
  [[nodiscard]] Timestamp now() const { return now_; }
  /// Identities that were disabled, removed or got other credentials: their connections end after the commit.
  [[nodiscard]] const std::vector<IdentityKey>& revoked() const { return revoked_; }
  /// Forgets what a part revoked that was rolled back.
  void keep_revoked(std::size_t count) { revoked_.resize(count); }

 private:
  HubResult<state::Device> create(const DeviceSpec& spec);
  HubResult<state::Device> update(state::Device device, const DeviceSpec& spec);
  HubResult<state::Module> create(const ModuleSpec& spec);
  HubResult<state::Module> update(state::Module module, const ModuleSpec& spec);
  HubResult<> check_room();

  sqlite3* db_;
  const RegistryOptions& options_;
  std::string hub_;
  state::Actor actor_;
  Timestamp now_;
  std::vector<IdentityKey> revoked_;
};

/// A page of a list.
struct DevicePage {
  std::vector<state::Device> devices;  ///< By id; without their modules.
  std::string next;                    ///< Give it as `after` for the next page; empty: this was the last.
};

/// Any thread. Reads look up on the calling thread; writes go through the database's group commit and answer on its
/// thread, after COMMIT. Every way to see keys writes an audit record key.read first.
class Registry {
 public:
  using ActivitySource = std::function<IdentityActivity(const IdentityKey&)>;
  using CredentialsListener = std::function<void(const IdentityKey&)>;
  /// Part of a bulk line that belongs to its twin; runs in the registry's transaction, after the identity.
  using TwinImport = std::function<HubResult<>(RegistryTransaction&, const BulkItem&)>;
  /// What an export file says of a twin.
  using TwinExport = std::function<ExportTwin(const IdentityKey&)>;

  /// Both outlive it, and so do calls that have not answered.
  Registry(state::Database& database, const Clock& clock, RegistryOptions options = {});
  ~Registry();

  // Before the first call.
  void set_activity(ActivitySource activity) { activity_ = std::move(activity); }
  /// Called after COMMIT and before the answer, on the database's writing thread: ends live connections
  /// (Directory::revoke). A device stands for its modules too. Must be quick.
  void on_credentials_changed(CredentialsListener listener) { listener_ = std::move(listener); }
  void set_twins(TwinImport import, TwinExport export_twin) {
    twin_import_ = std::move(import);
    twin_export_ = std::move(export_twin);
  }

  // Rows with keys, for the hub itself. Errors: 404001, 404010, 503003.
  [[nodiscard]] HubResult<state::Device> device(std::string_view hub, std::string_view device_id) const;
  [[nodiscard]] HubResult<state::Module> module(const IdentityKey& key) const;
  [[nodiscard]] HubResult<std::vector<state::Module>> modules(std::string_view hub, std::string_view device_id) const;
  /// In order of id, beginning after `after`; at most `count_max`, and never more than 1000.
  [[nodiscard]] HubResult<DevicePage> devices(std::string_view hub, std::string_view after,
                                              std::size_t count_max) const;
  [[nodiscard]] HubResult<state::IdentityCounts> counts(std::string_view hub) const;

  // The same as IoT Hub's JSON, for service callers: audited, so they answer after a commit.
  void show_device(const IdentityKey& key, state::Actor actor, Done<std::string> done);
  void show_module(const IdentityKey& key, state::Actor actor, Done<std::string> done);
  /// JSON array of all modules of a device.
  void show_modules(const IdentityKey& device, state::Actor actor, Done<std::string> done);
  /// JSON array of devices.
  void show_devices(std::string hub, std::string after, std::size_t count_max, state::Actor actor,
                    Done<std::string> done);
  [[nodiscard]] std::string to_json(std::string_view hub, const state::Device& device) const;
  [[nodiscard]] std::string to_json(std::string_view hub, std::string_view device_id,
                                    const state::Module& module) const;

  // Writes. See RegistryTransaction for rules and errors.
  void put(std::string hub, DeviceSpec spec, PutMode mode, std::string if_match, state::Actor actor,
           Done<state::Device> done);
  void put(std::string hub, ModuleSpec spec, PutMode mode, std::string if_match, state::Actor actor,
           Done<state::Module> done);
  /// A device, or the module that the key names.
  void remove(const IdentityKey& key, std::string if_match, state::Actor actor, Done<> done);
  /// Each item is done or not by itself; all that are done, together.
  void bulk(std::string hub, std::vector<BulkItem> items, state::Actor actor, Done<BulkResult> done);
  /// New primary or secondary key of an identity with symmetric keys. Errors: 404001, 404010, 400004 (X.509).
  void rotate_key(const IdentityKey& key, bool primary, state::Actor actor, Done<> done);

  /// Several changes as one: `body` runs on the database's thread; what it returns is the answer. A body that fails
  /// leaves nothing behind. T: copyable.
  template <class T>
  void submit(std::string hub, state::Actor actor, std::move_only_function<HubResult<T>(RegistryTransaction&)> body,
              Done<T> done);

  // Files of IoT Hub's import and export jobs (devices.txt: one JSON object a line). They block: not on I/O threads.
  struct ImportReport {
    std::uint64_t lines = 0;
    std::uint64_t failed = 0;
  };
  /// `next` gives line after line, nullopt at the end; `failed` gets one JSON object for each line that was not done
  /// (importErrors.log). Lines without a mode: create.
  HubResult<ImportReport> import_devices(std::string_view hub, const state::Actor& actor,
                                         const std::function<std::optional<std::string>()>& next,
                                         const std::function<void(std::string_view)>& failed);
  /// Devices by id, each followed by its modules. `line` returns false to stop. Returns the number of lines.
  HubResult<std::uint64_t> export_devices(std::string_view hub, const state::Actor& actor, bool with_keys,
                                          const std::function<bool(std::string_view)>& line) const;

  [[nodiscard]] state::Database& database() { return database_; }

 private:
  [[nodiscard]] IdentityActivity activity(const IdentityKey& key) const;
  BulkResult run_bulk(RegistryTransaction& transaction, const std::vector<BulkItem>& items);
  HubResult<> run_item(RegistryTransaction& transaction, const BulkItem& item);
  void tell_revoked(const RegistryTransaction& transaction);
  void audited_read(std::string hub, std::string device_id, std::string module_id, std::uint64_t count,
                    state::Actor actor, std::string json, Done<std::string> done);

  state::Database& database_;
  const Clock& clock_;
  RegistryOptions options_;
  ActivitySource activity_;
  CredentialsListener listener_;
  TwinImport twin_import_;
  TwinExport twin_export_;
};

/// No If-Match: the caller wants to create; with one, to update.
inline PutMode put_mode(bool has_if_match) { return has_if_match ? PutMode::update : PutMode::create; }

template <class T>
void Registry::submit(std::string hub, state::Actor actor,
                      std::move_only_function<HubResult<T>(RegistryTransaction&)> body, Done<T> done) {
  struct Outcome {
    std::optional<RegistryTransaction> transaction;
    HubResult<T> result = hub_fail(kInternal, "The change was not made.");
  };
  auto outcome = std::make_shared<Outcome>();  // shared by the two halves of one call
  database_.submit(
      [this, outcome, hub = std::move(hub), actor = std::move(actor),
       body = std::move(body)](sqlite3* db) mutable -> Result<> {
        outcome->transaction.emplace(db, options_, std::move(hub), std::move(actor), clock_.now());
        outcome->result = body(*outcome->transaction);
        if (!outcome->result) return fail(Errc::denied, "hub.registry");
        return {};
      },
      [this, outcome, done = std::move(done)](Result<> committed) mutable {
        if (committed) tell_revoked(*outcome->transaction);
        if (!committed && committed.error().where != "hub.registry")
          return done(std::unexpected(from_store(committed.error(), "The registry")));
        done(std::move(outcome->result));
      });
}

}  // namespace picket::hub
