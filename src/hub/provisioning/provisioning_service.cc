#include "hub/provisioning_service.h"

#include <array>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "allocation.h"
#include "attestation.h"
#include "base/core/encoding.h"
#include "base/core/random.h"
#include "base/server/log.h"
#include "group_cache.h"
#include "registration_json.h"
#include "service_api.h"

namespace picket::hub {

ProvisioningReply to_reply(const HubError& error) {
  const int code = provisioning_code(error.code);
  return {error.status(), 0, provisioning_error_json(code, error.message, system_clock().now())};
}

namespace {

using Reply = std::move_only_function<void(ProvisioningReply)>;

std::string make_scope() {
  std::array<std::byte, 4> bytes{};
  random_bytes(bytes);
  return "0ne" + to_hex(bytes);
}

auto unauthorized() { return hub_fail(kUnauthorized, "Unauthorized."); }

/// What one registration is about to do.
struct Plan {
  ProvisioningGrant grant;
  DeviceOrder order;
  state::StoredRegistration registration;
  std::string left_hub;  ///< Not empty: the device moves away from there.
};

/// Shared by its owner and the work it has given to the registry and the database.
class Registrar : public std::enable_shared_from_this<Registrar> {
 public:
  Registrar(state::Database& database, ProvisioningRegistry& registry, const Clock& clock, ProvisioningOptions options,
            std::string scope)
      : database_(database),
        registry_(registry),
        clock_(clock),
        options_(std::move(options)),
        scope_(std::move(scope)),
        groups_(std::make_shared<GroupCache>(database, registry, clock)) {}

  HubResult<ProvisioningGrant> authenticate(const ProvisioningClaim& claim);
  void register_device(const ProvisioningGrant& grant, const std::string& body, Reply reply);
  void operation_status(const ProvisioningGrant& grant, std::string_view operation_id, Reply reply);
  [[nodiscard]] const std::string& scope() const { return scope_; }
  [[nodiscard]] const std::shared_ptr<GroupCache>& groups() const { return groups_; }
  [[nodiscard]] ProvisioningStats stats() const { return {proofs_failed_, registered_, failed_}; }

 private:
  HubResult<Plan> plan(const ProvisioningGrant& grant, const RegistrationBody& body) const;
  HubResult<std::string> allocate(const Enrollment& enrollment, std::string_view registration_id) const;
  void provided(std::shared_ptr<Plan> plan, HubResult<bool> created, Reply reply);
  void store(std::shared_ptr<Plan> plan, Reply reply);
  void note(const ProvisioningGrant& grant, bool registered, std::string reason, const DeviceOrder& order);
  [[nodiscard]] ProvisioningReply error(const HubError& error) const {
    return {error.status(), 0, provisioning_error_json(provisioning_code(error.code), error.message, clock_.now())};
  }

