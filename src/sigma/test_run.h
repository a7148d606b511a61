// One test on one value: shared by the compiled matcher and whoever needs a plain answer.
#pragma once

#include <string_view>

#include <re2/re2.h>

#include "sigma/event.h"
#include "sigma/rule.h"

namespace picket::sigma {

/// The text that a value is compared as; `buffer` holds that of a number. Null: no text.
std::string_view text_of_value(const Value& value, NumberText& buffer);

/// Whether a present value passes. Not for null, exists and field, which are not about one value. `text`: its text.
bool passes(const Test& test, const re2::RE2* regex, const Value& value, std::string_view text);

/// Kind field: whether one value stands in the other as asked.
bool refers(const Test& test, std::string_view text, std::string_view other);

}  // namespace picket::sigma
