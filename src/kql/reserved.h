// Words that cannot be names unless they stand in brackets: ['by'].
#pragma once

#include <cstdint>
#include <string_view>

namespace picket::kql {

/// A name is either given (`extend x = ...`, a schema, a parameter) or refers to something that has one.
enum class NameUse : std::uint8_t { given, referred };

/// Whether the language takes `word` for itself where a name of this use could stand. Most words of the language are
/// names as well (`count`, `type`, `step`); which are not is what the official parser says (docs/kql.md, How this is
/// known).
[[nodiscard]] bool needs_brackets(std::string_view word, NameUse use);

}  // namespace picket::kql
