// The service API of provisioning: enrollments and registrations as JSON over method and path.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "enrollment.h"
#include "group_cache.h"
#include "hub/provisioning.h"
#include "hub/provisioning_service.h"

namespace picket::hub {

/// Any thread. Shared by its owner and the work it has given to the database.
class ServiceApi : public std::enable_shared_from_this<ServiceApi> {
 public:
  using Answer = std::move_only_function<void(ProvisioningServiceReply)>;

  ServiceApi(state::Database& database, const ProvisioningRegistry& registry, const Clock& clock,
             std::shared_ptr<GroupCache> groups)
      : database_(database), registry_(registry), clock_(clock), groups_(std::move(groups)) {}

  void call(ProvisioningServiceCall call, const state::Actor& actor, Answer answer);

 private:
  using ReplyResult = HubResult<ProvisioningServiceReply>;

  void put(bool group, const std::string& id, const ProvisioningServiceCall& call, const state::Actor& actor,
           Answer answer);
  void remove(bool group, const std::string& id, const ProvisioningServiceCall& call, const state::Actor& actor,
              Answer answer);
  void bulk(const ProvisioningServiceCall& call, const state::Actor& actor, Answer answer);
  void remove_registration(const std::string& id, const ProvisioningServiceCall& call, const state::Actor& actor,
                           Answer answer);
  ReplyResult get(bool group, const std::string& id);
  ReplyResult attestation(bool group, const std::string& id, const state::Actor& actor);
  ReplyResult registration(const std::string& id);
  ReplyResult query(bool group, const ProvisioningServiceCall& call);
  ReplyResult query_registrations(const std::string& group_id, const ProvisioningServiceCall& call);

  HubResult<> check_names(const Enrollment& enrollment) const;
  std::string state_json(const state::StoredRegistration& registration) const;
  /// Runs a body that answers by itself; its errors become the reply.
  void submit(std::move_only_function<ReplyResult(sqlite3*)> body, Answer answer);
  void tell(Answer& answer, ReplyResult reply) const;

  state::Database& database_;
  const ProvisioningRegistry& registry_;
  const Clock& clock_;
  std::shared_ptr<GroupCache> groups_;
};

}  // namespace picket::hub
