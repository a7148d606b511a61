#include "json_check.h"

#include <simdjson.h>

namespace picket::hub {

bool is_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  return parser.parse(simdjson::padded_string(text)).get(element) == simdjson::SUCCESS;
}

}  // namespace picket::hub
