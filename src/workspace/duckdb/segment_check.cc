#include "duckdb/segment_check.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace picket::workspace {
namespace {

constexpr std::string_view kAlias = "checked_segment";

std::string damaged(std::string_view text) {
  return fmt::format("is damaged: {}", text.substr(0, std::min(text.find('\n'), std::size_t{200})));
}

std::string foreign(std::string_view what) { return fmt::format("is not the file that was sealed: {}", what); }

/// The problem, when the error is one of the file; else the error goes on.
Outcome<std::optional<std::string>> problem_of(EngineError error) {
  if (tells_of_damage(error.text)) return std::optional(damaged(error.text));
  return std::unexpected(std::move(error));
}

}  // namespace

bool tells_of_damage(std::string_view text) {
  constexpr std::array kSigns{"orrupt",
                              "checksum",
                              "not a valid DuckDB",
                              "Could not read enough",
                              "could not read",
                              "Serialization Error",
                              "failed to decompress",
                              "Failed to read",
                              "deserializ",
                              "No more data remaining",
                              "Invalid Input Error: Trying to read",
                              "unexpected end",
                              "database does not exist",
                              "ZSTD"};
  return std::ranges::any_of(kSigns, [&](std::string_view sign) { return text.contains(sign); });
}

Outcome<std::optional<std::string>> check_counts(const Connection& connection, std::string_view alias,
                                                 const SegmentInfo& segment, const TableExtent& extent) {
  const auto found = texts_of(
      connection,
      fmt::format(
          "SELECT count(*) || ' ' || (coalesce(min(_position), {1}) >= {1} AND coalesce(max(_position), {2}) <= "
          "{2}) FROM {0}.{3}",
          alias, segment.first, segment.last, quote_identifier(extent.table)),
      "workspace.segment.check");
  if (!found) {
    const std::string& text = found.error().text;
    if (text.contains("does not exist")) return std::optional(foreign("it has no table " + extent.table));
    if (text.contains("_position")) return std::optional(foreign(extent.table + " has no positions"));
    return problem_of(found.error());
  }
  if (found->size() == 1 && found->front() == fmt::format("{} true", extent.rows)) return std::optional<std::string>();
  return std::optional(foreign(fmt::format("{} has other rows in it", extent.table)));
}

Outcome<std::optional<std::string>> check_content(const Connection& connection, std::string_view alias,
                                                  std::string_view table) {
  const auto found =
      texts_of(connection, fmt::format("SELECT bit_xor(hash(t))::VARCHAR FROM {}.{} t", alias, quote_identifier(table)),
               "workspace.segment.check");
  if (found) return std::optional<std::string>();
  return problem_of(found.error());
}

Outcome<std::optional<std::string>> check_file(const Connection& connection, const std::string& path,
                                               const SegmentInfo& segment) {
  if (auto done = run(connection, fmt::format("ATTACH {} AS {} (READ_ONLY)", quote_text(path), kAlias),
                      "workspace.segment.check");
      !done) {
    return problem_of(std::move(done).error());
  }
  Outcome<std::optional<std::string>> out;
  for (const TableExtent& extent : segment.tables) {
    if (extent.archived) continue;
    out = check_counts(connection, kAlias, segment, extent);
    if (out && !*out) out = check_content(connection, kAlias, extent.table);
    if (!out || *out) break;
  }
  (void)run(connection, fmt::format("DETACH {}", kAlias), "workspace.segment.check");
  return out;
}

bool CheckedTables::contains(const std::string& path, std::string_view table) const {
  const std::lock_guard lock(mutex_);
  return tables_.contains({path, std::string(table)});
}

void CheckedTables::insert(const std::string& path, std::string_view table) {
  const std::lock_guard lock(mutex_);
  tables_.emplace(path, table);
}

void CheckedTables::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::erase_if(tables_, [&](const auto& one) { return one.first == path; });
}

}  // namespace picket::workspace
