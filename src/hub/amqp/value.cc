#include "value.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "base/core/byte_writer.h"

namespace picket::hub::amqp {
namespace {

// Format codes, AMQP 1.0 part 1.6. The high nibble tells the width.
enum Code : std::uint8_t {
  kDescribed = 0x00,
  kNull = 0x40,
  kTrue = 0x41,
  kFalse = 0x42,
  kUint0 = 0x43,
  kUlong0 = 0x44,
  kList0 = 0x45,
  kUbyte = 0x50,
  kByte = 0x51,
  kUintSmall = 0x52,
  kUlongSmall = 0x53,
  kIntSmall = 0x54,
  kLongSmall = 0x55,
  kBoolean = 0x56,
  kUshort = 0x60,
  kShort = 0x61,
  kUint = 0x70,
  kInt = 0x71,
  kFloat = 0x72,
  kUlong = 0x80,
  kLong = 0x81,
  kDouble = 0x82,
  kTimestamp = 0x83,
  kUuid = 0x98,
  kBinary8 = 0xa0,
  kString8 = 0xa1,
  kSymbol8 = 0xa3,
  kBinary32 = 0xb0,
  kString32 = 0xb1,
  kSymbol32 = 0xb3,
  kList8 = 0xc0,
  kMap8 = 0xc1,
  kList32 = 0xd0,
  kMap32 = 0xd1,
  kArray8 = 0xe0,
  kArray32 = 0xf0,
};

constexpr std::int64_t kTimestampMsMax = kTimestampMax.us / 1000;

/// How deep a value stands, and how many more the whole may hold: an array of nulls takes no bytes an element.
struct Place {
  int depth;
  std::size_t* elements_left;
  [[nodiscard]] Place inside() const { return {depth + 1, elements_left}; }
};

Result<Value> read(Cursor& in, Place place);
Result<Value> read_body(Cursor& in, std::uint8_t code, Place place);

/// Length of a variable or compound value: one byte, or four.
Result<std::size_t> read_size(Cursor& in, bool wide) {
  if (!wide) {
    TRY(const auto size, in.u8());
    return std::size_t{size};
  }
  TRY(const auto size, in.be<std::uint32_t>());
  return std::size_t{size};
}

bool is_wide(std::uint8_t code) { return (code & 0x10) != 0; }

Result<std::size_t> read_count(Cursor& in, bool wide, Place place) {
  TRY(const auto count, read_size(in, wide));
  if (count > *place.elements_left) return fail(Errc::limit_exceeded, "amqp.value.count", in.offset());
  *place.elements_left -= count;
  return count;
}

Result<Value> read_list(Cursor in, bool wide, Place place) {
  TRY(const auto count, read_count(in, wide, place));
  List out;
  for (std::size_t i = 0; i < count; ++i) {
    TRY(auto element, read(in, place.inside()));
    out.push_back(std::move(element));
  }
  return Value(std::move(out));
}

Result<Value> read_map(Cursor in, bool wide, Place place) {
  TRY(const auto count, read_count(in, wide, place));
  if (count % 2 != 0) return fail(Errc::malformed, "amqp.value.map", in.offset());
  Map out;
  for (std::size_t i = 0; i < count; i += 2) {
    TRY(auto key, read(in, place.inside()));
    TRY(auto value, read(in, place.inside()));
    out.push_back({std::move(key), std::move(value)});
  }
  return Value(std::move(out));
}

Result<Value> read_array(Cursor in, bool wide, Place place) {
  TRY(const auto count, read_count(in, wide, place));
  if (count == 0) return Value(List{});
  TRY(const auto code, in.u8());
  if (code == kDescribed) return fail(Errc::unsupported, "amqp.value.array", in.offset());
  List out;
  for (std::size_t i = 0; i < count; ++i) {
    TRY(auto element, read_body(in, code, place.inside()));
    out.push_back(std::move(element));
  }
  return Value(std::move(out));
}

Result<Value> read_described(Cursor& in, Place place) {
  TRY(const auto descriptor, read(in, place.inside()));
  TRY(auto value, read(in, place.inside()));
  Described out{.descriptor = to_text(descriptor), .value = {}};
  out.value.push_back(std::move(value));
  return Value(std::move(out));
}

template <class Unsigned>
Result<Value> read_signed(Cursor& in) {
  TRY(const auto bits, in.be<Unsigned>());
  const auto number = static_cast<std::make_signed_t<Unsigned>>(bits);
  if constexpr (sizeof(Unsigned) == 8) {
    return Value(static_cast<std::int64_t>(number));
  } else {
    return Value(static_cast<std::int32_t>(number));
  }
}

template <class Unsigned>
Result<Value> read_unsigned(Cursor& in) {
  TRY(const auto number, in.be<Unsigned>());
  return Value(static_cast<std::uint64_t>(number));
}

Result<Value> read_fixed(Cursor& in, std::uint8_t code) {
  switch (code) {
    case kUbyte:
    case kUintSmall:
    case kUlongSmall:
      return read_unsigned<std::uint8_t>(in);
    case kByte:
    case kIntSmall:
      return read_signed<std::uint8_t>(in);
    case kLongSmall: {
      TRY(const auto bits, in.u8());
      return Value(static_cast<std::int64_t>(static_cast<std::int8_t>(bits)));
    }
    case kBoolean: {
      TRY(const auto bits, in.u8());
      return Value(bits != 0);
    }
    case kUshort:
      return read_unsigned<std::uint16_t>(in);
    case kShort:
      return read_signed<std::uint16_t>(in);
    case kUint:
      return read_unsigned<std::uint32_t>(in);
    case kInt:
      return read_signed<std::uint32_t>(in);
    case kFloat: {
      TRY(const auto bits, in.be<std::uint32_t>());
      return Value(static_cast<double>(std::bit_cast<float>(bits)));
    }
    case kUlong:
      return read_unsigned<std::uint64_t>(in);
    case kLong:
      return read_signed<std::uint64_t>(in);
    case kDouble: {
      TRY(const auto bits, in.be<std::uint64_t>());
      return Value(std::bit_cast<double>(bits));
    }
    case kTimestamp: {
      TRY(const auto bits, in.be<std::uint64_t>());
      const auto ms = static_cast<std::int64_t>(bits);
      return Value(Timestamp{std::clamp(ms, kTimestampMin.us / 1000, kTimestampMsMax) * 1000});
    }
    case kUuid: {
      TRY(const auto bytes, in.take(16));
      Uuid out{};
      std::ranges::copy(bytes, out.begin());
      return Value(out);
    }
    default: {
      constexpr std::array<std::size_t, 6> kWidths = {0, 1, 2, 4, 8, 16};
      TRY_VOID(in.take(kWidths[(code >> 4) - 4]));  // character, decimal, or a code of later versions
      return Value();
    }
  }
}

Result<Value> read_body(Cursor& in, std::uint8_t code, Place place) {
  if (place.depth > kValueDepthMax) return fail(Errc::limit_exceeded, "amqp.value.depth", in.offset());
  switch (code >> 4) {
    case 0x4:
      if (code == kTrue || code == kFalse) return Value(code == kTrue);
      if (code == kUint0 || code == kUlong0) return Value(std::uint64_t{0});
      if (code == kList0) return Value(List{});
      if (code == kNull) return Value();
      break;
    case 0x5:
    case 0x6:
    case 0x7:
    case 0x8:
    case 0x9:
      return read_fixed(in, code);
    case 0xa:
    case 0xb: {
      TRY(const auto size, read_size(in, is_wide(code)));
      TRY(const auto bytes, in.take(size));
      if (code == kString8 || code == kString32) return Value(as_text(bytes));
      if (code == kSymbol8 || code == kSymbol32) return Value(Symbol{std::string(as_text(bytes))});
      return Value(Buffer(bytes.begin(), bytes.end()));
    }
    case 0xc:
    case 0xd:
    case 0xe:
    case 0xf: {
      const bool wide = is_wide(code);
      TRY(const auto size, read_size(in, wide));
      TRY(const auto inside, in.sub(size));
      if (code == kList8 || code == kList32) return read_list(inside, wide, place);
      if (code == kMap8 || code == kMap32) return read_map(inside, wide, place);
      if (code == kArray8 || code == kArray32) return read_array(inside, wide, place);
      break;
    }
    default:
      break;
  }
  return fail(Errc::malformed, "amqp.value.code", in.offset());
}

Result<Value> read(Cursor& in, Place place) {
  if (place.depth > kValueDepthMax) return fail(Errc::limit_exceeded, "amqp.value.depth", in.offset());
  TRY(const auto code, in.u8());
  if (code == kDescribed) return read_described(in, place);
  return read_body(in, code, place);
}

void write_sized(Buffer& out, std::uint8_t narrow, std::uint8_t wide, Bytes bytes) {
  ByteWriter writer(out);
  if (bytes.size() <= 0xff) {
    writer.u8(narrow).u8(static_cast<std::uint8_t>(bytes.size()));
  } else {
    writer.u8(wide).be(static_cast<std::uint32_t>(bytes.size()));
  }
  writer.bytes(bytes);
}

void write_compound(Buffer& out, std::uint8_t code, std::size_t count, Bytes elements) {
  ByteWriter(out)
      .u8(code)
      .be(static_cast<std::uint32_t>(elements.size() + 4))
      .be(static_cast<std::uint32_t>(count))
      .bytes(elements);
}

struct Writer {
  Buffer& out;

