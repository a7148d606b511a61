// Answers of the server as JSON values.
#pragma once

#include <string>

#include <boost/json.hpp>

#include "client.h"

namespace picket::cli {

inline Outcome<boost::json::value> parse(const Outcome<std::string>& answer) {
  if (!answer) return std::unexpected(answer.error());
  boost::system::error_code failed;
  boost::json::value out = boost::json::parse(*answer, failed);
  if (failed) return std::unexpected(Failure{Exit::failed, "the server's answer is not JSON: " + failed.message()});
  return out;
}

/// The member array, or an empty one.
inline const boost::json::array& items_of(const boost::json::value& object, const char* name = "items") {
  static const boost::json::array empty;
  const auto* fields = object.if_object();
  const auto* found = fields == nullptr ? nullptr : fields->if_contains(name);
  return found != nullptr && found->is_array() ? found->get_array() : empty;
}

}  // namespace picket::cli
