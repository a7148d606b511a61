#include "hub/twins.h"

#include "base/core/encoding.h"
#include "base/core/identifier.h"
#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "state/outbox.h"

namespace picket::hub {
namespace {

std::string show(const IdentityKey& key) {
  return key.module_id.empty() ? "Device '" + key.device_id + "'"
                               : "Module '" + key.device_id + "/" + key.module_id + "'";
}

HubError store_error(const Error& error, const IdentityKey& key) {
  if (error.code == Errc::not_found) {
    return {key.module_id.empty() ? kDeviceNotFound : kModuleNotFound, show(key) + " does not exist."};
  }
  return from_store(error, show(key));
}

std::string fresh_etag() {
  const std::uint64_t number = random_u64();
  return to_base64(std::as_bytes(std::span(&number, 1)));
}

std::string_view unquoted(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return etag;
}

HubResult<> check_etag(std::string_view wanted, const TwinDocument& twin) {
  const std::string_view etag = unquoted(wanted);
  if (etag.empty() || etag == "*" || etag == twin.etag) return {};
  return hub_fail(kEtagMismatch,
                  "The twin was changed in the meantime: its etag is not the one of If-Match. Read it again.");
}

// The group that the tags ask for: nullopt when the request does not touch the
// tag.
HubResult<std::optional<std::string>> wanted_group(const JsonObject& tags, bool replace) {
  const JsonValue* const tag = tags.find(kSecurityGroupTag);
  if (tag == nullptr) {
    if (!replace) return std::nullopt;
    return std::string(state::kDefaultGroup);
  }
  if (tag->is_null()) return std::string(state::kDefaultGroup);
  if (tag->string() == nullptr || !is_identifier(*tag->string())) {
    return hub_fail(kArgumentInvalid,
                    "tags.SecurityGroup: a group's name is 1 to 128 of A-Z a-z 0-9 - . % _ # * ? ! ( ) , : = @ $ ' +.");
  }
  return *tag->string();
}

}  // namespace

/// One change on its way through the group commit.
struct Twins::Write {
  IdentityKey target;
  std::string generation;  ///< Empty: any (a service acts).
  std::string if_match;
  state::Actor actor;
  bool replace = false;
  TwinChange change;
  std::optional<JsonObject> reported;

  // Filled by the body.
  std::optional<HubError> failed;
  state::TwinRow row;
  TwinDocument twin;
  TwinChanged changed;
  JsonObject desired_patch;
  std::optional<std::string> group;

  Also also;
  // One of them is set.
  Done<> plain_done;
  Done<std::uint64_t> report_done;
  Done<std::string> change_done;

  HubResult<> apply(Timestamp now);
  Result<> run(sqlite3* db, Timestamp now);
  [[nodiscard]] std::string record() const;

