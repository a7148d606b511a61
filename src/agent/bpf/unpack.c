#include "unpack.h"

#include <stdlib.h>
#include <zlib.h>

void *picket_bpf_unpack(const unsigned char *packed, unsigned packed_bytes, unsigned bytes) {
  z_stream stream = {0};
  unsigned char *out = malloc(bytes);
  if (!out || inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    free(out);
    return 0;
  }
  stream.next_in = (unsigned char *)packed; /* zlib does not write to its input */
  stream.avail_in = packed_bytes;
  stream.next_out = out;
  stream.avail_out = bytes;
  const int status = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (status == Z_STREAM_END && stream.avail_out == 0) return out;
  free(out);
  return 0;
}
