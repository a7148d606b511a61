// How every call of an agent's response method ended, as an audit record: also of those that bypass the desk.
#pragma once

#include "base/core/time.h"
#include "hub/methods.h"
#include "state/database.h"

namespace picket::server {

/// Stands before the hub's methods. A call of PicketRespond leaves the record "response.answer":
/// actor, module, command and action as the caller claims them, `status` and `reason` as the device gave
/// them, or `code` and `reason` of the hub. All other calls pass. Any thread; everything outlives it.
class AuditedMethods final : public hub::Methods {
 public:
  AuditedMethods(hub::Methods& methods, state::Database& database, const Clock& clock)
      : methods_(methods), database_(database), clock_(clock) {}

  void invoke(const hub::IdentityKey& target, hub::MethodRequest request, std::string_view caller,
              hub::Done<hub::MethodReply> done) override;
  void available(const hub::IdentityKey& identity) override { methods_.available(identity); }
  void respond(const hub::IdentityKey& from, std::uint64_t call, hub::MethodReply reply) override {
    methods_.respond(from, call, std::move(reply));
  }
  void gone(const hub::IdentityKey& identity) override { methods_.gone(identity); }

 private:
  hub::Methods& methods_;
  state::Database& database_;
  const Clock& clock_;
};

}  // namespace picket::server