 private:
  HubResult<> apply_tags();
  HubResult<> apply_desired(Timestamp now);
  Result<> refuse(HubError error) {
    failed = std::move(error);
    return fail(Errc::denied, "twin");
  }
};

HubResult<> Twins::Write::apply_tags() {
  const bool clear = change.clear_tags;
  if (!clear && !change.tags) return {};
  const JsonObject tags = clear ? JsonObject() : *change.tags;
  const bool whole = replace || clear;
  if (auto done = whole ? replace_tags(twin.tags, tags) : patch_tags(twin.tags, tags); !done) return done;
  changed.tags = true;
  if (!target.module_id.empty()) return {};
  auto wanted = wanted_group(tags, whole);
  if (!wanted) return std::unexpected(wanted.error());
  if (*wanted && **wanted != row.owner.group) group = **wanted;
  return {};
}

HubResult<> Twins::Write::apply_desired(Timestamp now) {
  const bool clear = change.clear_desired;
  if (!clear && (!change.desired || (change.desired->empty() && !replace))) return {};
  if (clear || replace) {
    auto patched = replace_part(twin.desired, clear ? JsonObject() : *change.desired, TwinSection::desired, now);
    if (!patched) return std::unexpected(patched.error());
    desired_patch = *std::move(patched);
  } else {
    if (auto done = patch_part(twin.desired, *change.desired, TwinSection::desired, now); !done) return done;
    desired_patch = *std::move(change.desired);
  }
  changed.desired_version = twin.desired.version;
  changed.desired_patch = std::make_shared<const std::string>(patch_with_version(desired_patch, twin.desired.version));
  return {};
}

HubResult<> Twins::Write::apply(Timestamp now) {
  if (auto checked = check_etag(if_match, twin); !checked) return checked;
  if (auto done = apply_tags(); !done) return done;
  if (auto done = apply_desired(now); !done) return done;
  if (reported) {
    if (auto done = patch_part(twin.reported, *reported, TwinSection::reported, now); !done) return done;
    changed.reported = true;
  }
  return {};
}

Result<> Twins::Write::run(sqlite3* db, Timestamp now) {
  TRY(row, state::Twins::find_in(db, target.hub, target.device_id, target.module_id));
  if (!generation.empty() && generation != row.owner.generation_id) return fail(Errc::not_found, "twin.generation");
  TRY(twin, load_twin(row));
  if (auto applied = apply(now); !applied) return refuse(applied.error());
  if (also) TRY_VOID(also(db));
  if (!changed.tags && !changed.reported && changed.desired_patch == nullptr) return {};
  if (group) {
    TRY_VOID(state::Twins::set_group(db, row.owner, *group, actor.user, actor.source, now));
    row.owner.group = *group;
    changed.group = true;
  }
  ++twin.version;
  twin.etag = fresh_etag();
  store_twin(twin, row);
  TRY_VOID(state::Twins::save(db, row, now));
  return state::Outbox::add(db, replace ? "twin.replace" : "twin.update", target.device_id, record(), now);
}

// Who, what and how much; the patch itself only while it is small.
std::string Twins::Write::record() const {
  JsonWriter out;
  out.begin_object().key("actor").value(actor.user).key("source").value(actor.source).key("hub").value(target.hub);
  out.key("module").value(target.module_id).key("generation").value(row.owner.generation_id);
  out.key("version").value(twin.version);
  JsonObject patch;
  JsonObject properties;
  out.key("sections").begin_object();
  if (changed.tags) {
    out.key("tags").value(twin_size(twin.tags));
    patch.set("tags", change.clear_tags ? JsonObject() : *change.tags);
  }
  if (changed.desired_patch != nullptr) {
    out.key("desired").value(twin_size(twin.desired.value));
    JsonObject desired = desired_patch;
    desired.set("$version", twin.desired.version);
    properties.set("desired", std::move(desired));
  }
  if (changed.reported) {
    out.key("reported").value(twin_size(twin.reported.value));
    JsonObject inner = *reported;
    inner.set("$version", twin.reported.version);
    properties.set("reported", std::move(inner));
  }
  out.end_object();
  if (!properties.empty()) patch.set("properties", std::move(properties));
  const std::string text = JsonValue(std::move(patch)).to_string();
  out.key("patch_size").value(text.size());
  if (text.size() <= kTwinRecordPatchBytesMax) out.key("patch").raw(text);
  return out.end_object().take();
}

void Twins::submit(std::shared_ptr<Write> write) {
  write->changed.identity = write->target;
  database_.submit([this, write](sqlite3* db) { return write->run(db, clock_.now()); },
                   [this, write](Result<> done) {
                     if (!done && !write->failed) write->failed = store_error(done.error(), write->target);
                     if (!write->failed) notify(write->changed);
                     answer(*write);
                   });
}

HubResult<> Twins::change_in(sqlite3* db, const IdentityKey& target, TwinChange change, const state::Actor& actor,
                             Timestamp now) {
  Write write;
  write.target = target;
  write.change = std::move(change);
  write.actor = actor;
  const auto done = write.run(db, now);
  if (write.failed) return std::unexpected(*std::move(write.failed));
  if (!done) return std::unexpected(store_error(done.error(), target));
  return {};
}

void Twins::answer(Write& end) const {
  if (end.report_done) {
    if (end.failed) return end.report_done(std::unexpected(*std::move(end.failed)));
    return end.report_done(end.twin.reported.version);
  }
  if (end.plain_done) {
    if (end.failed) return end.plain_done(std::unexpected(*std::move(end.failed)));
    return end.plain_done({});
  }
  if (end.failed) return end.change_done(std::unexpected(*std::move(end.failed)));
  const LiveFacts facts = facts_ ? facts_(end.target) : LiveFacts();
  end.change_done(twin_json(end.row, end.twin, facts).to_string());
}

void Twins::notify(const TwinChanged& change) const {
  if (!change.tags && !change.reported && change.desired_patch == nullptr) return;
  for (const Listener& listener : listeners_) listener(change);
}

void Twins::get(const Identity& self, Done<std::string> done) const {
  const IdentityKey key = key_of(self);
  const auto row = store_.find(key.hub, key.device_id, key.module_id);
  if (!row) return done(std::unexpected(store_error(row.error(), key)));
  if (row->owner.generation_id != self.generation_id) {
    return done(std::unexpected(store_error({Errc::not_found, "twin.generation"}, key)));
  }
  const auto twin = load_twin(*row);
  if (!twin) return done(std::unexpected(store_error(twin.error(), key)));
  done(device_view(*twin));
}

void Twins::patch_reported(const Identity& self, std::string body, Done<std::uint64_t> done) {
  auto patch = parse_reported_patch(body);
  if (!patch) return done(std::unexpected(patch.error()));
  auto write = std::make_shared<Write>();
  write->target = key_of(self);
  write->generation = self.generation_id;
  write->actor = {"device", ""};
  write->reported = *std::move(patch);
  write->report_done = std::move(done);
  submit(std::move(write));
}

void Twins::read(const IdentityKey& target, Done<std::string> done) const {
  const auto tree = document(target);
  if (!tree) return done(std::unexpected(tree.error()));
  done(tree->to_string());
}

void Twins::patch(const IdentityKey& target, std::string body, std::string if_match, state::Actor actor,
                  Done<std::string> done) {
  auto change = parse_twin_change(body);
  if (!change) return done(std::unexpected(change.error()));
  patch(target, *std::move(change), std::move(if_match), std::move(actor), std::move(done));
}

void Twins::patch(const IdentityKey& target, TwinChange change, std::string if_match, state::Actor actor,
                  Done<std::string> done) {
  change_twin(target, std::move(change), false, std::move(if_match), std::move(actor), std::move(done));
}

void Twins::patch(const IdentityKey& target, TwinChange change, std::string if_match, state::Actor actor, Also also,
                  Done<> done) {
  auto write = std::make_shared<Write>();
  write->target = target;
  write->change = std::move(change);
  write->if_match = std::move(if_match);
  write->actor = std::move(actor);
  write->also = std::move(also);
  write->plain_done = std::move(done);
  submit(std::move(write));
}

void Twins::replace(const IdentityKey& target, std::string body, std::string if_match, state::Actor actor,
                    Done<std::string> done) {
  auto change = parse_twin_change(body);
  if (!change) return done(std::unexpected(change.error()));
  change_twin(target, *std::move(change), true, std::move(if_match), std::move(actor), std::move(done));
}

void Twins::change_twin(const IdentityKey& target, TwinChange change, bool replace, std::string if_match,
                        state::Actor actor, Done<std::string> done) {
  auto write = std::make_shared<Write>();
  write->target = target;
  write->change = std::move(change);
  write->replace = replace;
  write->if_match = std::move(if_match);
  write->actor = std::move(actor);
  write->change_done = std::move(done);
  submit(std::move(write));
}

HubResult<JsonValue> Twins::document(const IdentityKey& target) const {
  const auto row = store_.find(target.hub, target.device_id, target.module_id);
  if (!row) return std::unexpected(store_error(row.error(), target));
  return document_of(*row);
}

HubResult<JsonValue> Twins::document_of(const state::TwinRow& row) const {
  const IdentityKey key{row.owner.hub, row.owner.device_id, row.owner.module_id};
  const auto twin = load_twin(row);
  if (!twin) return std::unexpected(store_error(twin.error(), key));
  return twin_json(row, *twin, facts_ ? facts_(key) : LiveFacts());
}

}  // namespace picket::hub
