#include "baseline/content.h"

namespace picket::agent::baseline {
namespace {

constexpr std::string_view kMagic = "picketBL";
constexpr std::size_t kOffsetBytes = 4;

Bytes section(Bytes file, Reader& head) {
  const std::size_t offset = head.size(4), length = head.size(4);
  const bool inside = offset <= file.size() && length <= file.size() - offset;
  head.require(inside, "agent.baseline.section");
  return inside ? file.subspan(offset, length) : Bytes{};
}

}  // namespace

std::optional<std::string_view> Strings::at(std::size_t reference) const {
  if (reference > pool_.size()) return std::nullopt;
  Reader in(pool_.subspan(reference));
  const Bytes out = in.tree();
  if (!in.good()) return std::nullopt;
  return as_text(out);
}

std::uint64_t Reader::number(std::size_t bytes) {
  std::uint64_t out = 0;
  const Bytes in = take(bytes);
  for (std::size_t i = in.size(); i > 0; --i) out = out << 8 | static_cast<std::uint8_t>(in[i - 1]);
  return out;
}

Bytes Reader::take(std::size_t bytes) {
  require(bytes <= left_, "agent.baseline.end", Errc::truncated);
  if (!good()) return {};
  const Bytes out = bytes_.subspan(bytes_.size() - left_, bytes);
  left_ -= bytes;
  return out;
}

std::string_view Reader::text(const Strings& strings) {
  const auto out = strings.at(size(4));
  require(out.has_value(), "agent.baseline.string");
  return out.value_or(std::string_view());
}

void Reader::require(bool holds, std::string_view where, Errc code) {
  if (holds || !good()) return;
  where_ = where;
  code_ = code;
}

void Parameters::read(Reader& in, const Strings& strings) {
  const std::size_t count = in.size(1);
  in.require(count <= kMax, "agent.baseline.parameters", Errc::limit_exceeded);
  for (; count_ < count && in.good(); ++count_) {
    One& one = ones_[count_];
    one.key = in.text(strings);
    const auto kind = in.number(1);
    in.require(kind <= static_cast<std::uint8_t>(Kind::pattern), "agent.baseline.parameter");
    one.kind = static_cast<Kind>(kind);
    if (one.kind == Kind::number) {
      one.number = static_cast<std::int64_t>(in.number(8));
      continue;
    }
    const std::size_t items = one.kind == Kind::texts ? in.size(1) : 1;
    in.require(items_used_ + items <= kItemsMax, "agent.baseline.items", Errc::limit_exceeded);
    if (!in.good()) return;
    one.first = static_cast<std::uint8_t>(items_used_);
    one.count = static_cast<std::uint8_t>(items);
    for (std::size_t i = 0; i < items; ++i) items_[items_used_++] = in.text(strings);
    if (one.kind == Kind::pattern) {
      in.require(Pattern::check(as_bytes(items_[one.first])).has_value(), "agent.baseline.pattern");
    }
  }
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
  Reader in(bytes);
  const auto kind = in.number(1);
  in.require(kind <= static_cast<std::uint8_t>(Node::Kind::procedure), "agent.baseline.node");
  out.kind = static_cast<Node::Kind>(kind);
  if (out.kind == Node::Kind::procedure) {
    out.procedure = in.text(strings);
    out.parameters.read(in, strings);
  } else {
    const std::size_t count = in.size(1);
    in.require(count != 0 && count <= kChildrenMax && (out.kind != Node::Kind::negation || count == 1),
               "agent.baseline.children");
    for (std::size_t i = 0; i < count && in.good(); ++i) out.children.push_back(in.tree());
  }
  in.require(in.at_end(), "agent.baseline.node_end");
  if (!in.good()) return in.error();
  return out;
}

Result<Content> Content::read(Bytes bytes) {
  Reader head(bytes);
  head.require(bytes.size() <= kBytesMax, "agent.baseline.content", Errc::limit_exceeded);
  if (as_text(head.take(kMagic.size())) != kMagic) return fail(Errc::malformed, "agent.baseline.content");
  const auto format = head.number(2);
  head.require(format == kFormat, "agent.baseline.format", Errc::unsupported);
  const std::size_t count = head.size(2);
  head.require(count <= kRulesMax, "agent.baseline.rules", Errc::limit_exceeded);
  const std::size_t name = head.size(4);
  const Bytes index = section(bytes, head), code = section(bytes, head), strings = section(bytes, head),
              texts = section(bytes, head);
  head.require(index.size() == count * kOffsetBytes, "agent.baseline.index");
  Content out(index, code, Strings(strings), Strings(texts));
  out.count_ = count;
  const auto text = out.texts_.at(name);
  head.require(text.has_value(), "agent.baseline.name");
  if (!head.good()) return head.error();
  out.name_ = *text;
  return out;
}

Result<Rule> Content::rule(std::size_t number) const {
  if (number >= count_) return fail(Errc::not_found, "agent.baseline.rule");
  Reader place(index_.subspan(number * kOffsetBytes));
  const std::size_t offset = place.size(kOffsetBytes);
  if (offset > code_.size()) return fail(Errc::malformed, "agent.baseline.rule", offset);
  Reader in(code_.subspan(offset));
  Rule out;
  for (std::string_view* const text : {&out.id, &out.group, &out.reference}) *text = in.text(strings_);
  for (std::string_view* const text : {&out.title, &out.expected, &out.remediation}) *text = in.text(texts_);
  out.level = static_cast<std::uint8_t>(in.number(1));
  out.profiles = static_cast<std::uint8_t>(in.number(1));
  const auto severity = in.number(1);
  in.require(severity <= static_cast<std::uint8_t>(Severity::informational), "agent.baseline.severity");
  out.severity = static_cast<Severity>(severity);
  out.applies = in.tree();
  out.check = in.tree();
  if (!in.good()) return in.error();
  return out;
}

}  // namespace picket::agent::baseline
