#include "journal/position.h"

#include <algorithm>
#include <charconv>

namespace picket::journal {
namespace {

Result<std::uint64_t> parse_number(std::string_view text, std::string_view where) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return fail(Errc::malformed, where);
  return value;
}

}  // namespace

std::string to_text(RecordId id) { return std::to_string(id.stream) + "-" + std::to_string(id.sequence); }

Result<RecordId> parse_record_id(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return fail(Errc::malformed, "journal.record_id");
  TRY(const auto stream, parse_number(text.substr(0, dash), "journal.record_id.stream"));
  TRY(const auto sequence, parse_number(text.substr(dash + 1), "journal.record_id.sequence"));
  if (stream >= Position::kStreamsMax) return fail(Errc::malformed, "journal.record_id.stream");
  return RecordId{static_cast<std::uint32_t>(stream), sequence};
}

void Position::advance_past(RecordId id) {
  if (next_.size() <= id.stream) next_.resize(id.stream + 1, 0);
  next_[id.stream] = std::max(next_[id.stream], id.sequence + 1);
}

bool Position::covers(RecordId id) const { return id.sequence < next_of(id.stream); }

bool Position::covers(const Position& other) const {
  for (std::uint32_t stream = 0; stream < other.next_.size(); ++stream) {
    if (next_of(stream) < other.next_[stream]) return false;
  }
  return true;
}

std::string Position::to_text() const {
  if (next_.empty()) return "0";
  std::string out;
  for (const auto next : next_) {
    if (!out.empty()) out += ',';
    out += std::to_string(next);
  }
  return out;
}

Result<Position> Position::parse(std::string_view text) {
  Position out;
  for (;;) {
    if (out.next_.size() == kStreamsMax) return fail(Errc::limit_exceeded, "journal.position.streams");
    const auto comma = text.find(',');
    TRY(const auto next, parse_number(text.substr(0, comma), "journal.position"));
    out.next_.push_back(next);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

std::uint64_t Position::next_of(std::uint32_t stream) const { return stream < next_.size() ? next_[stream] : 0; }

Position Position::at(std::uint32_t stream, std::uint64_t next) {
  Position out;
  out.next_.resize(stream + 1, 0);
  out.next_[stream] = next;
  return out;
}

}  // namespace picket::journal