  state::Database& database_;
  ProvisioningRegistry& registry_;
  const Clock& clock_;
  const ProvisioningOptions options_;
  const std::string scope_;
  std::shared_ptr<GroupCache> groups_;
  std::atomic<std::uint64_t> proofs_failed_ = 0;
  std::atomic<std::uint64_t> registered_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
};

void Registrar::note(const ProvisioningGrant& grant, bool registered, std::string reason, const DeviceOrder& order) {
  if (!options_.on_operation) return;
  options_.on_operation({.time = clock_.now(),
                         .registration_id = grant.registration_id,
                         .enrollment = grant.enrollment,
                         .group = grant.group,
                         .source = grant.source,
                         .registered = registered,
                         .reason = std::move(reason),
                         .hub = order.hub,
                         .device_id = order.device_id});
}

HubResult<ProvisioningGrant> Registrar::authenticate(const ProvisioningClaim& claim) {
  std::optional<state::StoredEnrollment> stored;
  if (claim.registration_id.size() <= kRegistrationIdBytesMax) {
    const auto looked = database_.look_up([&](sqlite3* db) -> Result<> {
      TRY(stored, state::EnrollmentTable::find(db, false, claim.registration_id));
      return {};
    });
    if (!looked) return std::unexpected(from_store(looked.error(), "The enrollment"));
  }
  const auto groups = groups_->get();
  if (!groups) return std::unexpected(from_store(groups.error(), "The enrollment"));
  std::optional<Enrollment> individual;
  if (stored) {
    auto enrollment = from_stored(*stored);
    if (!enrollment) return std::unexpected(from_store(enrollment.error(), "The enrollment"));
    individual = *std::move(enrollment);
  }
  auto grant = attest(claim, scope_, individual, **groups, clock_.now());
  if (grant) return *std::move(grant);
  ++proofs_failed_;
  ProvisioningGrant refused;
  refused.registration_id = claim.registration_id.substr(0, kRegistrationIdBytesMax);
  refused.source = claim.source;
  if (individual) refused.enrollment = individual->id;
  note(refused, false, grant.error(), {});
  return unauthorized();
}

HubResult<std::string> Registrar::allocate(const Enrollment& enrollment, std::string_view registration_id) const {
  const auto by_host = [this](const std::string& host) -> HubResult<std::string> {
    auto hub = registry_.hub_of(host);
    if (!hub) return hub_fail(kArgumentInvalid, fmt::format("{} is no hub of this installation any more.", host));
    return *std::move(hub);
  };
  if (!enrollment.hub_host.empty()) return by_host(enrollment.hub_host);
  if (enrollment.allocation == Allocation::fixed) return by_host(enrollment.hub_hosts.front());
  std::vector<std::string> candidates;
  for (const auto& host : enrollment.hub_hosts) {
    if (auto hub = registry_.hub_of(host)) candidates.push_back(*std::move(hub));
  }
  if (enrollment.hub_hosts.empty()) candidates = registry_.hubs();
  if (candidates.empty()) return hub_fail(kArgumentInvalid, "There is no hub to assign to.");
  return hashed_hub(candidates, registration_id);
}

HubResult<Plan> Registrar::plan(const ProvisioningGrant& grant, const RegistrationBody& body) const {
  std::optional<state::StoredEnrollment> stored;
  std::optional<state::StoredRegistration> before;
  const auto looked = database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(stored, state::EnrollmentTable::find(db, grant.group, grant.enrollment));
    TRY(before, state::RegistrationTable::find(db, grant.registration_id));
    return {};
  });
  if (!looked) return std::unexpected(from_store(looked.error(), "The enrollment"));
  if (!stored || !stored->enabled) return unauthorized();  // since the proof
  const auto enrollment = from_stored(*stored);
  if (!enrollment) return std::unexpected(from_store(enrollment.error(), "The enrollment"));

  const auto now = clock_.now();
  const bool again = before && before->status == "assigned";
  const bool stays = again && !enrollment->update_hub_assignment;
  TRY(const auto hub, stays ? HubResult<std::string>(before->hub) : allocate(*enrollment, grant.registration_id));
  const bool moves = again && before->hub != hub;

  Plan out;
  out.grant = grant;
  auto& order = out.order;
  order.hub = hub;
  order.device_id = enrollment->device_id.empty() ? grant.registration_id : enrollment->device_id;
  order.primary_key = grant.primary_key;
  order.secondary_key = grant.secondary_key;
  order.primary_thumbprint = grant.thumbprint;
  if (!grant.group && enrollment->attestation == Attestation::x509) {
    order.primary_thumbprint = enrollment->certificates.front().sha256;
    if (enrollment->certificates.size() > 1) order.secondary_thumbprint = enrollment->certificates[1].sha256;
  }
  order.edge = enrollment->edge;
  order.tags_json = enrollment->tags_json;
  order.desired_json = enrollment->desired_json;
  if (moves) out.left_hub = before->hub;
  if (moves && enrollment->migrate_device_data) order.migrate_from_hub = before->hub;

  auto& registration = out.registration;
  registration.registration_id = grant.registration_id;
  registration.group = grant.group;
  registration.enrollment_id = grant.enrollment;
  registration.operation_id = "4." + random_uuid();
  registration.status = "assigned";
  registration.substatus = !moves                            ? "initialAssignment"
                           : enrollment->migrate_device_data ? "deviceDataMigrated"
                                                             : "deviceDataReset";
  if (again && !moves) registration.substatus = before->substatus;
  registration.hub = order.hub;
  registration.device_id = order.device_id;
  registration.payload = body.payload;
  registration.etag = random_uuid();
  registration.created = before ? before->created : now;
  registration.updated = now;
  return out;
}

void Registrar::register_device(const ProvisioningGrant& grant, const std::string& body, Reply reply) {
  const auto parsed = parse_registration_body(body, grant.registration_id);
  if (!parsed) return reply(error(parsed.error()));
  auto planned = plan(grant, *parsed);
  if (!planned) {
    ++failed_;
    note(grant, false, planned.error().message, {});
    return reply(error(planned.error()));
  }
  auto plan = std::make_shared<Plan>(*std::move(planned));
  const state::Actor actor{"provisioning/" + grant.enrollment, grant.source};
  registry_.provide(plan->order, actor,
                    [self = shared_from_this(), plan, reply = std::move(reply)](HubResult<bool> created) mutable {
                      self->provided(std::move(plan), std::move(created), std::move(reply));
                    });
}

