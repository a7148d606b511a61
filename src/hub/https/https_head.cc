#include "hub/https_head.h"

#include <charconv>

#include "authorize.h"
#include "base/server/log.h"
#include "blob_routes.h"
#include "call.h"
#include "head_context.h"
#include "pay.h"
#include "provisioning_routes.h"
#include "registry_job_routes.h"
#include "registry_jobs.h"
#include "reply.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kHeaders =
    "Strict-Transport-Security: max-age=31536000\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Cache-Control: no-store\r\n";

/// Who makes the call, and where its body goes.
std::expected<http::BodyPlan, http::Response> admit(Call& call, http::Request& head, http::ConnectionInfo& connection) {
  if (call.route->access == Access::blob) return plan_blob(call, head);
  if (call.route->access == Access::provisioning) {
    auto grant = authorize_provisioning(call, head, connection.stream);
    if (!grant) return std::unexpected(std::move(grant.error()));
    call.caller = *std::move(grant);
  } else if (auto allowed = authorize(call, head, connection.stream); !allowed) {
    return std::unexpected(error_reply(allowed.error()));
  }
  if (call.route == registry_file_route(head)) return plan_registry_file(call, head);
  return http::BodyPlan{.bytes_max = call.route->body_bytes_max};
}

/// The head of a request says all that is needed to refuse it: nothing of a body is kept for strangers.
std::expected<http::BodyPlan, http::Response> accept(HttpsContext& context, http::Request& head,
                                                     http::ConnectionInfo& connection) {
  auto found = find_call(context, head);
  if (!found) return std::unexpected(error_reply(found.error()));
  auto call = std::make_shared<Call>(*std::move(found));
  call->stream = &connection.stream;
  auto plan = admit(*call, head, connection);
  if (!plan) return plan;
  if (call->route->access != Access::open) connection.admission.authenticated();
  head.note = std::move(call);
  return plan;
}

void set_header(http::Response& response, std::string_view name, std::string value) {
  for (auto& [key, old] : response.headers) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  response.headers.emplace_back(name, std::move(value));
}

/// What a service did, by what was answered. A device in the path is what it was done to.
void count(const Call& call, const http::Response& response) {
  auto* const counters = call.context.needs.counters;
  const auto operation = call.route->operation;
  if (counters == nullptr || !operation) return;
  const IdentityKey target = call.target();
  const Identity identity{target.hub, target.device_id, target.module_id, ""};
  if (response.status < 300) {
    if (*operation != Operation::twin_update) {
      counters->count(identity, *operation, Protocol::service, response.body.size());
    }
    return;
  }
  int code = response.status * 1000;
  for (const auto& [name, value] : response.headers) {
    if (name == "iothub-errorcode") std::from_chars(value.data(), value.data() + value.size(), code);
  }
  counters->fail({.identity = identity,
                  .operation = *operation,
                  .protocol = Protocol::service,
                  .code = code,
                  .source_address = call.stream->peer().address,
                  .actor = call.service().actor().user},
                 call.now());
}

asio::awaitable<http::Response> answer(http::Request& request) {
  auto& call = *static_cast<Call*>(request.note.get());
  call.request = &request;
  http::Response response;
  try {
    HubResult<> paid;
    if (call.route->meter) paid = co_await pay(call, *call.route->meter, 1);
    response = paid ? co_await call.route->handler(call) : error_reply(paid.error());
  } catch (const std::exception& exception) {  // out of memory, or a defect: this call ends, the others go on
    log::error("https", "{} {}: {}", request.method, call.route->pattern, exception.what());
    response = error_reply({codes::kInternal, "The hub failed, its log says why."});
  }
  count(call, response);
  response.headers.emplace_back("Date", http::format_http_date(call.now()));
  if (call.retry_after_s > 0) set_header(response, "Retry-After", std::to_string(call.retry_after_s));
  const std::string_view asked = request.header("x-ms-client-request-id");
  if (!asked.empty()) response.headers.emplace_back("x-ms-client-request-id", asked);
  co_return response;
}

