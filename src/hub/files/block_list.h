// The body of Put Block List.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace picket::hub {

/// <BlockList> of <Latest>, <Uncommitted> or <Committed>, each with a block id in base64; an XML declaration, a byte
/// order mark and white space around elements are allowed, nothing else: no attributes, comments, entities. Returns the
/// ids decoded, in order. Errors: malformed (where names the part), limit_exceeded (kBlocksMax, kBlockIdBytesMax);
/// unsupported "files.block_list.committed": blocks that are joined already are not kept.
Result<std::vector<std::string>> parse_block_list(std::string_view xml);

}  // namespace picket::hub
