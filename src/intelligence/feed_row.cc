#include "feed_row.h"

#include <algorithm>
#include <charconv>

namespace picket::intelligence {
namespace {

enum class Role : std::uint8_t {
  value,
  type,
  address,
  port,
  domain,
  url,
  path,
  network,
  sha256,
  sha1,
  md5,
  ja3,
  ja4,
  from,
  until,
  threat,
  family,
  confidence,
  reference,
};

struct Column {
  std::string_view name;
  Role role;
};
/// As the sources call them, in lower case.
constexpr Column kColumns[] = {{"ioc", Role::value},
                               {"ioc_value", Role::value},
                               {"indicator", Role::value},
                               {"ioc_type", Role::type},
                               {"dst_ip", Role::address},
                               {"dstip", Role::address},
                               {"ip_address", Role::address},
                               {"ip", Role::address},
                               {"dst_port", Role::port},
                               {"dstport", Role::port},
                               {"port", Role::port},
                               {"domain", Role::domain},
                               {"hostname", Role::domain},
                               {"url", Role::url},
                               {"path", Role::path},
                               {"uri", Role::path},
                               {"cidr", Role::network},
                               {"netblock", Role::network},
                               {"sha256_hash", Role::sha256},
                               {"sha256", Role::sha256},
                               {"sha1_hash", Role::sha1},
                               {"sha1", Role::sha1},
                               {"md5_hash", Role::md5},
                               {"md5", Role::md5},
                               {"ja3_md5", Role::ja3},
                               {"ja3", Role::ja3},
                               {"ja4", Role::ja4},
                               {"first_seen_utc", Role::from},
                               {"first_seen", Role::from},
                               {"firstseen", Role::from},
                               {"dateadded", Role::from},
                               {"date_added", Role::from},
                               {"listingdate", Role::from},
                               {"expires", Role::until},
                               {"valid_until", Role::until},
                               {"threat", Role::threat},
                               {"threat_type", Role::threat},
                               {"listingreason", Role::threat},
                               {"malware_printable", Role::family},
                               {"malware", Role::family},
                               {"signature", Role::family},
                               {"confidence_level", Role::confidence},
                               {"confidence", Role::confidence},
                               {"reference", Role::reference},
                               {"urlhaus_link", Role::reference},
                               {"urlhaus_reference", Role::reference}};

const Column* column_of(std::string_view name) {
  const auto found = std::ranges::find(kColumns, name, &Column::name);
  return found == std::end(kColumns) ? nullptr : found;
}

/// Empty and what sources write for nothing.
bool is_nothing(std::string_view text) { return text.empty() || text == "None" || text == "n/a" || text == "null"; }

struct Cells {
  const FeedRow& row;

