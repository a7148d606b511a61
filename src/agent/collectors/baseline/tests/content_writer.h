// Words for tests: rules in their binary form, made by hand, and roots.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "baseline/content.h"

namespace picket::agent::baseline {

/// A folder that is a root, gone at the end.
class TestRoot {
 public:
  TestRoot() {
    std::string name = ::testing::TempDir() + "picket-baseline-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TestRoot() { std::filesystem::remove_all(path_); }
  TestRoot(const TestRoot&) = delete;
  TestRoot& operator=(const TestRoot&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& path, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + path).parent_path());
    std::ofstream(path_ + path, std::ios::binary) << text;
  }
  void link(const std::string& path, const std::string& target) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + path).parent_path());
    std::filesystem::create_symlink(target, path_ + path);
  }

 private:
  std::string path_;
};

/// Builds contents byte by byte, so that broken ones can be made too.
class ContentWriter {
 public:
  static std::string u16(std::size_t n) { return {static_cast<char>(n & 255), static_cast<char>(n >> 8 & 255)}; }
  static std::string u32(std::size_t n) { return u16(n & 0xFFFF) + u16(n >> 16); }

  std::size_t string(std::string_view text) {
    const std::size_t at = strings_.size();
    strings_ += u16(text.size());
    strings_ += text;
    return at;
  }
  /// A procedure whose parameters are lists of one text.
  std::string call(std::string_view name, const std::vector<std::pair<std::string, std::string>>& parameters = {}) {
    std::string out = "\3" + u32(string(name)) + static_cast<char>(parameters.size());
    for (const auto& [key, value] : parameters) out += u32(string(key)) + "\1\1" + u32(string(value));
    return out;
  }
  std::string call_with_number(std::string_view name, std::string_view key, std::uint16_t value) {
    return "\3" + u32(string(name)) + '\1' + u32(string(key)) + std::string(1, '\0') + u32(value) + u32(0);
  }
  static std::string combine(char kind, const std::vector<std::string>& children) {
    std::string out{kind, static_cast<char>(children.size())};
    for (const std::string& child : children) out += u16(child.size()) + child;
    return out;
  }
  static std::string all(const std::vector<std::string>& children) { return combine(0, children); }
  static std::string any(const std::vector<std::string>& children) { return combine(1, children); }
  static std::string negation(const std::string& child) { return combine(2, {child}); }

  void rule(std::string_view id, const std::string& check, const std::string& applies = "", int level = 1,
            int profiles = 3, std::string_view group = "Group", std::string_view reference = "") {
    index_ += u32(code_.size());
    code_ += u32(string(id)) + u32(string(group)) + u32(string(reference));
    code_ += u32(0) + u32(0) + u32(0);
    code_ += {static_cast<char>(level), static_cast<char>(profiles), '\2'};
    code_ += u16(applies.size()) + applies + u16(check.size()) + check;
    ++count_;
  }
  [[nodiscard]] std::string file(int format = 1) const {
    const std::string texts = u16(4) + "test";
    std::string head = "picketBL" + u16(static_cast<std::size_t>(format)) + u16(count_) + u32(0);
    std::size_t at = head.size() + 32;
    for (const std::string* part : {&index_, &code_, &strings_, &texts}) {
      head += u32(at) + u32(part->size());
      at += part->size();
    }
    return head + index_ + code_ + strings_ + texts;
  }

 private:
  std::string index_, code_, strings_;
  std::size_t count_ = 0;
};

}  // namespace picket::agent::baseline
