// Configurations: how settings reach a fleet (spec/hub.md 1.4, "configs").
#include "hub/await.h"
#include "hub/configurations.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

HubError no_configurations() { return {kNotOffered, "This hub serves no configurations."}; }

}  // namespace

asio::awaitable<http::Response> list_configurations(Call& call) {
  const Configurations* configurations = call.context.needs.configurations;
  if (configurations == nullptr) co_return error_reply(no_configurations());
  const std::size_t top = number_of(call.parameter("top").value_or("")).value_or(0);
  co_return json_answer(co_await answer_of<std::string>(call.executor(), [&](Done<std::string> done) {
    configurations->list(call.service().hub, top, std::move(done));
  }));
}

asio::awaitable<http::Response> get_configuration(Call& call) {
  const Configurations* configurations = call.context.needs.configurations;
  if (configurations == nullptr) co_return error_reply(no_configurations());
  co_return json_answer(co_await answer_of<std::string>(call.executor(), [&](Done<std::string> done) {
    configurations->get(call.service().hub, call.values[0], std::move(done));
  }));
}

asio::awaitable<http::Response> put_configuration(Call& call) {
  Configurations* const configurations = call.context.needs.configurations;
  if (configurations == nullptr) co_return error_reply(no_configurations());
  co_return json_answer(co_await answer_of<std::string>(call.executor(), [&](Done<std::string> done) {
    configurations->put(call.service().hub, call.values[0], call.request->body, if_match(call), call.service().actor(),
                        std::move(done));
  }));
}

asio::awaitable<http::Response> delete_configuration(Call& call) {
  Configurations* const configurations = call.context.needs.configurations;
  if (configurations == nullptr) co_return error_reply(no_configurations());
  co_return empty_reply(co_await answer_of<void>(call.executor(), [&](Done<> done) {
    configurations->remove(call.service().hub, call.values[0], if_match(call), call.service().actor(), std::move(done));
  }));
}

asio::awaitable<http::Response> test_configuration_queries(Call& call) {
  if (call.context.needs.configurations == nullptr) co_return error_reply(no_configurations());
  co_return json_answer(Configurations::test_queries(call.request->body));
}

asio::awaitable<http::Response> apply_configuration_content(Call& call) {
  Configurations* const configurations = call.context.needs.configurations;
  if (configurations == nullptr) co_return error_reply(no_configurations());
  co_return empty_reply(co_await answer_of<void>(call.executor(), [&](Done<> done) {
    configurations->apply_content(call.target(), call.request->body, call.service().actor(), std::move(done));
  }));
}

}  // namespace picket::hub
