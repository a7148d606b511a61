// The facts of the specification's JSON Schemas (rules 2.0, correlations 2.1, filters 2.0), checked on the tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sigma/rule.h"
#include "yaml_tree.h"

namespace picket::sigma {

enum class DocumentKind : std::uint8_t { rule, correlation, filter };

/// Which schema a document claims to follow. Throws YamlFault when it is none.
DocumentKind kind_of(const YamlNode& document);

/// Reads and checks what stands beside logsource, detection, correlation and filter. Throws YamlFault.
Head read_head(const YamlNode& document, DocumentKind kind, const std::string& file);
LogSource read_source(const YamlNode& document);

// Words of the readers. `path` names the value: "correlation.timespan".
[[noreturn]] void refuse(const YamlNode& node, std::string what, std::string advice);
/// The text of a scalar. Throws when it is none.
const std::string& text_of(const YamlNode& node, std::string_view path);
/// The member, which must be there.
const YamlNode& member(const YamlNode& map, std::string_view name, std::string_view path);
/// A list of texts without repetition.
std::vector<std::string> texts_of(const YamlNode& node, std::string_view path);
bool truth_of(const YamlNode& node, std::string_view path);
/// Keys that are not in `known` are refused by name.
void only_keys(const YamlNode& map, std::string_view path, std::initializer_list<std::string_view> known);

}  // namespace picket::sigma