void Registrar::provided(std::shared_ptr<Plan> plan, HubResult<bool> created, Reply reply) {
  if (!created) {
    ++failed_;
    note(plan->grant, false, created.error().message, plan->order);
    // What may be right at the next attempt is not remembered as failed.
    if (created.error().status() >= 500 || created.error().code == kThrottled) return reply(error(created.error()));
    auto& registration = plan->registration;
    registration.status = "failed";
    registration.substatus.clear();
    registration.error_code = provisioning_code(created.error().code);
    registration.error_message = created.error().message;
    return store(std::move(plan), std::move(reply));
  }
  if (plan->left_hub.empty()) return store(std::move(plan), std::move(reply));
  const state::Actor actor{"provisioning/" + plan->grant.enrollment, plan->grant.source};
  const auto left = plan->left_hub;
  const auto device_id = plan->order.device_id;
  registry_.withdraw(left, device_id, actor,
                     [self = shared_from_this(), plan, reply = std::move(reply)](const HubResult<>& gone) mutable {
                       if (!gone) {
                         log::error("provisioning", "{} moved from {}, and stays there too: {}", plan->order.device_id,
                                    plan->left_hub, gone.error().message);
                       }
                       self->store(std::move(plan), std::move(reply));
                     });
}

void Registrar::store(std::shared_ptr<Plan> plan, Reply reply) {
  database_.submit([plan](sqlite3* db) { return state::RegistrationTable::put(db, plan->registration); },
                   [self = shared_from_this(), plan, reply = std::move(reply)](const Result<>& stored) mutable {
                     if (!stored) return reply(self->error(from_store(stored.error(), "The registration")));
                     if (plan->registration.status == "assigned") {
                       ++self->registered_;
                       self->note(plan->grant, true, {}, plan->order);
                     }
                     // It is decided already; clients expect to ask for it.
                     reply({202, kProvisioningRetrySeconds, operation_json(plan->registration, "assigning", {})});
                   });
}

void Registrar::operation_status(const ProvisioningGrant& grant, std::string_view operation_id, Reply reply) {
  std::optional<state::StoredRegistration> registration;
  const auto looked = database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(registration, state::RegistrationTable::find(db, grant.registration_id));
    return {};
  });
  if (!looked) return reply(error(from_store(looked.error(), "The registration")));
  if (!registration || registration->operation_id != operation_id) {
    return reply(error({kDeviceNotFound, "There is no such operation."}));
  }
  const auto host = registration->hub.empty() ? std::string() : registry_.host_of(registration->hub);
  reply({200, 0,
         operation_json(*registration, registration->status,
                        registration_state_json(*registration, host, Reader::device))});
}

class StoredProvisioning final : public ProvisioningService {
 public:
  StoredProvisioning(std::shared_ptr<Registrar> registrar, std::shared_ptr<ServiceApi> api)
      : registrar_(std::move(registrar)), api_(std::move(api)) {}
  [[nodiscard]] const std::string& scope() const override { return registrar_->scope(); }
  [[nodiscard]] HubResult<ProvisioningGrant> authenticate(const ProvisioningClaim& claim) const override {
    return registrar_->authenticate(claim);
  }
  void register_device(const ProvisioningGrant& grant, std::string body, Reply done) override {
    registrar_->register_device(grant, body, std::move(done));
  }
  void operation_status(const ProvisioningGrant& grant, std::string_view operation_id, Reply done) override {
    registrar_->operation_status(grant, operation_id, std::move(done));
  }
  void service(ProvisioningServiceCall call, const state::Actor& actor,
               std::move_only_function<void(ProvisioningServiceReply)> done) override {
    api_->call(std::move(call), actor, std::move(done));
  }
  [[nodiscard]] ProvisioningStats stats() const override { return registrar_->stats(); }

 private:
  std::shared_ptr<Registrar> registrar_;
  std::shared_ptr<ServiceApi> api_;
};

}  // namespace

Result<std::unique_ptr<ProvisioningService>> make_provisioning(state::Database& database,
                                                               ProvisioningRegistry& registry, const Clock& clock,
                                                               ProvisioningOptions options) {
  std::string scope;
  TRY_VOID(database.write([&](sqlite3* db) -> Result<> {
    TRY(scope, state::provisioning_scope(db, make_scope()));
    return {};
  }));
  auto registrar = std::make_shared<Registrar>(database, registry, clock, std::move(options), std::move(scope));
  auto api = std::make_shared<ServiceApi>(database, registry, clock, registrar->groups());
  return std::unique_ptr<ProvisioningService>(
      std::make_unique<StoredProvisioning>(std::move(registrar), std::move(api)));
}

}  // namespace picket::hub
