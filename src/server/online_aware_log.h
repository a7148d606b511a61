// Adds to failed credentials what only the whole server knows: whether the claimed device is connected at this moment.
// Then the failure looks like an impersonation.
#pragma once

#include "hub/operations_log.h"
#include "presence.h"

namespace picket::server {

/// Any thread. Both outlive it.
class OnlineAwareLog final : public hub::OperationsLog {
 public:
  OnlineAwareLog(hub::OperationsLog& log, const Presence& presence) : log_(log), presence_(presence) {}

  void record(const hub::HubEvent& event) override {
    const bool open_question = event.kind == hub::HubEventKind::auth_failed && !event.authenticated &&
                               !event.claimed_online && !event.identity.device_id.empty();
    if (!open_question) return log_.record(event);
    hub::HubEvent answered = event;
    answered.claimed_online =
        presence_.module(event.identity.hub, event.identity.device_id, event.identity.module_id).connected;
    log_.record(answered);
  }

 private:
  hub::OperationsLog& log_;
  const Presence& presence_;
};

}  // namespace picket::server
