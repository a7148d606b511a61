// Lists of what indicates nothing, in the form of MISP's warning lists.
#include "base/core/json_reader.h"
#include "feed_row.h"

namespace picket::intelligence {
namespace {

std::optional<Observable> entry_of(std::string_view type, std::string_view text) {
  if (type == "cidr") {
    auto network = parse_network(text);
    return network ? network : parse_address(text);
  }
  // A name with a dot before it stands for those below it too; without, for itself.
  const bool below = text.starts_with('.') || text.starts_with("*.");
  std::optional<Observable> out = type == "hostname" ? parse_domain(text) : parse_observable(text);
  if (out && out->kind == Kind::domain && !below) out->kind = Kind::exact_domain;
  return out;
}

}  // namespace

Result<WarningList> parse_warning_list(std::string_view text) {
  const auto json = parse_json(text, kFeedDepthMax);
  if (!json) return std::unexpected(Error{json.error().code, "intelligence.warning_list", json.error().offset});
  const auto name = json->find("name");
  const auto list = json->find("list");
  if (!name || !name->text() || name->text()->empty() || !list || list->kind() != Json::Kind::array) {
    return fail(Errc::malformed, "intelligence.warning_list");
  }
  const auto said = json->find("type");
  const std::string type = said ? said->text().value_or("?") : "string";
  if (type != "cidr" && type != "hostname" && type != "string") {
    return fail(Errc::unsupported, "intelligence.warning_list.type");
  }
  WarningList out;
  out.name = name->text()->substr(0, kThreatBytesMax);
  list->for_items([&](const Json& item) {
    const std::string entry = item.text().value_or(std::string());
    if (auto what = entry_of(type, trimmed(entry))) {
      ++out.report.indicators;
      out.entries.push_back(*std::move(what));
    } else {
      out.report.skip("not a readable entry of type " + type, entry);
    }
  });
  return out;
}

}  // namespace picket::intelligence
