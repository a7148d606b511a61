// Rows through a query, page by page.
#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "base/core/encoding.h"
#include "expression.h"
#include "hub/query.h"
#include "parser.h"

namespace picket::hub {
namespace {

constexpr std::size_t kRowsPerRead = 256;

/// Where the next page begins.
struct Position {
  std::string first;
  std::string second;
  std::uint64_t delivered = 0;  ///< Rows of all pages so far, for TOP.
};

std::string write_continuation(const Query& query, const Position& position) {
  JsonArray parts;
  parts.emplace_back(std::to_string(query.fingerprint));
  parts.emplace_back(position.first);
  parts.emplace_back(position.second);
  parts.emplace_back(position.delivered);
  return to_base64(as_bytes(JsonValue(std::move(parts)).to_string()));
}

HubResult<Position> read_continuation(const Query& query, std::string_view text) {
  if (text.empty()) return Position();
  const auto refuse = [] {
    return hub_fail(kArgumentInvalid, "The continuation does not belong to this query; start it anew without one.");
  };
  const auto bytes = from_base64(text);
  if (!bytes) return refuse();
  const auto parsed = parse_json(as_text(*bytes), {.bytes_max = 4096, .depth_max = 1});
  if (!parsed || parsed->array() == nullptr || parsed->array()->size() != 4) return refuse();
  const JsonArray& parts = *parsed->array();
  for (std::size_t i = 0; i < 3; ++i) {
    if (parts[i].string() == nullptr) return refuse();
  }
  if (*parts[0].string() != std::to_string(query.fingerprint) || parts[3].number() == nullptr) return refuse();
  Position out{*parts[1].string(), *parts[2].string(), 0};
  const std::string& digits = parts[3].number()->text;
  const char* const end = digits.data() + digits.size();
  const auto [at, failed] = std::from_chars(digits.data(), end, out.delivered);
  if (failed != std::errc() || at != end) return refuse();
  return out;
}

// Rows behind a position; of few devices only, where the condition names them.
class RowReader {
 public:
  RowReader(const Query& query, RowSource& rows, Position& position) : rows_(rows), position_(position) {
    if (query.where) ids_ = query.where->device_ids();
    if (ids_) std::erase_if(*ids_, [&](const std::string& id) { return id < position_.first; });
  }

  // The next rows in order; empty: the end.
  HubResult<std::vector<QueryRow>> next() {
    if (!ids_) {
      QUERY_TRY(auto out, rows_.after(position_.first, position_.second, kRowsPerRead));
      return out;
    }
    while (next_id_ < ids_->size()) {
      QUERY_TRY(auto out, rows_.of_device((*ids_)[next_id_++]));
      std::erase_if(out, [&](const QueryRow& row) {
        return std::tie(row.first, row.second) <= std::tie(position_.first, position_.second);
      });
      if (!out.empty()) return out;
    }
    return std::vector<QueryRow>();
  }

 private:
  RowSource& rows_;
  Position& position_;
  std::optional<std::vector<std::string>> ids_;
  std::size_t next_id_ = 0;
};

bool matches(const Query& query, const JsonValue& document) {
  return !query.where || query.where->evaluate(DocumentResolver(document));
}

JsonValue project(const Query& query, const JsonValue& document) {
  const DocumentResolver resolver(document);
  JsonObject out;
  for (const QueryColumn& column : query.columns) {
    const Operand value = evaluate(*column.expression, resolver);
    if (value.get() != nullptr) out.set(column.alias, *value.get());
  }
  return out;
}

class PageWriter {
 public:
  explicit PageWriter(const Query& query) { page_.item_type = query.item_type(); }
  void add(const JsonValue& item) {
    page_.items += page_.count++ == 0 ? '[' : ',';
    item.append_to(page_.items);
  }
  [[nodiscard]] const QueryPage& page() const { return page_; }
  QueryPage finish() {
    if (page_.count == 0) page_.items = "[";
    page_.items += ']';
    return std::move(page_);
  }

 private:
  QueryPage page_;
};

HubResult<QueryPage> run_rows(const Query& query, RowSource& rows, Position position, std::size_t count_max) {
  RowReader reader(query, rows, position);
  PageWriter out(query);
  const std::size_t top = query.top.value_or(SIZE_MAX);
  for (std::size_t read = 0; position.delivered < top;) {
    QUERY_TRY(const auto batch, reader.next());
    if (batch.empty()) return out.finish();
    for (const QueryRow& row : batch) {
      if (position.delivered >= top) break;
      const bool full = out.page().count >= count_max || out.page().items.size() >= kQueryPageBytesMax;
      if (full || read >= query.rows_max()) {
        QueryPage page = out.finish();
        page.continuation = write_continuation(query, position);
        return page;
      }
      ++read;
      position.first = row.first;
      position.second = row.second;
      if (!matches(query, row.document)) continue;
      ++position.delivered;
      out.add(query.star ? row.document : project(query, row.document));
    }
  }
  return out.finish();
}

// One aggregate over the rows of one group.
struct Accumulator {
  std::uint64_t count = 0;
  double sum = 0;
  std::optional<JsonValue> least;
  std::optional<JsonValue> most;

