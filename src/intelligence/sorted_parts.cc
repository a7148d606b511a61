#include "sorted_parts.h"

#include <algorithm>
#include <tuple>

#include <fcntl.h>
#include <unistd.h>

#include "base/core/byte_writer.h"
#include "base/core/cursor.h"
#include "varint.h"

namespace picket::intelligence {

Result<> SortedParts::add(std::uint64_t hash, Kind kind, std::string_view key, Bytes payload) {
  Part& part = parts_[hash >> 56];
  ByteWriter out(part.memory);
  out.le(hash).u8(static_cast<std::uint8_t>(kind));
  put_text(out, key);
  put_text(out, as_text(payload));
  ++added_;
  if (part.memory.size() >= kPartInMemory) TRY_VOID(spill(part));
  return {};
}

Result<> SortedParts::spill(Part& part) {
  if (!file_.valid()) {
    TRY(file_, open_file(path_, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC));
    if (::unlink(path_.c_str()) != 0) return fail_errno("intelligence.parts.unlink");
  }
  TRY_VOID(write_all_at(file_.get(), part.memory, end_));
  part.blocks.push_back({end_, part.memory.size()});
  end_ += part.memory.size();
  part.memory.clear();
  return {};
}

Result<Buffer> SortedParts::read(const Part& part) const {
  Buffer out;
  std::size_t bytes = part.memory.size();
  for (const Block& block : part.blocks) bytes += block.bytes;
  out.resize(bytes);
  std::size_t at = 0;
  for (const Block& block : part.blocks) {
    for (std::size_t done = 0; done < block.bytes;) {
      const auto got =
          ::pread(file_.get(), out.data() + at + done, block.bytes - done, static_cast<off_t>(block.at + done));
      if (got < 0) return fail_errno("intelligence.parts.read");
      if (got == 0) return fail(Errc::truncated, "intelligence.parts.read", block.at + done);
      done += static_cast<std::size_t>(got);
    }
    at += block.bytes;
  }
  std::ranges::copy(part.memory, out.begin() + static_cast<std::ptrdiff_t>(at));
  return out;
}

Result<> SortedParts::for_each(const Each& each) const {
  struct Entry {
    std::uint64_t hash = 0;
    Kind kind = Kind::ipv4;
    std::string_view key;
    std::string_view payload;
    auto operator<=>(const Entry&) const = default;
  };
  std::vector<Entry> entries;
  std::vector<Bytes> payloads;
  for (const Part& part : parts_) {
    TRY(const Buffer bytes, read(part));
    entries.clear();
    Cursor in{Bytes(bytes)};
    while (!in.empty()) {
      Entry entry;
      TRY(entry.hash, in.le<std::uint64_t>());
      TRY(const auto kind, in.u8());
      entry.kind = static_cast<Kind>(kind);
      TRY(entry.key, get_text(in));
      TRY(entry.payload, get_text(in));
      entries.push_back(entry);
    }
    std::ranges::sort(entries);
    for (std::size_t i = 0; i < entries.size();) {
      payloads.clear();
      const Entry& first = entries[i];
      std::string_view last;
      for (; i < entries.size() &&
             std::tie(entries[i].hash, entries[i].kind, entries[i].key) == std::tie(first.hash, first.kind, first.key);
           ++i) {
        if (payloads.empty() || entries[i].payload != last) payloads.push_back(as_bytes(entries[i].payload));
        last = entries[i].payload;
      }
      TRY_VOID(each(first.hash, first.kind, first.key, payloads));
    }
  }
  return {};
}

}  // namespace picket::intelligence
