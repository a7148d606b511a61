// Twins, direct methods and messages of one device, or of one of its modules.
#include <boost/json.hpp>

#include "../hub_answer.h"
#include "../json_body.h"
#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "handlers.h"
#include "hub/commands.h"
#include "hub/methods.h"
#include "hub/twins.h"

namespace picket::api {
namespace {

constexpr Duration kPatience = Duration::seconds(30);
constexpr std::size_t kMethodNameBytesMax = 100;
constexpr std::size_t kCommandBodyBytesMax = 64 * 1024;
constexpr std::size_t kMessageIdBytesMax = 128;
constexpr std::size_t kMethodPayloadBytesMax = 128 * 1024;

hub::IdentityKey target_of(const Call& call) {
  return {call.parts.services.hub, call.path_values[0], call.parameter("module").value_or("")};
}

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

}  // namespace

ApiError hub_error(const hub::HubError& error, std::string_view target) {
  for (const ErrorInfo& info : all_errors()) {
    if (info.hub == static_cast<std::uint32_t>(error.code)) {
      return {.code = std::string(info.code), .message = error.message, .target = std::string(target)};
    }
  }
  log::error("api", "the hub failed with {}: {}", error.code, error.message);
  return {.code = "internal"};
}

Answer get_twin(Call& call) {
  auto* twins = call.parts.services.twins;
  if (twins == nullptr) return not_offered();
  API_TRY(auto twin, wait_for_hub<std::string>("twin", kPatience, [&](hub::Done<std::string> done) {
            twins->read(target_of(call), std::move(done));
          }));
  return Response::json(std::move(twin));
}

Answer patch_twin(Call& call) {
  auto* twins = call.parts.services.twins;
  if (twins == nullptr) return not_offered();
  API_TRY(auto twin, wait_for_hub<std::string>("twin", kPatience, [&](hub::Done<std::string> done) {
            twins->patch(target_of(call), call.request.body, std::string(call.request.header("if-match")), call.actor(),
                         std::move(done));
          }));
  return Response::json(std::move(twin));
}

Answer call_method(Call& call) {
  auto* methods = call.parts.services.methods;
  if (methods == nullptr) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"methodName", "payload", "responseTimeoutInSeconds",
                                                          "connectTimeoutInSeconds"}));
  hub::MethodRequest request;
  API_TRY(request.name, body.required_text("methodName", kMethodNameBytesMax));
  API_TRY(const auto payload, body.json("payload", kMethodPayloadBytesMax));
  API_TRY(const auto response_s, body.number("responseTimeoutInSeconds", 5, 300));
  API_TRY(const auto connect_s, body.number("connectTimeoutInSeconds", 0, 300));
  request.payload = payload.value_or("");
  request.response_timeout = Duration::seconds(response_s.value_or(30));
  request.connect_timeout = Duration::seconds(connect_s.value_or(0));
  const Duration patience = request.response_timeout + request.connect_timeout + kPatience;
  API_TRY(const auto reply, wait_for_hub<hub::MethodReply>("device", patience, [&](hub::Done<hub::MethodReply> done) {
            methods->invoke(target_of(call), std::move(request), call.caller.user, std::move(done));
          }));
  JsonWriter out;
  out.begin_object().key("status").value(reply.status).key("payload");
  out.raw(reply.payload.empty() ? "null" : reply.payload);
  return Response::json(out.end_object().take());
}

Answer send_message(Call& call) {
  auto* commands = call.parts.services.commands;
  if (commands == nullptr) return not_offered();
  API_TRY(const auto body, JsonBody::parse(call.request, {"body", "messageId"}));
  API_TRY(const auto text, body.required_text("body", kCommandBodyBytesMax));
  API_TRY(const auto message_id, body.text("messageId", kMessageIdBytesMax));
  hub::Command command;
  const Bytes bytes = as_bytes(text);
  command.body.assign(bytes.begin(), bytes.end());
  if (message_id) command.properties.emplace_back("$.mid", *message_id);
  const auto sent = wait_for_hub<void>("device", kPatience, [&](hub::Done<> done) {
    commands->send(target_of(call), std::move(command), call.actor(), std::move(done));
  });
  if (!sent) return std::unexpected(sent.error());
  return Response::empty();
}

Answer purge_messages(Call& call) {
  auto* commands = call.parts.services.commands;
  if (commands == nullptr) return not_offered();
  API_TRY(const auto count, wait_for_hub<std::uint64_t>("device", kPatience, [&](hub::Done<std::uint64_t> done) {
            commands->purge(target_of(call), call.actor(), std::move(done));
          }));
  JsonWriter out;
  out.begin_object().key("purged").value(count);
  return Response::json(out.end_object().take());
}

}  // namespace picket::api
