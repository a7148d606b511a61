// Device provisioning over HTTPS: for devices, and its service API (spec/hub.md 1.7).
#include "provisioning_routes.h"

#include "hub/await.h"
#include "reply.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

http::Response to_response(ProvisioningReply reply) {
  http::Response response = json_reply(std::move(reply.body), reply.status);
  if (reply.retry_after_seconds > 0)
    response.headers.emplace_back("retry-after", std::to_string(reply.retry_after_seconds));
  return response;
}

/// Provisioning answers with a reply in every case.
template <class T, class Start>
asio::awaitable<T> reply_of(Call& call, Start start) {
  auto reply = co_await answer_of<T>(call.executor(), [&](Done<T> done) {
    start([done = std::move(done)](T value) mutable { done(std::move(value)); });
  });
  co_return *std::move(reply);
}

}  // namespace

std::expected<ProvisioningGrant, http::Response> authorize_provisioning(const Call& call, const http::Request& head,
                                                                        const net::Stream& stream) {
  const Provisioning* provisioning = call.context.needs.provisioning;
  const auto path = parse_provisioning_path(head.path);
  if (provisioning == nullptr || !path)
    return std::unexpected(error_reply({kNotFound, "There is nothing at this address."}));
  ProvisioningClaim claim{.scope = path->scope,
                          .registration_id = path->registration_id,
                          .token = std::string(head.header("authorization")),
                          .source = stream.peer().address};
  auto chain = stream.client_chain_der();
  if (!chain.empty()) {
    claim.certificate.emplace();
    claim.certificate->leaf_der = std::move(chain.front());
    chain.erase(chain.begin());
    claim.certificate->chain_der = std::move(chain);
  }
  auto grant = provisioning->authenticate(claim);
  if (grant) return *std::move(grant);
  ++call.context.counters.unauthorized;
  return std::unexpected(to_response(to_reply(grant.error())));
}

asio::awaitable<http::Response> register_device(Call& call) {
  co_return to_response(co_await reply_of<ProvisioningReply>(call, [&](auto done) {
    call.context.needs.provisioning->register_device(std::get<ProvisioningGrant>(call.caller), call.request->body,
                                                     std::move(done));
  }));
}

asio::awaitable<http::Response> get_registration(Call& call) {
  co_return to_response(co_await reply_of<ProvisioningReply>(call, [&](auto done) {
    call.context.needs.provisioning->operation_status(std::get<ProvisioningGrant>(call.caller), call.values.back(),
                                                      std::move(done));
  }));
}

asio::awaitable<http::Response> call_provisioning_service(Call& call) {
  Provisioning* const provisioning = call.context.needs.provisioning;
  if (provisioning == nullptr) co_return error_reply({kNotOffered, "This hub provisions no devices."});
  const http::Request& request = *call.request;
  ProvisioningServiceCall service{.method = request.method,
                                  .path = request.path,
                                  .body = request.body,
                                  .if_match = std::string(request.header("if-match")),
                                  .item_count_max = number_of(request.header("x-ms-max-item-count")).value_or(0),
                                  .continuation = std::string(request.header("x-ms-continuation"))};
  auto reply = co_await reply_of<ProvisioningServiceReply>(
      call, [&](auto done) { provisioning->service(std::move(service), call.service().actor(), std::move(done)); });
  http::Response response =
      reply.body.empty() ? http::Response::empty(reply.status) : json_reply(std::move(reply.body), reply.status);
  if (!reply.continuation.empty()) response.headers.emplace_back("x-ms-continuation", reply.continuation);
  if (!reply.item_type.empty()) response.headers.emplace_back("x-ms-item-type", reply.item_type);
  co_return response;
}

}  // namespace picket::hub
