// Rows as JSON objects: in one document, wherever they stand in it, or one a line.
#include "base/core/json_reader.h"
#include "feed_row.h"

namespace picket::intelligence {
namespace {

std::string text_of(const Json& value) {
  if (auto text = value.text()) return *std::move(text);
  const auto kind = value.kind();
  if (kind == Json::Kind::number || kind == Json::Kind::boolean) return std::string(value.raw());
  // Some sources give lists of one where others give the thing itself.
  std::string out;
  if (kind == Json::Kind::array) {
    value.for_items([&](const Json& item) {
      if (out.empty()) out = item.text().value_or(std::string());
    });
  }
  return out;
}

class Rows {
 public:
  explicit Rows(const FeedSink& sink) : sink_(sink) {}

  void take(const Json& value, int depth) {
    if (!done_ || depth > 6) return;
    if (const auto text = value.text()) {
      done_ = take_line(*text, sink_, report);
    } else if (value.kind() == Json::Kind::array) {
      value.for_items([&](const Json& item) { take(item, depth + 1); });
    } else if (value.kind() == Json::Kind::object) {
      object(value, depth);
    }
  }
  [[nodiscard]] const Result<>& done() const { return done_; }
  ParseReport report;

 private:
  void object(const Json& value, int depth) {
    FeedRow row;
    bool is_row = false;
    value.for_members([&](std::string_view name, const Json& member) {
      if (row.size() >= kColumnsMax) return;
      row.emplace_back(lower(name), text_of(member));
      is_row = is_row || (is_indicator_column(row.back().first) && member.kind() != Json::Kind::object &&
                          !(member.kind() == Json::Kind::array && row.back().second.empty()));
    });
    if (is_row) {
      done_ = take_row(row, sink_, report);
      return;
    }
    value.for_members([&](std::string_view, const Json& member) {
      const auto kind = member.kind();
      if (kind == Json::Kind::array || kind == Json::Kind::object) take(member, depth + 1);
    });
  }

  const FeedSink& sink_;
  Result<> done_;
};

}  // namespace

Result<ParseReport> parse_json_rows(std::string_view text, const FeedSink& sink) {
  Rows rows(sink);
  const auto whole = parse_json(text, kFeedDepthMax);
  if (whole) {
    rows.take(*whole, 0);
    TRY_VOID(rows.done());
    return rows.report;
  }
  std::size_t readable = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = rest.find('\n');
    const auto line = trimmed(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.empty()) continue;
    const auto one = parse_json(line, kFeedDepthMax);
    if (!one) {
      rows.report.skip("a line that is not JSON", line);
      continue;
    }
    ++readable;
    // Spamhaus ends its list with a line about the list.
    if (one->find("type") && one->find("records")) continue;
    rows.take(*one, 0);
    TRY_VOID(rows.done());
  }
  if (readable == 0) return std::unexpected(Error{Errc::malformed, "intelligence.json", whole.error().offset});
  return rows.report;
}

}  // namespace picket::intelligence
