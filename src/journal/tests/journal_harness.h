// Words for the tests of the journal.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "journal/journal.h"

namespace picket::journal {

/// A folder that goes with the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "journal-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline EmbeddedOptions options_in(const std::string& folder, std::uint64_t segment_bytes_max = 64U << 20) {
  return {.directory = folder, .segment_bytes_max = segment_bytes_max, .reserve_bytes = 0};
}

inline OpenedJournal must_open(EmbeddedOptions options) {
  auto opened = open_embedded(std::move(options));
  EXPECT_TRUE(opened.has_value()) << (opened ? "" : describe(opened.error()));
  return opened ? *std::move(opened) : OpenedJournal{};
}

/// Owns what a Record only borrows.
struct Message {
  Identity identity{"hub", "device-1", "", "1"};
  std::vector<std::pair<std::string, std::string>> properties;
  std::string body;
  Timestamp enqueued{1'000'000};
  RecordKind kind = RecordKind::message;

  friend bool operator==(const Message&, const Message&) = default;
};

inline Message text_message(std::string body, std::int64_t enqueued_us = 1'000'000) {
  return {.body = std::move(body), .enqueued = Timestamp{enqueued_us}};
}

inline Result<> append_message(Journal& journal, const Message& message, OnDurable on_durable = {}) {
  std::vector<Property> properties;
  for (const auto& [name, value] : message.properties) properties.push_back({name, value});
  return journal.append({.kind = message.kind,
                         .partition = partition_of(message.identity),
                         .enqueued = message.enqueued,
                         .identity = message.identity,
                         .properties = properties,
                         .body = as_bytes(message.body)},
                        std::move(on_durable));
}

/// Appends and waits for the verdict.
inline Result<RecordId> append_and_wait(Journal& journal, const Message& message) {
  std::promise<Result<RecordId>> verdict;
  auto answer = verdict.get_future();
  TRY_VOID(append_message(journal, message, [&](Result<RecordId> id) { verdict.set_value(id); }));
  return answer.get();
}

inline Message copy_of(const RecordView& view) {
  Message out{.identity = view.identity.to_identity(),
              .body = std::string(as_text(view.body)),
              .enqueued = view.enqueued,
              .kind = view.kind};
  for (const Property& p : view.properties) out.properties.emplace_back(p.name, p.value);
  return out;
}

struct ReadBack {
  std::vector<Message> messages;
  std::vector<std::uint64_t> sequences;
  std::optional<Corruption> corruption;
};

/// Everything durable from a position on, up to the end or to damage.
inline ReadBack read_all(Journal& journal, const Position& from = {}, std::size_t batch_bytes = 4096) {
  ReadBack out;
  auto reader = journal.reader(from);
  EXPECT_TRUE(reader.has_value());
  if (!reader) return out;
  for (;;) {
    const auto batch = (*reader)->read(batch_bytes);
    if (!batch) {
      out.corruption = (*reader)->corruption();
      EXPECT_TRUE(out.corruption.has_value()) << describe(batch.error());
      return out;
    }
    if (batch->records.empty()) return out;
    for (const RecordView& record : batch->records) {
      out.messages.push_back(copy_of(record));
      out.sequences.push_back(record.id.sequence);
    }
  }
}

inline std::vector<std::string> bodies_of(const ReadBack& read) {
  std::vector<std::string> out;
  for (const Message& message : read.messages) out.push_back(message.body);
  return out;
}

inline std::vector<std::filesystem::path> segment_files(const std::string& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".journal") out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void spit(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

}  // namespace picket::journal
