#include "hub/query_service.h"

#include <chrono>
#include <functional>

#include "hub/twin_rows.h"

namespace picket::hub {
namespace {

HubResult<std::string> query_of(std::string_view body) {
  const auto parsed = parse_json(body, {.bytes_max = 2 * kQueryTextBytesMax, .depth_max = 4});
  if (!parsed) return hub_fail(kArgumentInvalid, "The body: " + explain_json(parsed.error()));
  const JsonValue* const query = parsed->find("query");
  if (query == nullptr || query->string() == nullptr) {
    return hub_fail(kArgumentInvalid, "The body must be {\"query\": \"SELECT ...\"}.");
  }
  return *query->string();
}

// Rows until the service closes: nobody waits for the end of a long query then.
class UntilClosed final : public RowSource {
 public:
  UntilClosed(RowSource& rows, std::function<bool()> closed) : rows_(rows), closed_(std::move(closed)) {}
  HubResult<std::vector<QueryRow>> after(std::string_view first, std::string_view second,
                                         std::size_t count_max) override {
    if (closed_()) return hub_fail(kUnavailable, "The hub is closing.");
    return rows_.after(first, second, count_max);
  }
  HubResult<std::vector<QueryRow>> of_device(std::string_view device_id) override {
    if (closed_()) return hub_fail(kUnavailable, "The hub is closing.");
    return rows_.of_device(device_id);
  }

 private:
  RowSource& rows_;
  std::function<bool()> closed_;
};

}  // namespace

QueryService::QueryService(state::Database& database, const Twins& twins)
    : twins_(twins), configurations_(database), jobs_(database), thread_([this] { work(); }) {}

QueryService::~QueryService() { queue_.close(); }

void QueryService::query(std::string_view hub, std::string_view body, std::string_view continuation,
                         std::size_t count_max, Done<QueryPage> done) {
  auto text = query_of(body);
  if (!text) return done(std::unexpected(text.error()));
  // Syntax errors are answered at once, whatever waits.
  if (auto compiled = Query::compile(*text); !compiled) return done(std::unexpected(compiled.error()));
  auto request =
      std::make_unique<Request>(Request{std::string(hub), *std::move(text), std::string(continuation), count_max, {}});
  auto shared = std::make_shared<Done<QueryPage>>(std::move(done));
  request->done = [shared](HubResult<QueryPage> page) { (*shared)(std::move(page)); };
  if (!queue_.offer(std::move(request))) {
    (*shared)(hub_fail(kThrottled, "64 queries wait already; try again in a moment."));
  }
}

void QueryService::work() {
  for (;;) {
    auto request = queue_.take(std::chrono::milliseconds(1000));
    if (!request) {
      if (queue_.closed()) return;
      continue;
    }
    Request& one = **request;
    if (queue_.closed()) {
      one.done(hub_fail(kUnavailable, "The hub is closing."));
    } else {
      one.done(run(one.hub, one.text, one.continuation, one.count_max));
    }
  }
}

HubResult<QueryPage> QueryService::run(std::string_view hub, std::string_view text, std::string_view continuation,
                                       std::size_t count_max) const {
  const auto query = Query::compile(text);
  if (!query) return std::unexpected(query.error());
  const std::size_t count = count_max == 0 ? kQueryPageDefault : count_max;
  const auto closed = [this] { return queue_.closed(); };
  if (query->source == QuerySource::jobs) {
    DeviceJobRows rows(jobs_, std::string(hub));
    UntilClosed until(rows, closed);
    return run_query(*query, until, continuation, count);
  }
  TwinRows rows(twins_, std::string(hub),
                query->source == QuerySource::modules ? state::TwinKind::modules : state::TwinKind::devices,
                reads_configurations(*query) ? &configurations_ : nullptr);
  UntilClosed until(rows, closed);
  return run_query(*query, until, continuation, count);
}

}  // namespace picket::hub
