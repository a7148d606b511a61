// MaxMind DB file format 2.0: a binary tree over the bits of an address, then a section of typed values, then metadata
// behind a marker (the format's published specification, sections "Binary Search Tree", "Output Data" and "Metadata").
#include "kql/location.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include <arpa/inet.h>

#include "base/core/cursor.h"
#include "base/core/encoding.h"
#include "native_json.h"

namespace picket::kql {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMarker = "\xAB\xCD\xEFMaxMind.com"sv;
constexpr std::size_t kMetadataBytesMax = 128 * 1024;
constexpr std::size_t kSeparatorBytes = 16;
constexpr int kDepthMax = 16;
constexpr int kStepsMax = 4'096;  ///< Values that one look-up may pass.

enum class Kind : std::uint8_t {
  extended,
  pointer,
  text,
  real64,
  bytes,
  uint16,
  uint32,
  map,
  int32,
  uint64,
  uint128,
  array,
  container,
  end,
  boolean,
  real32
};

struct Head {
  Kind kind;
  std::uint32_t size;  ///< Bytes, or entries; of a pointer: where it leads.
};

/// Reads values of a section. Pointers count from the start of the section.
class Section {
 public:
  explicit Section(std::string_view bytes) : bytes_(bytes) {}

  /// The value below `at` that the keys lead to ("0": the first of an array); nullopt: there is none.
  std::optional<std::size_t> walk(std::size_t at, std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) {
      const auto next = member(at, key);
      if (!next) return std::nullopt;
      at = *next;
    }
    return at;
  }
  std::optional<std::string_view> text(std::size_t at) {
    const auto head = resolve(at);
    if (!head || head->kind != Kind::text || head->size > bytes_.size() - at) return std::nullopt;
    return bytes_.substr(at, head->size);
  }
  std::optional<double> real(std::size_t at) {
    const auto head = resolve(at);
    if (!head) return std::nullopt;
    Cursor in(bytes_.substr(at));
    if (head->kind == Kind::real64 && head->size == 8) {
      const auto bits = in.be<std::uint64_t>();
      return bits ? std::optional(std::bit_cast<double>(*bits)) : std::nullopt;
    }
    if (head->kind == Kind::real32 && head->size == 4) {
      const auto bits = in.be<std::uint32_t>();
      return bits ? std::optional<double>(std::bit_cast<float>(*bits)) : std::nullopt;
    }
    return std::nullopt;
  }
  std::optional<std::uint64_t> whole(std::size_t at) {
    const auto head = resolve(at);
    if (!head || head->size > 8 || head->size > bytes_.size() - at) return std::nullopt;
    if (head->kind != Kind::uint16 && head->kind != Kind::uint32 && head->kind != Kind::uint64) return std::nullopt;
    std::uint64_t out = 0;
    for (const char c : bytes_.substr(at, head->size)) out = out << 8U | static_cast<unsigned char>(c);
    return out;
  }

