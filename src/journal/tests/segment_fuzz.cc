// Claim: whatever the bytes, what the segment reader returns tiles the input without overlap, sequences only grow, and
// each record returned is one that encoding and sealing gives back byte for byte (so its CRC is right).
#include <algorithm>
#include <cstdlib>

#include "segment_reader.h"

namespace {

using namespace picket;
using namespace picket::journal;

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(bytes) {}
  Result<> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > bytes_.size() || bytes_.size() - offset < out.size()) std::abort();  // asked for what is not there
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }

 private:
  Bytes bytes_;
};

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto all = std::as_bytes(std::span(data, size));
  if (const auto header = parse_file_header(all)) {
    const auto again = parse_file_header(encode_file_header(*header));
    require(again && again->first_sequence == header->first_sequence && again->salt == header->salt);
  }
  if (size < 2) return 0;
  // The first byte tells how many records from here on get a right CRC, so that the fuzzer reaches what lies behind it.
  Buffer bytes(all.begin() + 1, all.end());
  std::size_t at = 0;
  for (unsigned repaired = data[0]; repaired > 0; --repaired) {
    const auto length = announced_size(Bytes(bytes).subspan(at));
    if (!length || *length > bytes.size() - at) break;
    seal_records(std::span(bytes).subspan(at, *length), 7);
    at += *length;
  }
  const MemorySource source{Bytes(bytes)};
  SegmentReader reader(source, 7, 0, 1);
  std::uint64_t offset = 0;
  std::uint64_t sequence = 1;
  for (;;) {
    const auto item = reader.next(bytes.size());
    require(item.has_value() && item->begin == offset && item->end >= item->begin && item->end <= bytes.size());
    if (item->kind == SegmentItem::Kind::record) {
      std::vector<Property> properties;
      parse_properties(item->record, properties);
      RecordView record = item->record.view;
      require(record.id.sequence == sequence && properties.size() == item->record.property_count);
      record.properties = properties;
      Buffer again;
      encode_record(record, record.id.sequence, again);
      seal_records(again, 7);
      require(std::ranges::equal(again, Bytes(bytes).subspan(offset, item->end - offset)));
      ++sequence;
    } else if (item->kind == SegmentItem::Kind::corrupt) {
      require(item->next_sequence >= sequence && (item->end > offset || item->next_sequence > sequence));
      sequence = item->next_sequence;
      reader.skip(*item);
    } else {
      require(item->end == bytes.size());
      return 0;
    }
    offset = item->end;
  }
}
