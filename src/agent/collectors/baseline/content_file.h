// The files that rules come from: ours, and one of the customer's that the settings pin by its SHA-256.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/collector.h"
#include "base/core/result.h"
#include "baseline/content.h"
#include "baseline/run.h"

namespace picket::agent::baseline {

/// Owns the bytes of contents. Ours is mapped, since only what is looked at is then in memory. The customer's is read
/// into memory: a hash of a mapping would not say what the mapping holds later.
class ContentFiles {
 public:
  ContentFiles() = default;
  ContentFiles(ContentFiles&& other) noexcept { *this = std::move(other); }
  ContentFiles& operator=(ContentFiles&& other) noexcept;
  ContentFiles(const ContentFiles&) = delete;
  ContentFiles& operator=(const ContentFiles&) = delete;
  ~ContentFiles();

  /// Errors: not_found, io; those of Content::read.
  Result<> map(const std::string& path);
  /// Errors: the same; denied: its SHA-256 is not `sha256` (64 hexadecimal digits).
  Result<> load_pinned(const std::string& path, std::string_view sha256);
  [[nodiscard]] const std::vector<Content>& contents() const { return contents_; }
  [[nodiscard]] std::string_view name() const { return contents_.empty() ? "" : contents_.front().name(); }

 private:
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::vector<std::string> loaded_;
  std::vector<Content> contents_;
};

/// What the settings name. Errors: of either file; a pinned file that is not as it was pinned stops all.
Result<ContentFiles> open_contents(const CollectorSettings& settings);
Choice choice_of(const CollectorSettings& settings);

}  // namespace picket::agent::baseline