  void operator()(std::monostate) const { ByteWriter(out).u8(kNull); }
  void operator()(bool value) const { ByteWriter(out).u8(value ? kTrue : kFalse); }
  void operator()(std::int32_t value) const { ByteWriter(out).u8(kInt).be(static_cast<std::uint32_t>(value)); }
  void operator()(std::int64_t value) const { ByteWriter(out).u8(kLong).be(static_cast<std::uint64_t>(value)); }
  void operator()(std::uint64_t value) const { ByteWriter(out).u8(kUlong).be(value); }
  void operator()(double value) const { ByteWriter(out).u8(kDouble).be(std::bit_cast<std::uint64_t>(value)); }
  void operator()(const std::string& value) const { write_sized(out, kString8, kString32, as_bytes(value)); }
  void operator()(const Symbol& value) const { write_sized(out, kSymbol8, kSymbol32, as_bytes(value.text)); }
  void operator()(const Buffer& value) const { write_sized(out, kBinary8, kBinary32, value); }
  void operator()(const Uuid& value) const { ByteWriter(out).u8(kUuid).bytes(value); }
  void operator()(Timestamp value) const {
    ByteWriter(out).u8(kTimestamp).be(static_cast<std::uint64_t>(value.us / 1000));
  }
  void operator()(const List& list) const {
    Buffer inside;
    for (const auto& element : list) write_value(inside, element);
    write_compound(out, kList32, list.size(), inside);
  }
  void operator()(const Map& map) const {
    Buffer inside;
    for (const auto& [key, value] : map) {
      write_value(inside, key);
      write_value(inside, value);
    }
    write_compound(out, kMap32, map.size() * 2, inside);
  }
  void operator()(const Described& described) const {
    ByteWriter(out).u8(kDescribed);
    write_value(out, Symbol{described.descriptor});
    write_value(out, described.value.front());
  }
};

std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

}  // namespace

std::optional<std::string_view> Value::text() const {
  if (const auto* string = get<std::string>()) return *string;
  if (const auto* symbol = get<Symbol>()) return symbol->text;
  if (const auto* bytes = get<Buffer>()) return as_text(*bytes);
  return std::nullopt;
}

std::optional<std::int64_t> Value::integer() const {
  if (const auto* number = get<std::int32_t>()) return *number;
  if (const auto* number = get<std::int64_t>()) return *number;
  if (const auto* number = get<std::uint64_t>()) {
    if (*number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return static_cast<std::int64_t>(*number);
    }
  }
  return std::nullopt;
}

std::string to_text(const Uuid& uuid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    const auto byte = std::to_integer<unsigned>(uuid[i]);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xf]);
  }
  return out;
}

