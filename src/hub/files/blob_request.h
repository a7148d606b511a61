// What a request to the object storage asks for, and the signature that allows it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/time.h"
#include "hub/files.h"

namespace picket::hub {

/// "/uploads-{hub}/{device}/{name}?…"
inline constexpr std::string_view kContainerPrefix = "uploads-";
inline constexpr std::size_t kBlobTargetBytesMax = 8192;

/// Parts of a signature, decoded; "sr" is always "b": one blob.
struct BlobSignature {
  std::string version;      ///< sv
  std::string permissions;  ///< sp
  std::string expiry;       ///< se, RFC 3339
  std::string signature;    ///< sig, lower-case hex
};

struct BlobRequest {
  BlobAction action{};
  std::string hub;
  std::string name;
  std::string block_id;
  BlobSignature signature;
};

/// Errors: 400004.
HubResult<BlobRequest> parse_blob_request(std::string_view method, std::string_view target);
/// The query of a ticket: "?sv=…&sr=b&sp=rw&se=…&sig=…".
std::string make_blob_signature(Bytes key, std::string_view hub, std::string_view name, Timestamp expiry);
/// Constant time in the signature. Errors: 401003.
HubResult<> verify_blob_signature(Bytes key, const BlobRequest& request, Timestamp now);

/// Error 400004: empty, over kBlobNameBytesMax, not UTF-8, control characters, backslash, or a segment that is empty,
/// "." or "..".
HubResult<> check_blob_name(std::string_view name);

}  // namespace picket::hub
