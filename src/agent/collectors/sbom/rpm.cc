#include "sbom/rpm.h"

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

#include "base/core/cursor.h"

namespace picket::agent {
namespace {

constexpr std::size_t kHeadBytes = 100;
constexpr std::uint8_t kInterior = 0x05, kLeaf = 0x0d;
enum Tag : std::uint32_t {
  kName = 1000,
  kVersion = 1001,
  kRelease = 1002,
  kEpoch = 1003,
  kVendor = 1011,
  kArch = 1022,
  kSourceRpm = 1044
};

/// SQLite's integer of one to nine bytes, seven bits each.
Result<std::uint64_t> varint(Cursor& in) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) {
    TRY(const auto byte, in.u8());
    value = value << 7 | (byte & 0x7fU);
    if ((byte & 0x80U) == 0) return value;
  }
  TRY(const auto last, in.u8());
  return value << 8 | last;
}

/// A column of a record: its bytes, or what is there of them.
struct Column {
  std::uint64_t type = 0;
  Bytes bytes;
};

std::size_t bytes_of(std::uint64_t type) {
  constexpr std::size_t small[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  if (type < 12) return small[type];
  return static_cast<std::size_t>(std::min<std::uint64_t>((type - 12) / 2, std::uint64_t{1} << 40));
}

Result<std::vector<Column>> columns_of(Bytes record) {
  Cursor in{record};
  TRY(const auto head_bytes, varint(in));
  if (head_bytes > record.size() || head_bytes < in.offset()) return fail(Errc::malformed, "agent.rpm.record");
  TRY(Cursor types, in.sub(static_cast<std::size_t>(head_bytes - in.offset())));
  std::vector<Column> out;
  while (!types.empty() && out.size() < 16) {
    Column column;
    TRY(column.type, varint(types));
    TRY(column.bytes, in.take(std::min(bytes_of(column.type), in.remaining())));
    out.push_back(column);
  }
  return out;
}

std::string text_at(Bytes data, std::uint32_t offset) {
  if (offset >= data.size()) return {};
  const auto text = as_text(data.subspan(offset, std::min(data.size() - offset, Package::kTextMax)));
  return std::string(text.substr(0, text.find('\0')));
}

}  // namespace

std::optional<Package> parse_rpm_header(Bytes header) {
  Cursor in{header};
  const auto entries = in.be<std::uint32_t>(), data_bytes = in.be<std::uint32_t>();
  if (!entries || !data_bytes || *entries > in.remaining() / 16) return std::nullopt;
  Cursor index = in.sub(*entries * std::size_t{16}).value_or(Cursor{Bytes{}});
  const Bytes data = in.take_rest();
  Package out{.type = "rpm"};
  std::string release;
  while (index.remaining() >= 16) {
    const auto tag = index.be<std::uint32_t>().value_or(0), type = index.be<std::uint32_t>().value_or(0);
    const auto offset = index.be<std::uint32_t>().value_or(0);
    (void)index.take(4);  // count
    if (tag == kEpoch && type == 4 && offset < data.size()) {
      if (const auto epoch = Cursor{data.subspan(offset)}.be<std::uint32_t>()) out.epoch = std::to_string(*epoch);
    }
    if (type != 6 && type != 9) continue;  // a string, or one in many languages
    switch (tag) {
      case kName:
        out.name = text_at(data, offset);
        break;
      case kVersion:
        out.version = text_at(data, offset);
        break;
      case kRelease:
        release = text_at(data, offset);
        break;
      case kVendor:
        out.vendor = text_at(data, offset);
        break;
      case kArch:
        out.architecture = text_at(data, offset);
        break;
      case kSourceRpm:
        out.source_name = text_at(data, offset);
        break;
      default:
        break;
    }
  }
  if (out.name.empty() || out.version.empty()) return std::nullopt;
  if (!release.empty()) out.version += "-" + release;
  // "bash-5.2.15-3.fc38.src.rpm": name, version and release of the source.
  std::string& source = out.source_name;
  for (const std::string_view end : {".src.rpm", ".nosrc.rpm"}) {
    if (source.ends_with(end)) source.resize(source.size() - end.size());
  }
  const auto last = source.rfind('-');
  const auto before = last == std::string::npos || last == 0 ? std::string::npos : source.rfind('-', last - 1);
  if (before != std::string::npos && before > 0) {
    out.source_version = source.substr(before + 1);
    source.resize(before);
  }
  if (out.source_version == out.version) out.source_version.clear();
  if (source == out.name && out.source_version.empty()) source.clear();
  return out;
}