http::Response refuse(http::ParseError error) {
  switch (error) {
    case http::ParseError::body_too_large:
      return error_reply({codes::kTooLarge, "The body is too large."});
    case http::ParseError::header_too_large:
      return error_reply({431'000, "The header is larger than 16 KiB."});
    case http::ParseError::address_too_long:
      return error_reply({414'000, "The address is too long."});
    case http::ParseError::http_version:
      return error_reply({505'000, "Use HTTP/1.1."});
    case http::ParseError::bad_request:
      break;
  }
  return error_reply({codes::kArgumentInvalid, "The request is not valid HTTP."});
}

http::Settings settings_of(HttpsContext& context) {
  return {.limits = context.options.limits,
          .counters = context.http,
          .headers = std::string(kHeaders),
          .answer = [](http::Request& request, http::ConnectionInfo&) { return answer(request); },
          .accept = [&context](http::Request& head, http::ConnectionInfo& connection)
              -> asio::awaitable<std::expected<http::BodyPlan, http::Response>> {
            co_return accept(context, head, connection);
          },
          .refuse = refuse};
}

}  // namespace

struct HttpsHead::Parts {
  Parts(HttpsHeadNeeds needs, HttpsHeadOptions options)
      : context{.needs = std::move(needs),
                .options = options,
                .workers = http::Workers(options.workers, options.waiting_max)},
        http(settings_of(context)) {
    if (context.needs.registry != nullptr && !context.options.registry_directory.empty()) {
      context.registry_jobs = std::make_shared<RegistryJobs>(*context.needs.registry,
                                                             context.options.registry_directory, context.needs.clock);
    }
  }
  HttpsContext context;
  http::Settings http;
  std::unique_ptr<net::Listener> listener;
  bool stopped = false;
};

HttpsHead::HttpsHead(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<HttpsHead>> HttpsHead::open(HttpsHeadNeeds needs, HttpsHeadOptions options) {
  std::unique_ptr<HttpsHead> head(new HttpsHead(std::make_unique<Parts>(std::move(needs), std::move(options))));
  auto& parts = *head->parts_;
  auto& context = parts.context;
  auto listening = context.options.listener;
  if (!listening.on_handshake_failed) {
    listening.on_handshake_failed = [&context](const net::Endpoint& peer, std::string_view reason) {
      context.needs.log.record({.time = context.needs.clock.now(),
                                .kind = HubEventKind::tls_failed,
                                .identity = {.hub = context.options.hubs.default_hub},
                                .source_address = peer.address,
                                .source_port = peer.port,
                                .protocol = "https",
                                .reason = std::string(reason)});
    };
  }
  const auto handler = [&parts](net::Connection connection) { return http::serve(parts.http, std::move(connection)); };
  TRY(parts.listener, net::Listener::open(context.needs.threads, std::move(listening), &context.needs.tls, handler));
  return head;
}

HttpsHead::~HttpsHead() { stop(); }

std::uint16_t HttpsHead::port() const { return parts_->listener->port(); }

HttpsHeadStats HttpsHead::stats() const {
  const auto& http = parts_->context.http;
  const auto& from = parts_->context.counters;
  return {.requests = http.requests,
          .responses_2xx = http.responses_2xx,
          .responses_4xx = http.responses_4xx,
          .responses_5xx = http.responses_5xx,
          .malformed = http.malformed,
          .timeouts = http.timeouts,
          .messages_received = from.messages_received,
          .messages_stored = from.messages_stored,
          .reserved_properties = from.reserved_properties,
          .storage_waits = from.storage_waits,
          .unauthorized = from.unauthorized,
          .throttled = from.throttled,
          .websockets = from.websockets,
          .listener = parts_->listener->stats()};
}

void HttpsHead::stop() {
  auto& parts = *parts_;
  if (std::exchange(parts.stopped, true)) return;
  parts.context.stopping = true;
  if (parts.listener) parts.listener->stop();
  parts.context.workers.stop();
  if (parts.context.registry_jobs) parts.context.registry_jobs->stop();
}

}  // namespace picket::hub
