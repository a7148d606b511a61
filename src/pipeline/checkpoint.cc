#include "checkpoint.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>

#include <dirent.h>
#include <unistd.h>

#include "base/core/file.h"

namespace picket::pipeline {
namespace {

constexpr std::string_view kSuffix = ".checkpoint";

Result<std::vector<std::uint64_t>> list_numbers(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
  if (!dir) return fail_errno("checkpoint.directory");
  std::vector<std::uint64_t> out;
  for (const dirent* entry = ::readdir(dir.get()); entry != nullptr; entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (!name.ends_with(kSuffix)) continue;
    std::uint64_t number = 0;
    const char* const last = name.data() + name.size() - kSuffix.size();
    const auto [end, error] = std::from_chars(name.data(), last, number);
    if (error == std::errc{} && end == last && number > 0) out.push_back(number);
  }
  std::ranges::sort(out);
  return out;
}

std::vector<PartVersion> versions_of(const std::vector<StatePart*>& parts) {
  std::vector<PartVersion> out;
  for (const StatePart* part : parts) out.push_back({std::string(part->part_name()), part->part_version()});
  return out;
}

}  // namespace

std::string CheckpointStore::path_of(std::uint64_t number) const {
  return directory_ + "/" + std::to_string(number) + std::string(kSuffix);
}

Result<CheckpointFile> CheckpointStore::read(std::uint64_t number) const {
  TRY(const auto content, read_file(path_of(number), kCheckpointBytesMax));
  TRY(auto file, parse_checkpoint(as_bytes(content)));
  if (file.number != number) return fail(Errc::malformed, "checkpoint.number");
  return file;
}

/// The chain ends with the highest number. After a merge the whole checkpoint has the number of the last one merged
/// into it, so older files that a crash left behind are not connected any more.
Result<CheckpointStore> CheckpointStore::open(std::string directory, StepHook hook) {
  TRY_VOID(make_directories(directory));
  CheckpointStore out(std::move(directory), std::move(hook));
  TRY(const auto numbers, list_numbers(out.directory_));
  for (const std::uint64_t number : numbers) {
    out.next_number_ = number + 1;
    const auto file = out.read(number);
    if (!file && file.error().code == Errc::io) return std::unexpected(file.error());
    if (!file) {
      out.note_ += "checkpoint " + std::to_string(number) + " left out: " + describe(file.error()) + "; ";
      out.strangers_.push_back(number);
      continue;
    }
    TRY(auto position, journal::Position::parse(file->position));
    TRY(auto derived, journal::Position::parse(file->derived));
    if (file->previous == 0) {
      for (const File& old : out.files_) out.strangers_.push_back(old.number);
      out.files_.clear();
    } else if (out.files_.empty() || out.files_.back().number != file->previous) {
      out.note_ += "checkpoint " + std::to_string(number) + " has lost its base; ";
      out.strangers_.push_back(number);
      continue;
    }
    out.files_.push_back(
        {number, file->previous, std::move(position), std::move(derived), file->skipped.from(), file->parts});
  }
  return out;
}

std::optional<std::size_t> CheckpointStore::newest_within(const journal::Position& limit) const {
  for (std::size_t i = files_.size(); i > 0; --i) {
    if (limit.covers(files_[i - 1].position)) return i - 1;
  }
  return std::nullopt;
}

std::optional<journal::Position> CheckpointStore::replay_from(const journal::Position& sealed) const {
  const auto newest = newest_within(sealed);
  return newest ? std::optional(files_[*newest].position) : std::nullopt;
}

Result<CheckpointFile> CheckpointStore::read_merged(std::size_t last) const {
  TRY(CheckpointFile merged, read(files_.front().number));
  for (std::size_t i = 1; i <= last; ++i) {
    TRY(CheckpointFile next, read(files_[i].number));
    if (next.parts != merged.parts) return fail(Errc::malformed, "checkpoint.parts");
    for (std::size_t p = 0; p < merged.parts.size(); ++p) {
      for (auto& [key, value] : next.changes[p]) merged.changes[p].insert_or_assign(key, std::move(value));
    }
    merged.number = next.number;
    merged.position = next.position;
    merged.derived = next.derived;
    merged.skipped = std::move(next.skipped);
  }
  for (PartChanges& changes : merged.changes) std::erase_if(changes, [](const auto& change) { return !change.second; });
  return merged;
}

std::optional<std::size_t> CheckpointStore::newest_usable(const journal::Position& sealed,
                                                          const journal::Position& end) const {
  for (std::size_t i = files_.size(); i > 0; --i) {
    const File& file = files_[i - 1];
    if (sealed.covers(file.position)) return i - 1;
    // The first record without a sealed row is the first that the list may have to know.
    if (end.covers(file.position) && file.skipped_from < sealed.next_of(0)) return i - 1;
  }
  return std::nullopt;
}

Result<std::optional<CheckpointStore::Restored>> CheckpointStore::restore(const journal::Position& sealed,
                                                                          const journal::Position& end,
                                                                          const std::vector<StatePart*>& parts) {
  const auto newest = newest_usable(sealed, end);
  if (!newest) {
    TRY_VOID(clear());
    return std::nullopt;
  }
  auto merged = read_merged(*newest);
  bool good = merged.has_value() && merged->parts == versions_of(parts);
  for (std::size_t p = 0; good && p < parts.size(); ++p) {
    for (const auto& [key, value] : merged->changes[p]) good = good && parts[p]->load(key, *value).has_value();
  }
  if (!good) {
    note_ += "checkpoint " + std::to_string(files_[*newest].number) + " does not fit this version; ";
    TRY_VOID(clear());
    return std::nullopt;
  }
  TRY_VOID(forget_after(*newest + 1));
  return Restored{files_[*newest].position, files_[*newest].derived, std::move(merged->skipped)};
}

Result<> CheckpointStore::clear() { return forget_after(0); }

/// Newest first: what a crash leaves is a shorter chain, never one with a hole.
Result<> CheckpointStore::forget_after(std::size_t count) {
  while (files_.size() > count) {
    TRY_VOID(remove(files_.back().number));
    files_.pop_back();
  }
  return {};
}

Result<> CheckpointStore::remove(std::uint64_t number) {
  if (::unlink(path_of(number).c_str()) != 0 && errno != ENOENT) return fail_errno("checkpoint.remove");
  return {};
}

Result<> CheckpointStore::write(const CheckpointFile& file) {
  const Buffer bytes = encode_checkpoint(file);
  step("checkpoint.write");
  TRY_VOID(replace_file(path_of(file.number), bytes));
  step("checkpoint.written");
  last_bytes_ = bytes.size();
  return {};
}

Result<> CheckpointStore::commit(const journal::Position& position, const journal::Position& derived,
                                 const SkippedBook& skipped, const std::vector<StatePart*>& parts) {
  CheckpointFile file{.number = next_number_,
                      .previous = files_.empty() ? 0 : files_.back().number,
                      .position = position.to_text(),
                      .derived = derived.to_text(),
                      .skipped = skipped,
                      .parts = versions_of(parts)};
  for (StatePart* part : parts) {
    PartChanges& changes = file.changes.emplace_back(std::exchange(owed_[std::string(part->part_name())], {}));
    for (StateChange& change : part->take_changes()) {  // most parts give them in order
      changes.insert_or_assign(changes.end(), std::move(change.key), std::move(change.value));
    }
    if (file.previous == 0) std::erase_if(changes, [](const auto& change) { return !change.second; });
  }
  if (auto written = write(file); !written) {
    for (std::size_t p = 0; p < parts.size(); ++p) owed_[file.parts[p].name] = std::move(file.changes[p]);
    return written;
  }
  ++next_number_;
  files_.push_back({file.number, file.previous, position, derived, skipped.from(), file.parts});
  for (const std::uint64_t stranger : strangers_) TRY_VOID(remove(stranger));
  strangers_.clear();
  return {};
}

Result<> CheckpointStore::merge(const journal::Position& sealed) {
  const auto newest = newest_within(sealed);
  if (!newest || *newest < kMergeMin) return {};
  TRY(CheckpointFile merged, read_merged(*newest));
  merged.previous = 0;
  // In place of the last one: those behind it stay connected, those before it are not needed any more.
  TRY_VOID(write(merged));
  files_[*newest].previous = 0;
  for (std::size_t i = 0; i < *newest; ++i) {
    TRY_VOID(remove(files_[i].number));
    step("checkpoint.merged");
  }
  files_.erase(files_.begin(), files_.begin() + static_cast<std::ptrdiff_t>(*newest));
  return {};
}

}  // namespace picket::pipeline