  [[nodiscard]] std::string_view of(Role role) const {
    for (const auto& [name, value] : row) {
      const Column* column = column_of(name);
      if (column != nullptr && column->role == role && !is_nothing(trimmed(value))) return trimmed(value);
    }
    return {};
  }
};

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// As ThreatFox calls the types of its values.
std::optional<Observable> typed(std::string_view type, std::string_view value) {
  if (type == "ip:port") return parse_endpoint(refang(value));
  if (type == "domain") return parse_domain(refang(value));
  if (type == "url") return parse_url(refang(value));
  if (type == "sha256_hash") return parse_digest(Kind::sha256, value);
  if (type == "sha1_hash") return parse_digest(Kind::sha1, value);
  if (type == "md5_hash") return parse_digest(Kind::md5, value);
  if (type == "ja3") return parse_digest(Kind::ja3, value);
  if (type == "ja4") return parse_ja4(value);
  if (type == "sha1_ssl_cert") return parse_digest(Kind::certificate1, value);
  return type.empty() ? parse_observable(value) : std::nullopt;
}

std::optional<Observable> address_of(const Cells& cells, std::string_view text) {
  const auto address = parse_address(refang(text));
  const auto port = port_of(cells.of(Role::port));
  return address && port ? make_endpoint(*address, *port) : address;
}

/// The indicator of a row and, where there is none, why.
std::optional<Observable> indicator_of(const Cells& cells, std::string& reason) {
  reason = "no indicator in the row";
  if (const auto value = cells.of(Role::value); !value.empty()) {
    const auto type = cells.of(Role::type);
    reason = "not a readable value of type '" + std::string(type) + "'";
    return typed(type, value);
  }
  struct Reading {
    Role role;
    std::optional<Observable> (*read)(std::string_view);
    std::string_view reason;
  };
  static constexpr Reading kReadings[] = {
      {Role::url, [](std::string_view text) { return parse_url(refang(text)); }, "not a readable URL"},
      {Role::network,
       [](std::string_view text) {
         auto network = parse_network(text);
         return network ? network : parse_address(text);
       },
       "not a readable network"},
      {Role::sha256, [](std::string_view text) { return parse_digest(Kind::sha256, text); }, "not a SHA-256"},
      {Role::ja4, [](std::string_view text) { return parse_ja4(text); }, "not a JA4"},
      {Role::ja3, [](std::string_view text) { return parse_digest(Kind::ja3, text); }, "not a JA3"},
      {Role::sha1, [](std::string_view text) { return parse_digest(Kind::sha1, text); }, "not a SHA-1"},
      {Role::md5, [](std::string_view text) { return parse_digest(Kind::md5, text); }, "not an MD5"},
      {Role::domain, [](std::string_view text) { return parse_domain(refang(text)); }, "not a readable name"},
      {Role::path, [](std::string_view text) { return parse_url_path(text); }, "not a path that says something"}};
  for (const Reading& reading : kReadings) {
    const auto text = cells.of(reading.role);
    if (text.empty()) continue;
    reason = reading.reason;
    return reading.read(text);
  }
  if (const auto address = cells.of(Role::address); !address.empty()) {
    reason = "not a readable address";
    return address_of(cells, address);
  }
  return std::nullopt;
}

}  // namespace

bool is_indicator_column(std::string_view name) {
  const Column* column = column_of(name);
  return column != nullptr && (column->role == Role::value || column->role == Role::address ||
                               (column->role >= Role::domain && column->role <= Role::ja4));
}

Result<> take_indicator(Indicator indicator, const FeedSink& sink, ParseReport& report) {
  ++report.indicators;
  if (indicator.threat.size() > kThreatBytesMax) indicator.threat.resize(kThreatBytesMax);
  if (indicator.reference.size() > kReferenceBytesMax) indicator.reference.clear();
  return sink.take(std::move(indicator));
}

Result<> take_row(const FeedRow& row, const FeedSink& sink, ParseReport& report) {
  const Cells cells{row};
  std::string reason;
  auto what = indicator_of(cells, reason);
  if (!what) {
    report.skip(reason, row.empty() ? std::string_view() : row.front().second);
    return {};
  }
  // The blacklist of certificates calls their hashes "SHA1", and says why each is listed.
  const bool certificates = std::ranges::any_of(row, [](const auto& cell) { return cell.first == "listingreason"; });
  if (certificates && what->kind == Kind::sha1) what->kind = Kind::certificate1;
  Indicator out{.what = *std::move(what)};
  if (const auto from = parse_feed_time(cells.of(Role::from))) out.from = *from;
  if (const auto until = parse_feed_time(cells.of(Role::until))) out.until = *until;
  const auto family = cells.of(Role::family);
  out.threat = family.empty() ? cells.of(Role::threat) : family;
  out.reference = cells.of(Role::reference);
  if (const auto text = cells.of(Role::confidence); !text.empty()) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size() && value <= kConfidenceMax) {
      out.confidence = static_cast<std::uint8_t>(value);
    }
  }
  return take_indicator(std::move(out), sink, report);
}

}  // namespace picket::intelligence
