#include "self_test_confirmer.h"

#include <algorithm>

#include "base/core/json_writer.h"
#include "pipeline/alert.h"

namespace picket::server {
namespace {

constexpr std::string_view kAlertType = "IoT_SelfTest";
constexpr std::string_view kMethod = "PicketSelfTest";  // the agent's runtime.h
/// An agent that tests with a connection of its own may still be about to ask for methods.
constexpr Duration kConnectTimeout = Duration::seconds(20);

}  // namespace

void SelfTestConfirmer::attach(hub::Methods* methods) {
  const std::scoped_lock lock(mutex_);
  methods_ = methods;
}

void SelfTestConfirmer::raised(const state::Alert& alert) {
  if (alert.alert_type != kAlertType) return;
  const auto change = pipeline::parse_alert_change(alert.json);
  if (!change) return;  // it was parsed before it was stored
  const auto test =
      std::ranges::find(change->properties, "TestId", [](const auto& property) { return property.first; });
  if (test == change->properties.end()) return;
  JsonWriter payload;
  payload.begin_object().key("testId").value(test->second).key("alertId").value(alert.alert_id);
  const std::scoped_lock lock(mutex_);
  if (methods_ == nullptr) return;
  methods_->invoke({alert.hub, alert.device_id, alert.module_id},
                   {.name = std::string(kMethod),
                    .payload = payload.end_object().take(),
                    .response_timeout = Duration::seconds(10),
                    .connect_timeout = kConnectTimeout},
                   "picket", [confirmed = confirmed_](const hub::HubResult<hub::MethodReply>& reply) {
                     if (reply && reply->status == 200) ++*confirmed;
                   });
}

}  // namespace picket::server
