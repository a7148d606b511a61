// Hub services answer through Done<T>; handlers of this API run on workers that may wait.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "api/errors.h"
#include "base/core/time.h"
#include "http.h"
#include "hub/hub_error.h"

namespace picket::api {

/// The row of schema/errors.json with the hub's code; its own message.
ApiError hub_error(const hub::HubError& error, std::string_view target);

/// Waits for a service. Error busy: no answer within `patience` (the service still finishes its work).
template <class T, class Start>
std::expected<T, ApiError> wait_for_hub(std::string_view target, Duration patience, Start start) {
  auto promise = std::make_shared<std::promise<hub::HubResult<T>>>();
  auto future = promise->get_future();
  start(hub::Done<T>([promise](hub::HubResult<T> answer) { promise->set_value(std::move(answer)); }));
  if (future.wait_for(std::chrono::microseconds(patience.us)) != std::future_status::ready) {
    return std::unexpected(ApiError{.code = "busy", .target = std::string(target)});
  }
  auto answer = future.get();
  if (!answer) return std::unexpected(hub_error(answer.error(), target));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(answer);
  }
}

}  // namespace picket::api
