// Direct methods for service clients (spec/hub.md 1.4, "method").
#include "hub/await.h"
#include "hub/json_value.h"
#include "hub/methods.h"
#include "pay.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMethodBodyBytesMax = 256U << 10;

HubResult<Duration> seconds_of(const JsonValue& body, std::string_view name, Duration otherwise) {
  const JsonValue* value = body.find(name);
  if (value == nullptr || value->is_null()) return otherwise;
  const auto seconds = body.integer_of(name);
  if (!seconds || *seconds < 0 || *seconds > 3600)
    return hub_fail(codes::kArgumentInvalid, std::string(name) + " must be a number of seconds.");
  return Duration::seconds(*seconds);
}

HubResult<MethodRequest> parse_method(std::string_view text) {
  const auto body = parse_json(text, {.bytes_max = kMethodBodyBytesMax});
  if (!body) return hub_fail(codes::kArgumentInvalid, explain_json(body.error()));
  if (body->object() == nullptr) return hub_fail(codes::kArgumentInvalid, "The body must be a JSON object.");
  MethodRequest request;
  request.name = body->text_of("methodName");
  if (request.name.empty()) return hub_fail(codes::kArgumentInvalid, "methodName is missing.");
  if (const JsonValue* payload = body->find("payload")) request.payload = payload->to_string();
  TRY(request.response_timeout, seconds_of(*body, "responseTimeoutInSeconds", Duration::seconds(30)));
  TRY(request.connect_timeout, seconds_of(*body, "connectTimeoutInSeconds", Duration{}));
  return request;
}

}  // namespace

asio::awaitable<http::Response> invoke_method(Call& call) {
  Methods* const methods = call.context.needs.methods;
  if (methods == nullptr) co_return error_reply({kNotOffered, "This hub serves no direct methods."});
  auto request = parse_method(call.request->body);
  if (!request) co_return error_reply(request.error());
  const auto blocks = message_blocks(request->payload.size());
  const auto paid = co_await pay(call, Meter::method_bytes, static_cast<double>(blocks * kMessageBlockBytes));
  if (!paid) co_return error_reply(paid.error());
  const auto reply = co_await answer_of<MethodReply>(call.executor(), [&](Done<MethodReply> done) {
    methods->invoke(call.target(), *std::move(request), call.service().actor().user, std::move(done));
  });
  if (!reply) co_return error_reply(reply.error());
  const std::string payload = reply->payload.empty() ? "null" : reply->payload;
  co_return json_reply("{\"status\":" + std::to_string(reply->status) + ",\"payload\":" + payload + "}");
}

}  // namespace picket::hub
