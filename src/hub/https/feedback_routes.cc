// What service clients read from the hub by polling: feedback about messages to devices, notifications of files; and
// the purge of a device's queue (spec/hub.md 1.4, "C2D").
#include "base/core/json_writer.h"
#include "hub/await.h"
#include "hub/commands.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

HubError no_commands() { return {kNotOffered, "This hub sends no messages to devices."}; }
HubError no_files() { return {kNotOffered, "This hub stores no files."}; }

http::Response locked_reply(std::string body, std::string_view type, std::string_view lock, Timestamp enqueued) {
  http::Response response = http::Response::text(200, std::move(body), std::string(type));
  response.headers.emplace_back("ETag", "\"" + std::string(lock) + "\"");
  response.headers.emplace_back("iothub-enqueuedtime", format_rfc3339(enqueued));
  return response;
}

asio::awaitable<http::Response> settle_feedback(Call& call, Settlement settlement) {
  Commands* const commands = call.context.needs.commands;
  if (commands == nullptr) co_return error_reply(no_commands());
  co_return empty_reply(co_await answer_of<void>(call.executor(), [&](Done<> done) {
    commands->settle_feedback(call.service().hub, unquoted(call.values.back()), settlement, std::move(done));
  }));
}

asio::awaitable<http::Response> settle_file_notification(Call& call, Settlement settlement) {
  Files* const files = call.context.needs.files;
  if (files == nullptr) co_return error_reply(no_files());
  co_return empty_reply(co_await answer_of<void>(call.executor(), [&](Done<> done) {
    files->settle_notification(call.service().hub, unquoted(call.values.back()), settlement, std::move(done));
  }));
}

}  // namespace

asio::awaitable<http::Response> purge_commands(Call& call) {
  Commands* const commands = call.context.needs.commands;
  if (commands == nullptr) co_return error_reply(no_commands());
  const auto purged = co_await answer_of<std::uint64_t>(call.executor(), [&](Done<std::uint64_t> done) {
    commands->purge(call.target(), call.service().actor(), std::move(done));
  });
  if (!purged) co_return error_reply(purged.error());
  JsonWriter body;
  body.begin_object().key("deviceId").value(call.values[0]).key("moduleId").null();
  body.key("totalMessagesPurged").value(*purged).end_object();
  co_return json_reply(body.take());
}

asio::awaitable<http::Response> receive_feedback(Call& call) {
  Commands* const commands = call.context.needs.commands;
  if (commands == nullptr) co_return error_reply(no_commands());
  using Batch = std::optional<FeedbackBatch>;
  const auto batch = co_await answer_of<Batch>(
      call.executor(), [&](Done<Batch> done) { commands->receive_feedback(call.service().hub, std::move(done)); });
  if (!batch) co_return error_reply(batch.error());
  if (!*batch) co_return http::Response::empty(204);
  co_return locked_reply(to_json(**batch), "application/vnd.microsoft.iothub.feedback.json", (*batch)->lock,
                         (*batch)->enqueued);
}

asio::awaitable<http::Response> remove_feedback(Call& call) { return settle_feedback(call, Settlement::complete); }
asio::awaitable<http::Response> abandon_feedback(Call& call) { return settle_feedback(call, Settlement::abandon); }

asio::awaitable<http::Response> receive_file_notification(Call& call) {
  Files* const files = call.context.needs.files;
  if (files == nullptr) co_return error_reply(no_files());
  using Notification = std::optional<FileNotification>;
  const auto notification = co_await answer_of<Notification>(call.executor(), [&](Done<Notification> done) {
    files->receive_notification(call.service().hub, std::move(done));
  });
  if (!notification) co_return error_reply(notification.error());
  if (!*notification) co_return http::Response::empty(204);
  co_return locked_reply(to_json(**notification), "application/json", (*notification)->lock, (*notification)->enqueued);
}

asio::awaitable<http::Response> remove_file_notification(Call& call) {
  return settle_file_notification(call, Settlement::complete);
}
asio::awaitable<http::Response> abandon_file_notification(Call& call) {
  return settle_file_notification(call, Settlement::abandon);
}

}  // namespace picket::hub