  void add(const JsonValue* value) {
    if (value == nullptr) return;
    ++count;
    if (value->number() != nullptr) sum += value->number()->value();
    const auto lower = least ? compare(*value, *least) : -1;
    const auto higher = most ? compare(*value, *most) : 1;
    if (lower && *lower < 0) least = *value;
    if (higher && *higher > 0) most = *value;
  }
  [[nodiscard]] std::optional<JsonValue> result(Aggregate aggregate) const {
    switch (aggregate) {
      case Aggregate::count:
        return JsonValue(count);
      case Aggregate::sum:
        return JsonValue(sum);
      case Aggregate::avg:
        if (count == 0) return std::nullopt;
        return JsonValue(sum / static_cast<double>(count));
      case Aggregate::min:
        return least;
      default:
        return most;
    }
  }
};

struct Group {
  JsonValue sample;  ///< Values of the grouping paths, by their position.
  std::vector<Accumulator> accumulators;
};

// avg and sum look at numbers only.
const JsonValue* counted(const QueryColumn& column, const JsonValue* value) {
  const bool numbers_only = column.aggregate == Aggregate::avg || column.aggregate == Aggregate::sum;
  return value != nullptr && (!numbers_only || value->number() != nullptr) ? value : nullptr;
}

void accumulate(const Query& query, const JsonValue& document, Group& group) {
  const DocumentResolver resolver(document);
  const JsonValue one(true);
  group.accumulators.resize(query.columns.size());
  for (std::size_t i = 0; i < query.columns.size(); ++i) {
    const QueryColumn& column = query.columns[i];
    if (column.aggregate == Aggregate::none) continue;
    const Operand value = column.expression ? evaluate(*column.expression, resolver) : Operand(&one);
    group.accumulators[i].add(counted(column, value.get()));
  }
}

// The values of the grouping paths as a row of their own: text of it is the
// key, undefined differs from null.
JsonValue group_sample(const Query& query, const JsonValue& document) {
  JsonObject out;
  for (std::size_t i = 0; i < query.group_by.size(); ++i) {
    const JsonValue* const value = DocumentResolver(document).resolve(query.group_by[i]);
    if (value != nullptr) out.set(std::to_string(i), *value);
  }
  return out;
}

JsonValue group_row(const Query& query, const Group& group) {
  JsonObject out;
  for (std::size_t i = 0; i < query.columns.size(); ++i) {
    const QueryColumn& column = query.columns[i];
    if (column.aggregate != Aggregate::none) {
      if (auto value = group.accumulators[i].result(column.aggregate)) out.set(column.alias, *std::move(value));
      continue;
    }
    const auto at = std::ranges::find(query.group_by, column.expression->path) - query.group_by.begin();
    if (const JsonValue* const value = group.sample.find(std::to_string(at))) out.set(column.alias, *value);
  }
  return out;
}

HubResult<std::map<std::string, Group>> read_groups(const Query& query, RowSource& rows) {
  std::map<std::string, Group> groups;
  if (query.group_by.empty()) groups["{}"].accumulators.resize(query.columns.size());
  Position position;
  RowReader reader(query, rows, position);
  for (std::size_t read = 0;;) {
    QUERY_TRY(const auto batch, reader.next());
    if (batch.empty()) return groups;
    for (const QueryRow& row : batch) {
      position.first = row.first;
      position.second = row.second;
      if (++read > query.rows_max())
        return hub_fail(
            kArgumentInvalid,
            fmt::format("The aggregate reads more than {} rows; narrow WHERE, or shorten it.", query.rows_max()));
      if (!matches(query, row.document)) continue;
      JsonValue sample = group_sample(query, row.document);
      Group& group = groups[sample.to_string()];
      if (groups.size() > kQueryGroupsMax) {
        return hub_fail(kArgumentInvalid,
                        "GROUP BY makes more than 10000 groups; group by something with fewer values.");
      }
      group.sample = std::move(sample);
      accumulate(query, row.document, group);
    }
  }
}

// Groups come in the order of their values. A later page counts them anew and
// leaves out as many as were shown.
HubResult<QueryPage> run_groups(const Query& query, RowSource& rows, Position position, std::size_t count_max) {
  QUERY_TRY(const auto groups, read_groups(query, rows));
  PageWriter out(query);
  auto at = std::next(groups.begin(),
                      static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(position.delivered, groups.size())));
  for (; at != groups.end() && position.delivered < query.top.value_or(SIZE_MAX); ++at) {
    if (out.page().count >= count_max) {
      QueryPage page = out.finish();
      page.continuation = write_continuation(query, position);
      return page;
    }
    ++position.delivered;
    out.add(group_row(query, at->second));
  }
  return out.finish();
}

}  // namespace

HubResult<QueryPage> run_query(const Query& query, RowSource& rows, std::string_view continuation,
                               std::size_t count_max) {
  QUERY_TRY(Position position, read_continuation(query, continuation));
  const std::size_t count = std::clamp<std::size_t>(count_max, 1, kQueryPageMax);
  return query.aggregated() ? run_groups(query, rows, std::move(position), count)
                            : run_rows(query, rows, std::move(position), count);
}

}  // namespace picket::hub