Result<RpmDatabase> RpmDatabase::open(const std::string& root) {
  for (const std::string folder : {"/usr/lib/sysimage/rpm/", "/var/lib/rpm/"}) {
    const std::string path = root + folder;
    if (access((path + "rpmdb.sqlite").c_str(), F_OK) == 0) return open_sqlite(path + "rpmdb.sqlite");
    if (access((path + "Packages.db").c_str(), F_OK) == 0) return fail(Errc::unsupported, "agent.sbom.rpm_ndb");
    if (access((path + "Packages").c_str(), F_OK) == 0) return fail(Errc::unsupported, "agent.sbom.rpm_berkeley_db");
  }
  return fail(Errc::not_found, "agent.sbom.rpm");
}

Result<RpmDatabase> RpmDatabase::open_sqlite(const std::string& path) {
  RpmDatabase out;
  TRY(out.file_, open_file(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  Buffer head(kHeadBytes);
  if (pread(out.file_.get(), head.data(), head.size(), 0) != static_cast<ssize_t>(head.size())) {
    return fail(Errc::truncated, "agent.rpm.head");
  }
  if (as_text(Bytes(head).first(16)) != std::string_view("SQLite format 3\0", 16)) {
    return fail(Errc::malformed, "agent.rpm.magic");
  }
  TRY(const auto page_bytes, Cursor{Bytes(head).subspan(16)}.be<std::uint16_t>());
  out.page_bytes_ = page_bytes == 1 ? 65536 : page_bytes;
  if (out.page_bytes_ < 512 || (out.page_bytes_ & (out.page_bytes_ - 1)) != 0)
    return fail(Errc::malformed, "agent.rpm.page_bytes");
  const auto reserved = static_cast<std::size_t>(head[20]);
  if (reserved + 480 > out.page_bytes_) return fail(Errc::malformed, "agent.rpm.reserved");
  if (Cursor{Bytes(head).subspan(56)}.be<std::uint32_t>().value_or(0) > 1)
    return fail(Errc::unsupported, "agent.rpm.encoding");
  out.usable_bytes_ = out.page_bytes_ - reserved;
  TRY_VOID(out.find_table());
  return out;
}

Result<Buffer> RpmDatabase::page(std::uint32_t number) {
  if (number == 0 || number > std::uint32_t{1} << 24) return fail(Errc::malformed, "agent.rpm.page_number");
  if (++pages_read_ > kPagesMax) return fail(Errc::limit_exceeded, "agent.rpm.pages");
  Buffer out(page_bytes_);
  const auto at = static_cast<off_t>(number - 1) * static_cast<off_t>(page_bytes_);
  if (pread(file_.get(), out.data(), out.size(), at) != static_cast<ssize_t>(out.size())) {
    return fail(Errc::truncated, "agent.rpm.page", static_cast<std::uint64_t>(at));
  }
  return out;
}

template <class Each>
Result<> RpmDatabase::visit(std::uint32_t number, Each each) {
  TRY(const Buffer whole, page(number));
  const std::size_t head_at = number == 1 ? kHeadBytes : 0;
  Cursor head{Bytes(whole).subspan(head_at)};
  TRY(const auto type, head.u8());
  (void)head.take(2);
  TRY(const auto cells, head.be<std::uint16_t>());
  (void)head.take(3);
  if (type != kInterior && type != kLeaf) return fail(Errc::malformed, "agent.rpm.page_type");
  const auto wait_for = [this](std::uint32_t child) {
    if (waiting_.size() < kWaitingMax) waiting_.push_back(child);
  };
  if (type == kInterior) {
    TRY(const auto last, head.be<std::uint32_t>());
    wait_for(last);
  }
  for (std::uint16_t i = 0; i < cells; ++i) {
    TRY(const auto at, head.be<std::uint16_t>());
    if (at >= whole.size()) return fail(Errc::malformed, "agent.rpm.cell");
    if (type == kInterior) {
      TRY(const auto child, Cursor{Bytes(whole).subspan(at)}.be<std::uint32_t>());
      wait_for(child);
    } else {
      TRY(const Buffer payload, payload_of(whole, at));
      each(Bytes(payload));
    }
  }
  return {};
}

Result<Buffer> RpmDatabase::payload_of(Bytes whole, std::size_t at) {
  Cursor in{whole.first(usable_bytes_)};
  (void)in.take(at);
  TRY(const auto bytes, varint(in));
  TRY_VOID(varint(in));  // row id
  const std::uint64_t local_max = usable_bytes_ - 35, local_min = (usable_bytes_ - 12) * 32 / 255 - 23;
  std::uint64_t local = bytes;
  if (bytes > local_max) {
    local = local_min + (bytes - local_min) % (usable_bytes_ - 4);
    if (local > local_max) local = local_min;
  }
  TRY(const Bytes front, in.take(static_cast<std::size_t>(local)));
  Buffer out(front.begin(), front.end());
  if (local == bytes) return out;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kHeaderBytesMax));
  TRY(auto next, in.be<std::uint32_t>());
  while (next != 0 && out.size() < wanted) {
    TRY(const Buffer overflow, page(next));
    Cursor rest{Bytes(overflow).first(usable_bytes_)};
    TRY(next, rest.be<std::uint32_t>());
    append(out, rest.take(std::min(rest.remaining(), wanted - out.size())).value_or(Bytes{}));
  }
  return out;
}

