// Payload values as values of promoted columns.
#pragma once

#include <optional>
#include <string_view>

#include <simdjson.h>

#include "arena.h"
#include "message/decoder.h"

namespace picket::message {

struct Converted {
  std::optional<Value> value;  ///< nullopt: JSON null, or nothing that the column could hold.
  bool exact;                  ///< Column and JSON path give the same answer.
};

/// Converts `element` for a column of `type`. `raw` is its text where the message had numbers that the parser could not
/// hold (they are strings of filler in `element`), otherwise empty. Text that is kept goes to `arena`.
Converted convert(const simdjson::dom::element& element, std::string_view raw, ColumnType type,
                  SecurityMessage::Arena& arena);

/// Converts text, for values that stand elsewhere than under their key; never exact.
Converted convert_text(std::string_view text, ColumnType type, SecurityMessage::Arena& arena);

}  // namespace picket::message
