// What an action of response comes to.
#pragma once

#include <string>

namespace picket::agent {

/// `status` as HTTP: 200 done; 400 bad arguments, 404 nothing to act on, 409 not now, 500 the device said no.
struct ActionResult {
  int status = 200;
  std::string message;    ///< For people, also when it was done.
  std::string details{};  ///< Members of a JSON object, joined by commas; empty: none.
};

}  // namespace picket::agent
