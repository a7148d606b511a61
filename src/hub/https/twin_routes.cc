// Twins for service clients (spec/hub.md 1.4, "twin").
#include "hub/await.h"
#include "hub/twins.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

HubError no_twins() { return {kNotOffered, "This hub serves no twins."}; }

}  // namespace

asio::awaitable<http::Response> get_twin(Call& call) {
  const Twins* twins = call.context.needs.twins;
  if (twins == nullptr) co_return error_reply(no_twins());
  co_return json_answer(co_await answer_of<std::string>(
      call.executor(), [&](Done<std::string> done) { twins->read(call.target(), std::move(done)); }));
}

asio::awaitable<http::Response> patch_twin(Call& call) {
  Twins* const twins = call.context.needs.twins;
  if (twins == nullptr) co_return error_reply(no_twins());
  co_return json_answer(co_await answer_of<std::string>(call.executor(), [&](Done<std::string> done) {
    twins->patch(call.target(), std::move(call.request->body), if_match(call), call.service().actor(), std::move(done));
  }));
}

asio::awaitable<http::Response> replace_twin(Call& call) {
  Twins* const twins = call.context.needs.twins;
  if (twins == nullptr) co_return error_reply(no_twins());
  co_return json_answer(co_await answer_of<std::string>(call.executor(), [&](Done<std::string> done) {
    twins->replace(call.target(), std::move(call.request->body), if_match(call), call.service().actor(),
                   std::move(done));
  }));
}

}  // namespace picket::hub
