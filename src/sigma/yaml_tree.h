// YAML documents as a bounded tree: hostile text costs at most what the bounds below allow.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace picket::sigma {

inline constexpr std::size_t kFileBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kDocumentsMax = 4'096;     ///< In one file.
inline constexpr std::size_t kYamlDepthMax = 32;        ///< Lists and maps inside one another.
inline constexpr std::size_t kYamlNodesMax = 100'000;   ///< Of one document, each alias counted as what it stands for.
inline constexpr std::size_t kScalarBytesMax = 65'536;  ///< One text.

/// One node. Aliases share their node; kYamlNodesMax bounds what a walk over the tree visits.
struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  using Pointer = std::shared_ptr<const YamlNode>;

  Kind kind = Kind::null;
  bool plain = false;  ///< A scalar without quotation marks: it may be a number, a truth value or null.
  std::uint32_t line = 0;
  std::string text;                                         ///< Of a scalar.
  std::vector<Pointer> items;                               ///< Of a list; of a map, its values.
  std::vector<std::pair<std::string, std::uint32_t>> keys;  ///< Of a map: name and line, in the order of `items`.

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  /// The value of a key; nullptr when absent or no map.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

/// Thrown while a document is read, and turned into a Complaint at the reader's edge.
struct YamlFault {
  std::uint32_t line = 0;
  std::string what;
  std::string advice;
};

/// All documents of a text. What is broken as YAML ends the file: `fault` then says why, and the documents before it
/// stand. Empty documents are left out.
struct YamlFile {
  std::vector<YamlNode::Pointer> documents;
  std::vector<YamlFault> faults;  ///< At most one.
};
YamlFile read_yaml(std::string_view text);

}  // namespace picket::sigma
