#pragma once

#include <cstdint>

namespace picket::pipeline {

/// What is done with a record.
enum class Pass : std::uint8_t {
  whole,      ///< Everything, as records come.
  rows,       ///< Its rows only: a replay makes those first, since they are quickly there again.
  detection,  ///< What `rows` has left out.
};

}  // namespace picket::pipeline
