#include "duckdb/part_facts.h"

#include <charconv>

#include <fmt/format.h>

namespace picket::workspace {

Outcome<std::shared_ptr<const std::set<std::string>>> PartFacts::columns(const Connection& connection,
                                                                         const Part& part) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto& known = facts_[part.path][part.table].columns) return known;
  }
  TRY(const auto names, texts_of(connection, fmt::format("SELECT column_name FROM (DESCRIBE FROM {})", part.from),
                                 "workspace.query.columns"));
  auto found = std::make_shared<const std::set<std::string>>(names.begin(), names.end());
  const std::lock_guard lock(mutex_);
  facts_[part.path][part.table].columns = found;
  return found;
}

Outcome<std::optional<std::int64_t>> PartFacts::bits(const Connection& connection, const Part& part,
                                                     const std::string& column) {
  TRY(const auto names, columns(connection, part));
  if (!names->contains(column)) return std::optional<std::int64_t>();
  {
    const std::lock_guard lock(mutex_);
    const auto& known = facts_[part.path][part.table].bits;
    if (const auto found = known.find(column); found != known.end()) return found->second;
  }
  const std::string name = quote_identifier(column);
  TRY(const auto texts,
      texts_of(
          connection,
          fmt::format("SELECT CASE WHEN count(*) = count({0}) THEN bit_or({0})::VARCHAR END FROM {1}", name, part.from),
          "workspace.query.bits"));
  std::optional<std::int64_t> bits;
  if (!texts.empty()) {
    const std::string& text = texts.front();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && !text.empty() && end == text.data() + text.size()) bits = value;
  }
  const std::lock_guard lock(mutex_);
  facts_[part.path][part.table].bits.emplace(column, bits);
  return bits;
}

void PartFacts::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  facts_.erase(path);
}

}  // namespace picket::workspace