std::string to_text(const Value& value) {
  if (const auto text = value.text()) return std::string(*text);
  if (const auto* flag = value.get<bool>()) return *flag ? "true" : "false";
  if (const auto* number = value.get<std::uint64_t>()) return std::to_string(*number);
  if (const auto number = value.integer()) return std::to_string(*number);
  if (const auto* number = value.get<double>()) return number_text(*number);
  if (const auto* uuid = value.get<Uuid>()) return to_text(*uuid);
  if (const auto* time = value.get<Timestamp>()) return format_rfc3339(*time);
  return {};
}

const Value* find(const Map& map, std::string_view name) {
  for (const auto& [key, value] : map) {
    if (!key.get<Buffer>() && key.text() == name) return &value;
  }
  return nullptr;
}

Result<Value> read_value(Cursor& in) {
  std::size_t elements = kValueElementsMax;
  return read(in, {0, &elements});
}

Result<std::uint64_t> read_descriptor(Cursor& in) {
  TRY(const auto code, in.u8());
  if (code != kDescribed) return fail(Errc::malformed, "amqp.section", in.offset());
  TRY(const auto descriptor, read_value(in));
  const auto number = descriptor.integer();
  return number ? static_cast<std::uint64_t>(*number) : 0;
}

Result<Bytes> read_binary(Cursor& in) {
  TRY(const auto code, in.u8());
  if (code != kBinary8 && code != kBinary32) return fail(Errc::malformed, "amqp.binary", in.offset());
  TRY(const auto size, read_size(in, is_wide(code)));
  return in.take(size);
}

Result<> skip_value(Cursor& in) {
  for (;;) {
    TRY(const auto code, in.u8());
    if (code == kDescribed) {
      TRY_VOID(read_value(in));  // the descriptor; then the value, in the next round
      continue;
    }
    if (code < 0x40) return fail(Errc::malformed, "amqp.value.code", in.offset());
    if (code >= 0xa0) {
      TRY(const auto size, read_size(in, is_wide(code)));
      TRY_VOID(in.take(size));
      return {};
    }
    constexpr std::array<std::size_t, 6> kWidths = {0, 1, 2, 4, 8, 16};
    TRY_VOID(in.take(kWidths[(code >> 4) - 4]));
    return {};
  }
}

void write_value(Buffer& out, const Value& value) { std::visit(Writer{out}, value.held); }

void write_descriptor(Buffer& out, std::uint8_t code) { ByteWriter(out).u8(kDescribed).u8(kUlongSmall).u8(code); }

void write_binary(Buffer& out, Bytes bytes) { write_sized(out, kBinary8, kBinary32, bytes); }

}  // namespace picket::hub::amqp