Result<> RpmDatabase::find_table() {
  std::uint32_t root = 0;
  waiting_ = {1};
  while (!waiting_.empty() && root == 0) {
    const std::uint32_t number = waiting_.back();
    waiting_.pop_back();
    TRY_VOID(visit(number, [&](Bytes record) {
      const auto columns = columns_of(record);
      if (!columns || columns->size() < 4) return;
      // type, name, table, root page
      if (as_text((*columns)[0].bytes) != "table" || as_text((*columns)[1].bytes) != "Packages") return;
      const Bytes number_bytes = (*columns)[3].bytes;
      std::uint64_t value = 0;
      for (const std::byte byte : number_bytes.first(std::min<std::size_t>(number_bytes.size(), 8)))
        value = value << 8 | static_cast<std::uint8_t>(byte);
      root = static_cast<std::uint32_t>(std::min<std::uint64_t>(value, 0xffffffff));
    }));
  }
  waiting_.clear();
  if (root == 0) return fail(Errc::malformed, "agent.rpm.table");
  waiting_.push_back(root);
  return {};
}

Result<bool> RpmDatabase::step(const PackageSink& sink) {
  if (waiting_.empty()) return false;
  const std::uint32_t number = waiting_.back();
  waiting_.pop_back();
  TRY_VOID(visit(number, [&](Bytes record) {
    const auto columns = columns_of(record);
    if (!columns || columns->size() < 2) return;
    // gpg-pubkey is no software, but rpm keeps keys as if they were.
    if (const auto package = parse_rpm_header((*columns)[1].bytes); package && package->name != "gpg-pubkey")
      sink(*package);
  }));
  return !waiting_.empty();
}

}  // namespace picket::agent
