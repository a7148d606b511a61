// Rules in their binary form (docs/formats/baseline.md), as tools/baseline/compile.py writes them. Hostile bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "baseline/pattern.h"

namespace picket::agent::baseline {

enum class Severity : std::uint8_t { critical, important, warning, informational };

/// One rule; all views lie in the content's bytes.
struct Rule {
  std::string_view id, group, reference;          ///< `reference`: "1.1.1.1" of the CIS benchmark; may be empty.
  std::string_view title, expected, remediation;  ///< For people.
  std::uint8_t level = 1;                         ///< 1 or 2
  std::uint8_t profiles = 0;                      ///< Bit 0 server, bit 1 embedded.
  Severity severity = Severity::warning;
  Bytes applies, check;  ///< Trees; `applies` may be empty.
};

/// Strings that trees refer to.
class Strings {
 public:
  explicit Strings(Bytes pool) : pool_(pool) {}
  /// nullopt: nothing stands there.
  [[nodiscard]] std::optional<std::string_view> at(std::size_t reference) const;

 private:
  Bytes pool_;
};

/// Reads on as long as it can; the first thing that cannot be read is kept as the error, and what follows is empty. So
/// a long record is read first and judged once.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes), left_(bytes.size()) {}

  /// Little-endian, of at most 8 bytes; 0 after an error.
  std::uint64_t number(std::size_t bytes);
  /// A count, length or place of at most 4 bytes.
  std::size_t size(std::size_t bytes) { return static_cast<std::size_t>(number(bytes)); }
  Bytes take(std::size_t bytes);
  /// A reference of 4 bytes, and what it stands for.
  std::string_view text(const Strings& strings);
  /// A length of 2 bytes, and as many bytes.
  Bytes tree() { return take(size(2)); }
  /// Makes an error of what was read so far unless `holds`.
  void require(bool holds, std::string_view where, Errc code = Errc::malformed);
  [[nodiscard]] bool good() const { return where_.empty(); }
  [[nodiscard]] bool at_end() const { return left_ == 0; }
  [[nodiscard]] std::unexpected<Error> error() const { return fail(code_, where_, bytes_.size() - left_); }

 private:
  Bytes bytes_;
  std::size_t left_;
  std::string_view where_;
  Errc code_ = Errc::truncated;
};

/// What a procedure is given. Fixed size, views only.
class Parameters {
 public:
  static constexpr std::size_t kMax = 16;       ///< Parameters of one procedure.
  static constexpr std::size_t kItemsMax = 64;  ///< Texts of all its lists together.

  /// What is wrong becomes the error of `in`.
  void read(Reader& in, const Strings& strings);

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  /// Empty when it is not there.
  [[nodiscard]] std::span<const std::string_view> list(std::string_view key) const;
  /// The first of the list, or `otherwise`.
  [[nodiscard]] std::string_view text(std::string_view key, std::string_view otherwise = {}) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view key) const;
  [[nodiscard]] std::optional<Pattern> pattern(std::string_view key) const;

 private:
  enum class Kind : std::uint8_t { number, texts, pattern };
  struct One {
    std::string_view key;
    Kind kind{};
    std::int64_t number = 0;
    std::uint8_t first = 0, count = 0;  ///< In items_.
  };
  [[nodiscard]] const One* find(std::string_view key) const;

  std::array<One, kMax> ones_;
  std::array<std::string_view, kItemsMax> items_;
  std::size_t count_ = 0, items_used_ = 0;
};

/// A node of a tree: a combination, or a procedure with its parameters.
struct Node {
  enum class Kind : std::uint8_t { all, any, negation, procedure };
  Kind kind{};
  std::string_view procedure;
  Parameters parameters;
  std::vector<Bytes> children;
};
inline constexpr std::size_t kTreeDepthMax = 8;
inline constexpr std::size_t kChildrenMax = 32;
/// Reads one node; its children are read one by one as they are wanted.
Result<Node> read_node(Bytes tree, const Strings& strings);

/// A view of a file of rules. What it refers to is checked when it is read, so a broken rule is one error and the
/// others stand.
class Content {
 public:
  static constexpr std::uint16_t kFormat = 1;
  static constexpr std::size_t kBytesMax = 2 << 20;
  static constexpr std::size_t kRulesMax = 2'048;

  /// `bytes` outlive the content. Errors: malformed (not such a file), unsupported (a newer format), limit_exceeded.
  static Result<Content> read(Bytes bytes);

  [[nodiscard]] std::size_t size() const { return count_; }
  /// For people: whose rules these are, and which edition.
  [[nodiscard]] std::string_view name() const { return name_; }
  Result<Rule> rule(std::size_t index) const;
  [[nodiscard]] const Strings& strings() const { return strings_; }

 private:
  Content(Bytes index, Bytes code, Strings strings, Strings texts)
      : index_(index), code_(code), strings_(strings), texts_(texts) {}

  Bytes index_, code_;
  Strings strings_, texts_;
  std::size_t count_ = 0;
  std::string_view name_;
};

}  // namespace picket::agent::baseline
