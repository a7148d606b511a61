// Files of devices: a ticket, and what became of it (spec/hub.md 1.2, "upload").
#include "hub/await.h"
#include "reply.h"
#include "routes.h"

namespace picket::hub {

namespace asio = boost::asio;

namespace {
HubError no_files() { return {kNotOffered, "This hub stores no files."}; }
}  // namespace

asio::awaitable<http::Response> open_upload(Call& call) {
  Files* const files = call.context.needs.files;
  if (files == nullptr) co_return error_reply(no_files());
  auto name = parse_upload_request(call.request->body);
  if (!name) co_return error_reply(name.error());
  const auto ticket = co_await answer_of<UploadTicket>(call.executor(), [&](Done<UploadTicket> done) {
    files->open_upload(call.device().identity(), *std::move(name), call.host, std::move(done));
  });
  if (!ticket) co_return error_reply(ticket.error());
  co_return json_reply(to_json(*ticket));
}

asio::awaitable<http::Response> close_upload(Call& call) {
  Files* const files = call.context.needs.files;
  if (files == nullptr) co_return error_reply(no_files());
  auto result = parse_upload_result(call.values.size() > 1 ? call.values[1] : "", call.request->body);
  if (!result) co_return error_reply(result.error());
  const auto closed = co_await answer_of<void>(call.executor(), [&](Done<> done) {
    files->close_upload(call.device().identity(), *std::move(result), std::move(done));
  });
  co_return empty_reply(closed);
}

}  // namespace picket::hub
