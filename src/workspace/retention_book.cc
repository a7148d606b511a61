#include "retention_book.h"

namespace picket::workspace {

RetentionBook::RetentionBook(const Schema& schema, const std::vector<StreamOptions>& streams,
                             const std::map<std::string, TableRetention, std::less<>>& tables,
                             std::map<std::string, TableRetention, std::less<>> set)
    : set_(std::move(set)) {
  for (const StreamOptions& stream : streams) {
    bytes_max_[stream.stream] = stream.retention.bytes_max;
    for (const TableSchema& table : schema.tables) {
      if (table.stream == stream.stream) defaults_[table.name] = {stream.retention.age_max, {}};
    }
  }
  for (const auto& [table, retention] : tables) defaults_[table] = retention;
}

TableRetention RetentionBook::of(std::string_view table) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = set_.find(table); found != set_.end()) return found->second;
  const auto found = defaults_.find(table);
  return found == defaults_.end() ? TableRetention{} : found->second;
}

void RetentionBook::set(std::string_view table, std::optional<TableRetention> retention) {
  const std::lock_guard lock(mutex_);
  if (retention) {
    set_.insert_or_assign(std::string(table), *retention);
  } else if (const auto found = set_.find(table); found != set_.end()) {
    set_.erase(found);
  }
}

std::uint64_t RetentionBook::bytes_max(std::string_view stream) const {
  const auto found = bytes_max_.find(stream);
  return found == bytes_max_.end() ? 0 : found->second;
}

}  // namespace picket::workspace
