#include "listing.h"

#include <cstdio>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "output.h"

namespace picket::cli {

RequestPath& RequestPath::with(std::string_view name, std::string_view value) {
  return value.empty() ? *this : add(name, percent_encode(value));
}

RequestPath& RequestPath::with(std::string_view name, const std::vector<std::string>& values) {
  std::string all;
  for (const std::string& value : values) all += (all.empty() ? "" : ",") + percent_encode(value);
  return all.empty() ? *this : add(name, all);
}

RequestPath& RequestPath::with(std::string_view name, std::uint32_t value) { return add(name, std::to_string(value)); }

RequestPath& RequestPath::when(bool holds, std::string_view name) { return holds ? add(name, "true") : *this; }

RequestPath& RequestPath::add(std::string_view name, std::string_view encoded) {
  text_ += fmt::format("{}{}={}", has_query_ ? '&' : '?', name, encoded);
  has_query_ = true;
  return *this;
}

Outcome<void> print_page(const Outcome<std::string>& answer, bool json, const Listing& listing) {
  const auto page = parse(answer);
  if (!page) return std::unexpected(page.error());
  const auto& items = items_of(*page);
  std::string text;
  if (json) {
    text = pretty(items);
  } else if (items.empty()) {
    text = listing.nothing + "\n";
  } else {
    Table table(listing.header, listing.cell_width_max);
    for (const auto& item : items) table.add(listing.row(item));
    text = table.text();
    const std::string total = member(*page, "total");
    if (!total.empty() && total != std::to_string(items.size()))
      text += fmt::format("{} of {}; {}\n", items.size(), total, listing.more);
  }
  std::fputs(text.c_str(), stdout);
  return {};
}

}  // namespace picket::cli
