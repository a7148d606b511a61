// Twins of devices and modules: read, patch, replace, and who is told about it
// (spec/hub.md 1.4, "twin").
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/identity.h"
#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/identity_key.h"
#include "hub/twin_document.h"
#include "state/devices.h"
#include "state/twins.h"

namespace picket::hub {

/// What a twin shows of its identity beside what the registry stores: kept in
/// memory by others.
struct LiveFacts {
  bool connected = false;
  Timestamp last_activity;  ///< 0: never.
  std::uint64_t cloud_to_device_messages = 0;
};

/// A committed change. `desired` and `reported` are the merge patches, present
/// when the section changed.
struct TwinChanged {
  IdentityKey identity;
  bool tags = false;
  bool group = false;                                ///< The device security group changed with the tag SecurityGroup.
  std::shared_ptr<const std::string> desired_patch;  ///< With "$version": what the device is notified with.
  std::uint64_t desired_version = 0;
  bool reported = false;
};

/// The tag that is the device's security group: one fact, stored in the
/// registry (state::Devices), shown in both places.
inline constexpr std::string_view kSecurityGroupTag = "SecurityGroup";
inline constexpr std::size_t kTwinRecordPatchBytesMax =
    8 * 1024;  ///< Larger patches are left out of the outbox record.

/// Versions and etags change in the transaction that changes the twin, together
/// with an outbox record "twin.update" or "twin.replace"; they never go back,
/// also not after a crash. A twin belongs to one generation of its identity: it
/// is empty again when the identity is made anew. Any thread. Reads look up on
/// the calling thread; writes go through the database's group commit and answer
/// on its thread, after COMMIT.
class Twins {
 public:
  using FactsSource = std::function<LiveFacts(const IdentityKey&)>;
  using Listener = std::function<void(const TwinChanged&)>;

  /// Both outlive it, and so do calls that have not answered.
  Twins(state::Database& database, const Clock& clock) : database_(database), store_(database), clock_(clock) {}

  /// Before the first call. Called on the thread that reads.
  void set_facts(FactsSource facts) { facts_ = std::move(facts); }
  /// Before the first call. Called after COMMIT and before the answer, in the
  /// order of the commits, on the database's writing thread: must be quick.
  /// Several listeners are called in the order they were added.
  void on_changed(Listener listener) { listeners_.push_back(std::move(listener)); }

  // A device or module acts on its own twin. Errors: 404001/404010 when this
  // generation of the identity is gone.
  void get(const Identity& self,
           Done<std::string> done) const;  ///< device_view()
  /// Answers the new version of the reported section. Errors also: 400, 413.
  void patch_reported(const Identity& self, std::string body, Done<std::uint64_t> done);

  // A service acts. The answer is the whole twin in IoT Hub's shape.
  // `if_match`: an etag, with or without quotes; "*" and empty: whatever it is.
  // Errors: 400, 404001 or 404010, 412001 when the etag is another, 413.
  void read(const IdentityKey& target, Done<std::string> done) const;
  void patch(const IdentityKey& target, std::string body, std::string if_match, state::Actor actor,
             Done<std::string> done);
  void replace(const IdentityKey& target, std::string body, std::string if_match, state::Actor actor,
               Done<std::string> done);
  /// The same for a change that has been read already (jobs, configurations).
  void patch(const IdentityKey& target, TwinChange change, std::string if_match, state::Actor actor,
             Done<std::string> done);
  /// The same, with more to write in the same transaction, also when the change
  /// itself changes nothing.
  using Also = std::move_only_function<Result<>(sqlite3*)>;
  void patch(const IdentityKey& target, TwinChange change, std::string if_match, state::Actor actor, Also also,
             Done<> done);

  /// Inside a transaction that makes or imports the identity: its first twin. Writes the same records; tells no
  /// listener, since no device can be connected yet.
  static HubResult<> change_in(sqlite3* db, const IdentityKey& target, TwinChange change, const state::Actor& actor,
                               Timestamp now);

  /// The twin as a tree in IoT Hub's shape: for queries, routing conditions
  /// ($twin) and enrichments.
  [[nodiscard]] HubResult<JsonValue> document(const IdentityKey& target) const;
  [[nodiscard]] HubResult<JsonValue> document_of(const state::TwinRow& row) const;
  [[nodiscard]] const state::Twins& store() const { return store_; }

 private:
  struct Write;
  void change_twin(const IdentityKey& target, TwinChange change, bool replace, std::string if_match, state::Actor actor,
                   Done<std::string> done);
  void submit(std::shared_ptr<Write> write);
  void answer(Write& write) const;
  void notify(const TwinChanged& change) const;

  state::Database& database_;
  state::Twins store_;
  const Clock& clock_;
  FactsSource facts_;
  std::vector<Listener> listeners_;
};

/// Twin of a row, and back. Errors: internal "twin.stored" when the stored text
/// cannot be read.
Result<TwinDocument> load_twin(const state::TwinRow& row);
void store_twin(const TwinDocument& twin, state::TwinRow& row);
/// deviceId, etag, version, status, ..., tags, properties, as IoT Hub shows
/// twins.
JsonValue twin_json(const state::TwinRow& row, const TwinDocument& twin, const LiveFacts& facts);

}  // namespace picket::hub
