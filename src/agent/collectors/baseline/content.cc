#include "baseline/content.h"

namespace picket::agent::baseline {
namespace {

constexpr std::string_view kMagic = "picketBL";
constexpr std::size_t kOffsetBytes = 4;

Result<Bytes> section(Bytes file, Cursor& head) {
  TRY(const auto offset, head.le<std::uint32_t>());
  TRY(const auto length, head.le<std::uint32_t>());
  if (offset > file.size() || length > file.size() - offset) {
    return fail(Errc::malformed, "agent.baseline.section", head.offset());
  }
  return file.subspan(offset, length);
}

Result<std::string_view> reference(Cursor& in, const Strings& strings) {
  TRY(const auto at, in.le<std::uint32_t>());
  return strings.at(at);
}

Result<Bytes> tree(Cursor& in) {
  TRY(const auto length, in.le<std::uint16_t>());
  return in.take(length);
}

}  // namespace

Result<std::string_view> Strings::at(std::uint32_t reference) const {
  if (reference > pool_.size()) return fail(Errc::malformed, "agent.baseline.string", reference);
  Cursor in(pool_.subspan(reference));
  TRY(const auto length, in.le<std::uint16_t>());
  return in.take_text(length);
}

Result<Parameters> Parameters::read(Cursor& in, const Strings& strings) {
  Parameters out;
  TRY(const auto count, in.u8());
  if (count > kMax) return fail(Errc::limit_exceeded, "agent.baseline.parameters", in.offset());
  for (; out.count_ < count; ++out.count_) {
    One& one = out.ones_[out.count_];
    TRY(one.key, reference(in, strings));
    TRY(const auto kind, in.u8());
    if (kind > static_cast<std::uint8_t>(Kind::pattern)) {
      return fail(Errc::malformed, "agent.baseline.parameter", in.offset());
    }
    one.kind = static_cast<Kind>(kind);
    if (one.kind == Kind::number) {
      TRY(const auto value, in.le<std::uint64_t>());
      one.number = static_cast<std::int64_t>(value);
      continue;
    }
    one.count = 1;
    if (one.kind == Kind::texts) {
      TRY(one.count, in.u8());
    }
    if (out.items_used_ + one.count > kItemsMax) {
      return fail(Errc::limit_exceeded, "agent.baseline.items", in.offset());
    }
    one.first = static_cast<std::uint8_t>(out.items_used_);
    for (std::size_t i = 0; i < one.count; ++i) {
      TRY(out.items_[out.items_used_++], reference(in, strings));
    }
    if (one.kind == Kind::pattern && !Pattern::check(as_bytes(out.items_[one.first]))) {
      return fail(Errc::malformed, "agent.baseline.pattern", in.offset());
    }
  }
  return out;
}

const Parameters::One* Parameters::find(std::string_view key) const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (ones_[i].key == key) return &ones_[i];
  }
  return nullptr;
}

std::span<const std::string_view> Parameters::list(std::string_view key) const {
  const One* const one = find(key);
  if (one == nullptr || one->kind != Kind::texts) return {};
  return std::span(items_).subspan(one->first, one->count);
}

std::string_view Parameters::text(std::string_view key, std::string_view otherwise) const {
  const auto items = list(key);
  return items.empty() ? otherwise : items.front();
}

std::optional<std::int64_t> Parameters::number(std::string_view key) const {
  const One* const one = find(key);
  if (one == nullptr || one->kind != Kind::number) return std::nullopt;
  return one->number;
}

std::optional<Pattern> Parameters::pattern(std::string_view key) const {
  const One* const one = find(key);
  if (one == nullptr || one->kind != Kind::pattern) return std::nullopt;
  return Pattern::check(as_bytes(items_[one->first]));
}

Result<Node> read_node(Bytes bytes, const Strings& strings) {
  Node out;
  Cursor in(bytes);
  TRY(const auto kind, in.u8());
  if (kind > static_cast<std::uint8_t>(Node::Kind::procedure)) {
    return fail(Errc::malformed, "agent.baseline.node", in.offset());
  }
  out.kind = static_cast<Node::Kind>(kind);
  if (out.kind == Node::Kind::procedure) {
    TRY(out.procedure, reference(in, strings));
    TRY(out.parameters, Parameters::read(in, strings));
  } else {
    TRY(const auto count, in.u8());
    if (count == 0 || count > kChildrenMax || (out.kind == Node::Kind::negation && count != 1)) {
      return fail(Errc::malformed, "agent.baseline.children", in.offset());
    }
    for (std::size_t i = 0; i < count; ++i) {
      TRY(const Bytes child, tree(in));
      out.children.push_back(child);
    }
  }
  if (!in.empty()) return fail(Errc::malformed, "agent.baseline.node_end", in.offset());
  return out;
}

Result<Content> Content::read(Bytes bytes) {
  if (bytes.size() > kBytesMax) return fail(Errc::limit_exceeded, "agent.baseline.content");
  Cursor head(bytes);
  const auto magic = head.take_text(kMagic.size());
  if (!magic || *magic != kMagic) return fail(Errc::malformed, "agent.baseline.content");
  TRY(const auto format, head.le<std::uint16_t>());
  if (format != kFormat) return fail(Errc::unsupported, "agent.baseline.format");
  TRY(const auto count, head.le<std::uint16_t>());
  if (count > kRulesMax) return fail(Errc::limit_exceeded, "agent.baseline.rules");
  TRY(const auto name, head.le<std::uint32_t>());
  TRY(const Bytes index, section(bytes, head));
  TRY(const Bytes code, section(bytes, head));
  TRY(const Bytes strings, section(bytes, head));
  TRY(const Bytes texts, section(bytes, head));
  if (index.size() != count * kOffsetBytes) return fail(Errc::malformed, "agent.baseline.index");
  Content out(index, code, Strings(strings), Strings(texts));
  out.count_ = count;
  TRY(out.name_, out.texts_.at(name));
  return out;
}

Result<Rule> Content::rule(std::size_t number) const {
  if (number >= count_) return fail(Errc::not_found, "agent.baseline.rule");
  Cursor place(index_.subspan(number * kOffsetBytes));
  TRY(const auto offset, place.le<std::uint32_t>());
  if (offset > code_.size()) return fail(Errc::malformed, "agent.baseline.rule", offset);
  Cursor in(code_.subspan(offset));
  Rule out;
  TRY(out.id, reference(in, strings_));
  TRY(out.group, reference(in, strings_));
  TRY(out.reference, reference(in, strings_));
  TRY(out.title, reference(in, texts_));
  TRY(out.expected, reference(in, texts_));
  TRY(out.remediation, reference(in, texts_));
  TRY(out.level, in.u8());
  TRY(out.profiles, in.u8());
  TRY(const auto severity, in.u8());
  if (severity > static_cast<std::uint8_t>(Severity::informational)) {
    return fail(Errc::malformed, "agent.baseline.severity", in.offset());
  }
  out.severity = static_cast<Severity>(severity);
  TRY(out.applies, tree(in));
  TRY(out.check, tree(in));
  return out;
}

}  // namespace picket::agent::baseline
