// A service that answers through Done<T>, as something a head's coroutine waits for.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hub/hub_error.h"

namespace picket::hub {

/// co_await answer_of<T>(executor, [&](Done<T> done) { service.call(..., std::move(done)); });
/// Resumes on `executor`, whichever thread the service answers from. The service must answer: nothing else ends the wait.
template <class T, class Start>
boost::asio::awaitable<HubResult<T>> answer_of(boost::asio::any_io_executor executor, Start start) {
  namespace asio = boost::asio;
  auto result = std::make_shared<std::optional<HubResult<T>>>();
  co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(
      [executor, result, &start](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        start(Done<T>([executor, result, shared](HubResult<T> answer) mutable {
          asio::post(executor, [result, shared, answer = std::move(answer)]() mutable {
            result->emplace(std::move(answer));
            std::move (*shared)();
          });
        }));
      },
      asio::use_awaitable);
  co_return *std::move(*result);
}

}  // namespace picket::hub
