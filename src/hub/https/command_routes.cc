// Messages to devices, fetched and settled by polling (spec/hub.md 1.2, "C2D poll").
#include "hub/await.h"
#include "hub/commands.h"
#include "message_headers.h"
#include "reply.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

constexpr Duration kLockTime = Duration::seconds(60);
constexpr std::string_view kProtocol = "https";

HubError no_commands() { return {kNotOffered, "This hub sends no messages to devices."}; }

http::Response message_reply(LockedCommand& locked) {
  http::Response response = http::Response::empty(200);
  response.headers = headers_of(locked.command.properties);
  response.headers.emplace_back("ETag", "\"" + locked.lock + "\"");
  response.headers.emplace_back("iothub-sequencenumber", std::to_string(locked.sequence));
  response.headers.emplace_back("iothub-enqueuedtime", format_rfc3339(locked.enqueued));
  response.headers.emplace_back("iothub-expiry", format_rfc3339(locked.expiry));
  response.headers.emplace_back("iothub-deliverycount", std::to_string(locked.delivery_count));
  response.headers.emplace_back("Content-Type", "application/octet-stream");
  response.body = as_text(locked.command.body);
  return response;
}

asio::awaitable<http::Response> settle(Call& call, Settlement settlement) {
  Commands* const commands = call.context.needs.commands;
  if (commands == nullptr) co_return error_reply(no_commands());
  const std::string lock = unquoted(call.values.back());
  const auto settled = co_await answer_of<void>(call.executor(), [&](Done<> done) {
    commands->settle(key_of(call.device().identity()), lock, settlement, kProtocol, std::move(done));
  });
  co_return empty_reply(settled);
}

/// "?reject"; the Java SDK writes "&%3Freject=true", the question mark as a part of the name.
bool rejects(const Call& call) { return call.parameter("reject") || call.parameter("?reject"); }

}  // namespace

asio::awaitable<http::Response> receive_command(Call& call) {
  Commands* const commands = call.context.needs.commands;
  if (commands == nullptr) co_return http::Response::empty(204);
  auto locked =
      co_await answer_of<std::optional<LockedCommand>>(call.executor(), [&](Done<std::optional<LockedCommand>> done) {
        commands->receive(key_of(call.device().identity()), kProtocol, kLockTime, std::move(done));
      });
  if (!locked) co_return error_reply(locked.error());
  if (!*locked) co_return http::Response::empty(204);
  co_return message_reply(**locked);
}

asio::awaitable<http::Response> remove_command(Call& call) {
  co_return co_await settle(call, rejects(call) ? Settlement::reject : Settlement::complete);
}

asio::awaitable<http::Response> abandon_command(Call& call) { co_return co_await settle(call, Settlement::abandon); }

}  // namespace picket::hub
