// Request properties: what a client, or `set` in a query's text, says beside the query.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace picket::kql {

struct RequestProperty {
  std::string name;
  std::string value;  ///< As a literal or its text: 5, true, 2026-01-02, datetime(2026-01-02); empty: only named.
};

/// What the `set` statements of a query say, in their order; nothing of a text that is not well-formed.
std::vector<RequestProperty> set_statements(std::string_view text);

}  // namespace picket::kql
