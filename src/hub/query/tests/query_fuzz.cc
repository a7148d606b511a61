// Claims: what compiles evaluates without a fault, always to the same; NOT
// turns yes into no; an accepted condition reads the same inside parentheses
// and inside WHERE; a query's pages add up to the answer in one page.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hub/query.h"

namespace {

using namespace picket::hub;

void require(bool claim) {
  if (!claim) std::abort();
}

const JsonValue& document(int number) {
  static const JsonValue documents[] = {
      *parse_json(
          R"({"deviceId":"a","tags":{"x":1,"y":"b","l":[1,{"k":null}],"t":true},"properties":{"desired":{"r":5}}})"),
      *parse_json(R"({"deviceId":"b","tags":{"x":"1","y":{"z":2}},"properties":{"reported":{"r":-0.5}}})"),
      *parse_json(R"({"deviceId":"c"})")};
  return documents[number];
}

class ThreeRows final : public RowSource {
 public:
  HubResult<std::vector<QueryRow>> after(std::string_view first, std::string_view, std::size_t) override {
    std::vector<QueryRow> out;
    for (int i = 0; i < 3; ++i) {
      const std::string id(document(i).text_of("deviceId"));
      if (id > first) out.push_back({id, "", document(i)});
    }
    return out;
  }
  HubResult<std::vector<QueryRow>> of_device(std::string_view device_id) override {
    std::vector<QueryRow> out;
    for (int i = 0; i < 3; ++i) {
      if (document(i).text_of("deviceId") == device_id) out.push_back({std::string(device_id), "", document(i)});
    }
    return out;
  }
};

void check_condition(const std::string& text) {
  (void)Condition::compile(text, Dialect::routes);
  const auto plain = Condition::compile(text, Dialect::twins);
  if (!plain) {
    require(!plain.error().message.empty());
    return;
  }
  const auto wrapped = Condition::compile("(" + text + ")", Dialect::twins);
  const auto negated = Condition::compile("NOT (" + text + ")", Dialect::twins);
  for (int i = 0; i < 3; ++i) {
    const DocumentResolver resolver(document(i));
    const Truth truth = plain->truth(resolver);
    require(truth == plain->truth(resolver));
    if (wrapped) require(wrapped->truth(resolver) == truth);
    if (negated && truth == Truth::yes) require(negated->truth(resolver) == Truth::no);
    const auto ids = plain->device_ids();
    if (ids && truth == Truth::yes) {
      require(std::find(ids->begin(), ids->end(), document(i).text_of("deviceId")) != ids->end());
    }
  }
}

void check_query(const std::string& text) {
  const auto query = Query::compile(text);
  if (!query) return;
  ThreeRows rows;
  const auto whole = run_query(*query, rows, "", kQueryPageMax);
  require(whole && whole->continuation.empty());
  std::string pieces;
  std::string continuation;
  for (int page = 0; page < 8; ++page) {
    const auto one = run_query(*query, rows, continuation, 1);
    require(one && one->count <= 1);
    if (one->count == 1) {
      if (!pieces.empty()) pieces += ',';
      pieces += one->items.substr(1, one->items.size() - 2);
    }
    continuation = one->continuation;
    if (continuation.empty()) break;
  }
  require("[" + pieces + "]" == whole->items);
  (void)run_query(*query, rows, text, 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_condition(text);
  check_query(text);
  return 0;
}
