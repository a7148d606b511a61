#include "group_cache.h"

#include "base/core/encoding.h"
#include "base/server/log.h"
#include "hub/provisioning_service.h"

namespace picket::hub {
namespace {

constexpr Duration kLifetime = Duration::minutes(1);

void add(GroupSet& out, const Enrollment& group, const ProvisioningRegistry& registry) {
  if (group.attestation == Attestation::symmetric_key) {
    out.symmetric.push_back({group.id, group.enabled, from_base64(group.primary_key).value_or(Buffer()),
                             from_base64(group.secondary_key).value_or(Buffer())});
    return;
  }
  const auto anchor = [&](const CertificateFacts& facts) {
    out.anchors.push_back({group.id, group.enabled, facts.subject, facts.der});
  };
  for (const auto& facts : group.certificates) anchor(facts);
  for (const auto& name : group.ca_references) {
    const auto pem = registry.verified_ca(name);
    if (!pem) continue;
    if (const auto facts = parse_certificate_text(*pem)) anchor(*facts);
  }
}

}  // namespace

Result<GroupSet> GroupCache::load() const {
  std::vector<state::StoredEnrollment> rows;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(rows, state::EnrollmentTable::list(db, true, "", kEnrollmentGroupsMax));
    return {};
  }));
  GroupSet out;
  for (const auto& row : rows) {
    const auto group = from_stored(row);
    if (!group) {
      log::error("provisioning", "the enrollment group {} cannot be read: {}", row.id, describe(group.error()));
      continue;
    }
    add(out, *group, registry_);
  }
  return out;
}

Result<std::shared_ptr<const GroupSet>> GroupCache::get() {
  std::uint64_t generation = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (groups_ && clock_.monotonic() - loaded_ < kLifetime) return groups_;
    generation = generation_;
  }
  TRY(auto loaded, load());
  auto out = std::make_shared<const GroupSet>(std::move(loaded));
  const std::scoped_lock lock(mutex_);
  if (generation == generation_) {  // else it was changed meanwhile: good for this caller, not for the next
    groups_ = out;
    loaded_ = clock_.monotonic();
  }
  return out;
}

void GroupCache::invalidate() {
  const std::scoped_lock lock(mutex_);
  ++generation_;
  groups_.reset();
}

}  // namespace picket::hub
