// More of a fleet than anybody wants to wait for: the newest block of a workspace, written again as older ones.
#pragma once

#include <cstdint>
#include <string>

#include "base/core/result.h"
#include "base/core/time.h"
#include "workspace/schema.h"

namespace picket::load {

struct Copies {
  std::string directory;     ///< DIR/segments of a closed workspace.
  std::uint64_t blocks = 0;  ///< Older ones to make; the one that is there begins at blocks * records + 1.
  std::uint64_t records = 0;
  Duration span;  ///< Time that a block covers.
};

/// A manifest that says: everything up to `last` is sealed, without rows. For a folder that has none.
Result<> begin_at(const std::string& directory, std::uint64_t last);

/// For each block one segment as a merge would have written it, from what the stream "messages" has: positions and
/// times are moved back by whole blocks. `threads` files at a time. Returns the rows made. Errors: io, internal.
Result<std::uint64_t> make_copies(const Copies& copies, const workspace::Schema& schema, unsigned threads);

}  // namespace picket::load
