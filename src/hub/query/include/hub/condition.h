// Conditions of the query language: one engine for queries, jobs,
// configurations and routes (spec/hub.md 1.4 "query" and 1.5; the language
// itself: docs/hub.md, "Twins and queries").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub_error.h"
#include "hub/json_value.h"

namespace picket::hub {

inline constexpr std::size_t kQueryTextBytesMax = 64 * 1024;
inline constexpr int kQueryDepthMax = 64;             ///< Parentheses, calls, NOT and signs inside each other.
inline constexpr std::size_t kQueryNodesMax = 8'192;  ///< Constants, paths, operators of one text.

/// How bare names are read.
enum class Dialect : std::uint8_t {
  twins,   ///< tags.x, properties.reported.y, deviceId: members of the document.
           ///< FROM's name may stand before them.
  routes,  ///< severity: an application property; $contentType: a system
           ///< property; $body.x and $twin.x: documents.
};

/// One step into a document: a member's name, or an index of an array.
struct PathStep {
  std::string name;
  std::optional<std::size_t> index;
  friend bool operator==(const PathStep&, const PathStep&) = default;
};

struct FieldPath {
  enum class Root : std::uint8_t {
    document,     ///< Dialect twins: steps lead into the row.
    application,  ///< Dialect routes: steps[0] is the property's name.
    system,       ///< steps[0] is the name after '$'.
    body,
    twin,
  };
  Root root = Root::document;
  std::vector<PathStep> steps;

  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const FieldPath&, const FieldPath&) = default;
};

/// What paths mean for one row or message. Called while a condition is
/// evaluated, on that thread; what it returns lives until the evaluation ends.
class Resolver {
 public:
  virtual ~Resolver() = default;
  /// nullptr: undefined.
  [[nodiscard]] virtual const JsonValue* resolve(const FieldPath& path) const = 0;
};

/// Follows steps into a document. Names are compared with case first; with
/// `ignore_case`, where that finds nothing, without ASCII case. nullptr:
/// undefined.
const JsonValue* walk(const JsonValue& root, std::span<const PathStep> steps, bool ignore_case = false);

/// A document as a row: members of its root without ASCII case (DeviceID),
/// below with case.
class DocumentResolver final : public Resolver {
 public:
  explicit DocumentResolver(const JsonValue& document) : document_(document) {}
  [[nodiscard]] const JsonValue* resolve(const FieldPath& path) const override;

 private:
  const JsonValue& document_;
};

struct Expression;

/// Undefined: a path led nowhere, or an operator met a type it has no meaning
/// for. It counts as false.
enum class Truth : std::uint8_t { no, yes, undefined };

/// One compiled condition. Immutable: copies share it, any thread evaluates.
/// Evaluation takes no longer than the text has nodes (times the length of the
/// texts it looks into) and cannot fail.
class Condition {
 public:
  /// Errors: 400 with line, column and what to do. An empty text is an error;
  /// "*" is not part of the language.
  static HubResult<Condition> compile(std::string_view text, Dialect dialect);

  /// For this library: an expression that has been parsed as part of a query.
  static Condition of(Expression expression);

  [[nodiscard]] bool evaluate(const Resolver& resolver) const { return truth(resolver) == Truth::yes; }
  [[nodiscard]] Truth truth(const Resolver& resolver) const;
  /// Paths that it reads, each once.
  [[nodiscard]] std::vector<FieldPath> paths() const;
  /// Whether one of them begins there: a route that reads no body need not have
  /// it parsed.
  [[nodiscard]] bool reads(FieldPath::Root root) const;
  /// The values of deviceId that can match at all, where the text says so
  /// (deviceId = 'a', IN [...], joined by AND).
  [[nodiscard]] std::optional<std::vector<std::string>> device_ids() const;

 private:
  explicit Condition(std::shared_ptr<const Expression> root) : root_(std::move(root)) {}
  std::shared_ptr<const Expression> root_;
};

}  // namespace picket::hub