 private:
  /// Reads the control bytes at `at` and moves behind them.
  std::optional<Head> head(std::size_t& at) {
    if (--steps_ < 0 || at >= bytes_.size()) return std::nullopt;
    Cursor in(bytes_.substr(at));
    const auto control = *in.u8();
    auto kind = static_cast<std::uint8_t>(control >> 5U);
    std::uint32_t size = control & 0x1FU;
    const auto more = [&](int count) -> std::optional<std::uint32_t> {
      std::uint32_t out = 0;
      for (int i = 0; i < count; ++i) {
        const auto byte = in.u8();
        if (!byte) return std::nullopt;
        out = out << 8U | *byte;
      }
      return out;
    };
    if (kind == static_cast<std::uint8_t>(Kind::pointer)) {
      constexpr std::array<std::uint32_t, 4> kBase = {0, 2'048, 526'336, 0};
      const auto length = size >> 3U;
      const auto rest = more(static_cast<int>(length) + 1);
      if (!rest) return std::nullopt;
      const auto high = length == 3 ? 0 : (size & 7U) << (8 * (length + 1));
      at = bytes_.size() - in.remaining();
      return Head{Kind::pointer, high + *rest + kBase.at(length)};
    }
    if (kind == 0) {
      const auto extended = in.u8();
      if (!extended || *extended == 0 || *extended > 8) return std::nullopt;
      kind = static_cast<std::uint8_t>(7 + *extended);
    }
    if (size >= 29) {
      constexpr std::array<std::uint32_t, 3> kAdd = {29, 285, 65'821};
      const auto extra = more(static_cast<int>(size) - 28);
      if (!extra) return std::nullopt;
      size = kAdd.at(size - 29) + *extra;
    }
    at = bytes_.size() - in.remaining();
    return Head{static_cast<Kind>(kind), size};
  }
  /// As head(), behind a pointer, which must not lead to another.
  std::optional<Head> resolve(std::size_t& at) {
    auto out = head(at);
    if (!out || out->kind != Kind::pointer) return out;
    at = out->size;
    out = head(at);
    return out && out->kind == Kind::pointer ? std::nullopt : out;
  }
  bool skip(std::size_t& at, int depth) {
    const auto one = head(at);
    if (!one || depth > kDepthMax) return false;
    switch (one->kind) {
      case Kind::pointer:
      case Kind::boolean:
        return true;
      case Kind::map:
      case Kind::array:
        for (std::uint32_t i = 0; i < one->size; ++i) {
          if (one->kind == Kind::map && !skip(at, depth + 1)) return false;
          if (!skip(at, depth + 1)) return false;
        }
        return true;
      case Kind::container:
      case Kind::end:
      case Kind::extended:
        return false;
      default:
        if (one->size > bytes_.size() - at) return false;
        at += one->size;
        return true;
    }
  }
  std::optional<std::size_t> member(std::size_t at, std::string_view key) {
    const auto one = resolve(at);
    if (!one) return std::nullopt;
    if (one->kind == Kind::array) return one->size > 0 && key == "0" ? std::optional(at) : std::nullopt;
    if (one->kind != Kind::map) return std::nullopt;
    for (std::uint32_t i = 0; i < one->size; ++i) {
      const auto name = text(at);
      if (!name || !skip(at, 0)) return std::nullopt;
      if (*name == key) return at;
      if (!skip(at, 0)) return std::nullopt;
    }
    return std::nullopt;
  }

  std::string_view bytes_;
  int steps_ = kStepsMax;
};

/// The bits of an address, and how many.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  bool ipv4 = false;
};

std::optional<Address> read_address(std::string_view text) {
  std::array<char, 64> buffer{};
  if (text.empty() || text.size() >= buffer.size()) return std::nullopt;
  text.copy(buffer.data(), text.size());
  Address out;
  if (::inet_pton(AF_INET, buffer.data(), out.bytes.data()) == 1) {
    out.ipv4 = true;
    return out;
  }
  if (::inet_pton(AF_INET6, buffer.data(), out.bytes.data()) != 1) return std::nullopt;
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), out.bytes.begin())) {
    std::copy(out.bytes.begin() + 12, out.bytes.end(), out.bytes.begin());
    out.ipv4 = true;
  }
  return out;
}

}  // namespace

std::uint32_t LocationDatabase::child(std::uint32_t node, unsigned bit) const {
  const auto at = std::size_t{node} * record_bits_ / 4;
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes_[at + i])}; };
  if (record_bits_ == 28) {
    return bit == 0 ? (byte(3) >> 4U) << 24U | byte(0) << 16U | byte(1) << 8U | byte(2)
                    : (byte(3) & 0xFU) << 24U | byte(4) << 16U | byte(5) << 8U | byte(6);
  }
  const std::size_t width = record_bits_ / 8;
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < width; ++i) out = out << 8U | byte(bit * width + i);
  return out;
}

