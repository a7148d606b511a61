#include "duckdb/attachments.h"

#include <fmt/format.h>

namespace picket::workspace {

Outcome<std::string> Attachments::lease(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(path); found != entries_.end()) {
    Entry& entry = found->second;
    if (entry.leases++ == 0) idle_.erase(entry.idle);
    return entry.alias;
  }
  std::string alias = fmt::format("segment_{}", next_++);
  TRY_VOID(
      run(connection_, fmt::format("ATTACH {} AS {} (READ_ONLY)", quote_text(path), alias), "workspace.query.attach"));
  entries_.emplace(path, Entry{alias, 1, {}});
  return alias;
}

void Attachments::give_back(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(path);
  if (found == entries_.end() || --found->second.leases != 0) return;
  found->second.idle = idle_.insert(idle_.end(), path);
  if (idle_.size() > idle_max_) detach(entries_.find(idle_.front()));
}

void Attachments::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(path); found != entries_.end() && found->second.leases == 0) detach(found);
}

void Attachments::detach(std::map<std::string, Entry>::iterator entry) {
  // Fails only where the name is unknown, and then there is nothing to give back.
  (void)run(connection_, fmt::format("DETACH {}", entry->second.alias), "workspace.query.detach");
  idle_.erase(entry->second.idle);
  entries_.erase(entry);
}

AttachmentLeases::~AttachmentLeases() {
  for (const auto& [path, alias] : held_) attachments_.give_back(path);
}

Outcome<std::string> AttachmentLeases::take(const std::string& path) {
  if (const auto found = held_.find(path); found != held_.end()) return found->second;
  TRY(std::string alias, attachments_.lease(path));
  held_.emplace(path, alias);
  return alias;
}

}  // namespace picket::workspace
