// Words for the tests of threat intelligence. Only reserved names and ranges: no live indicator stands here.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "intelligence/index_builder.h"

namespace picket::intelligence {

class TestFolder {
 public:
  TestFolder() {
    std::string name = testing::TempDir() + "intelligence-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline constexpr Timestamp kDay{1'795'219'200'000'000};  // 2026-11-21T00:00:00Z
inline Timestamp day(int days) { return kDay + Duration::days(days); }

inline Observable what(std::string_view text) {
  const auto out = parse_observable(text);
  EXPECT_TRUE(out) << text;
  return out.value_or(Observable{});
}

/// An index of one feed, "test".
class TestIndex {
 public:
  TestIndex() { start(nullptr); }
  explicit TestIndex(const Index& before) { start(&before); }

  TestIndex& warn(std::string_view text, Kind as = Kind::domain) {
    Observable of = what(text);
    if (as == Kind::exact_domain) of.kind = as;
    EXPECT_TRUE(builder_->add_warning(of, "well known"));
    return *this;
  }
  TestIndex& list(std::string_view text, Listing listing = {.confidence = 80, .from = kDay}) {
    EXPECT_TRUE(builder_->add(what(text), listing));
    return *this;
  }
  const Index& done() {
    auto finished = builder_->finish();
    EXPECT_TRUE(finished) << describe(finished.error());
    report = *finished;
    auto opened = Index::open(folder_ / "set");
    EXPECT_TRUE(opened) << describe(opened.error());
    index_ = *opened;
    return *index_;
  }
  [[nodiscard]] const TestFolder& folder() const { return folder_; }
  [[nodiscard]] const std::shared_ptr<const Index>& shared() const { return index_; }
  BuildReport report;

 private:
  void start(const Index* before) {
    auto made = IndexBuilder::make({.path = folder_ / "set",
                                    .made = kDay,
                                    .minimum_confidence = 30,
                                    .feeds = {{"test", "CC0", "https://feed.example/"}, {"other", "", ""}},
                                    .before = before});
    EXPECT_TRUE(made);
    builder_ = *std::move(made);
  }
  TestFolder folder_;
  std::unique_ptr<IndexBuilder> builder_;
  std::shared_ptr<const Index> index_;
};

}  // namespace picket::intelligence