Result<LocationDatabase> LocationDatabase::open(std::string bytes) {
  if (bytes.size() > kLocationBytesMax) return fail(Errc::limit_exceeded, "kql.location.size");
  const auto tail = bytes.size() > kMetadataBytesMax ? bytes.size() - kMetadataBytesMax : 0;
  const auto marker = std::string_view(bytes).substr(tail).rfind(kMarker);
  if (marker == std::string_view::npos) return fail(Errc::malformed, "kql.location.marker");
  Section metadata(std::string_view(bytes).substr(tail + marker + kMarker.size()));
  const auto number = [&](std::string_view key) -> std::optional<std::uint64_t> {
    const auto at = metadata.walk(0, {key});
    return at ? metadata.whole(*at) : std::nullopt;
  };
  const auto version = number("binary_format_major_version");
  const auto nodes = number("node_count");
  const auto record = number("record_size");
  const auto ip_version = number("ip_version");
  const auto type = metadata.walk(0, {"database_type"});
  if (!version || !nodes || !record || !ip_version || !type) return fail(Errc::malformed, "kql.location.metadata");
  if (*version != 2) return fail(Errc::unsupported, "kql.location.version");
  if ((*record != 24 && *record != 28 && *record != 32) || (*ip_version != 4 && *ip_version != 6)) {
    return fail(Errc::malformed, "kql.location.metadata");
  }
  if (*nodes == 0 || *nodes > bytes.size() || *nodes * *record / 4 + kSeparatorBytes > tail + marker) {
    return fail(Errc::malformed, "kql.location.tree");
  }
  LocationDatabase out;
  out.type_ = metadata.text(*type).value_or("");
  out.nodes_ = static_cast<std::uint32_t>(*nodes);
  out.record_bits_ = static_cast<std::uint32_t>(*record);
  out.ip_version_ = static_cast<std::uint32_t>(*ip_version);
  out.data_ = *nodes * *record / 4 + kSeparatorBytes;
  out.bytes_ = std::move(bytes);
  if (out.ip_version_ == 6) {
    for (int i = 0; i < 96 && out.ipv4_start_ < out.nodes_; ++i) out.ipv4_start_ = out.child(out.ipv4_start_, 0);
  }
  return out;
}

std::optional<std::string> LocationDatabase::find(std::string_view address) const {
  const auto read = read_address(address);
  if (!read || (!read->ipv4 && ip_version_ == 4)) return std::nullopt;
  std::uint32_t node = read->ipv4 ? ipv4_start_ : 0;
  const unsigned bits = read->ipv4 ? 32 : 128;
  for (unsigned i = 0; i < bits && node < nodes_; ++i) node = child(node, read->bytes.at(i / 8) >> (7 - i % 8) & 1U);
  if (node <= nodes_) return std::nullopt;  // equal: the database says that it has nothing
  const std::size_t at = std::size_t{node} - nodes_ - kSeparatorBytes;
  const auto section = std::string_view(bytes_).substr(data_);
  if (std::size_t{node} - nodes_ < kSeparatorBytes || at >= section.size()) return std::nullopt;

  Section data(section);
  std::vector<std::string> values;
  values.reserve(5);
  JsonMembers members;
  const auto add = [&](std::string_view name, std::string value) {
    values.push_back(std::move(value));
    members.emplace_back(name, values.back());
  };
  const auto name = [&](std::string_view key, std::initializer_list<std::string_view> path) {
    const auto found = data.walk(at, path);
    const auto text = found ? data.text(*found) : std::nullopt;
    if (text && is_utf8(*text)) add(key, json_text(*text));
  };
  const auto coordinate = [&](std::string_view key) {
    const auto found = data.walk(at, {"location"sv, key});
    const auto number = found ? data.real(*found) : std::nullopt;
    if (number && std::isfinite(*number)) add(key, json_number(*number));
  };
  name("country", {"country", "names", "en"});
  name("state", {"subdivisions", "0", "names", "en"});
  name("city", {"city", "names", "en"});
  coordinate("latitude");
  coordinate("longitude");
  return members.empty() ? std::nullopt : std::optional(json_object(members));
}

}  // namespace picket::kql
