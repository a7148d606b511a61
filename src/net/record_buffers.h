// OpenSSL's record buffers, kept by thread. With SSL_MODE_RELEASE_BUFFERS it takes one of 16 KiB for each read and
// write and gives it back at once, which costs the general allocator more than a small message costs TLS.
#pragma once

namespace picket::net {

/// True: OpenSSL allocates through this module since before main(). False: somebody was faster, and nothing changes.
[[nodiscard]] bool keeps_record_buffers();

}  // namespace picket::net
