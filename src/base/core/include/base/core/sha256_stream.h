// SHA-256 of what comes in parts.
#pragma once

#include "base/core/bytes.h"
#include "base/core/crypto.h"

namespace picket {

/// One digest: add() as often as there are parts, then finish() once. Linked as sha256() is.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;

  void add(Bytes part);
  Sha256 finish();

 private:
  void* state_;  ///< Of the library behind it.
};

}  // namespace picket
