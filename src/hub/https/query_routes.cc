// Queries over twins and jobs (spec/hub.md 1.4, "query").
#include "hub/await.h"
#include "hub/query_service.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {

namespace asio = boost::asio;

asio::awaitable<http::Response> query_devices(Call& call) {
  QueryService* const queries = call.context.needs.queries;
  if (queries == nullptr) co_return error_reply({kNotOffered, "This hub serves no queries."});
  const auto count_max = item_count_max(call);
  if (!count_max) co_return error_reply(count_max.error());
  const auto page = co_await answer_of<QueryPage>(call.executor(), [&](Done<QueryPage> done) {
    queries->query(call.service().hub, call.request->body, call.request->header("x-ms-continuation"), *count_max,
                   std::move(done));
  });
  if (!page) co_return error_reply(page.error());
  co_return page_reply(page->items, page->continuation, page->item_type);
}

}  // namespace picket::hub
