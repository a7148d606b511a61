// Scheduled jobs over many devices (spec/hub.md 1.4, "jobs").
#include "hub/await.h"
#include "hub/jobs.h"
#include "routes.h"
#include "service_call.h"

namespace picket::hub {
namespace {

namespace asio = boost::asio;

HubError no_jobs() { return {kNotOffered, "This hub serves no jobs."}; }

}  // namespace

asio::awaitable<http::Response> schedule_job(Call& call) {
  Jobs* const jobs = call.context.needs.jobs;
  if (jobs == nullptr) co_return error_reply(no_jobs());
  co_return json_answer(co_await answer_of<std::string>(call.executor(), [&](Done<std::string> done) {
    jobs->schedule(call.service().hub, call.values[0], call.request->body, call.service().actor(), std::move(done));
  }));
}

asio::awaitable<http::Response> get_job(Call& call) {
  const Jobs* jobs = call.context.needs.jobs;
  if (jobs == nullptr) co_return error_reply(no_jobs());
  co_return json_answer(co_await answer_of<std::string>(call.executor(), [&](Done<std::string> done) {
    jobs->get(call.service().hub, call.values[0], std::move(done));
  }));
}

asio::awaitable<http::Response> cancel_job(Call& call) {
  Jobs* const jobs = call.context.needs.jobs;
  if (jobs == nullptr) co_return error_reply(no_jobs());
  co_return json_answer(co_await answer_of<std::string>(call.executor(), [&](Done<std::string> done) {
    jobs->cancel(call.service().hub, call.values[0], call.service().actor(), std::move(done));
  }));
}

asio::awaitable<http::Response> list_jobs(Call& call) {
  const Jobs* jobs = call.context.needs.jobs;
  if (jobs == nullptr) co_return error_reply(no_jobs());
  const auto count_max = item_count_max(call);
  if (!count_max) co_return error_reply(count_max.error());
  const auto page = co_await answer_of<JobPage>(call.executor(), [&](Done<JobPage> done) {
    jobs->list(call.service().hub, call.parameter("jobType").value_or(""), call.parameter("jobStatus").value_or(""),
               call.request->header("x-ms-continuation"), *count_max, std::move(done));
  });
  if (!page) co_return error_reply(page.error());
  co_return page_reply(page->items, page->continuation, "JobResponse");
}

}  // namespace picket::hub
