#include <cstdio>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/file.h"
#include "commands.h"
#include "output.h"

namespace picket::cli {
namespace {

constexpr std::size_t kQueryBytesMax = 65'536;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

// Rows as objects by column name: what jq and scripts want.
boost::json::array objects_of(const boost::json::array& columns, const boost::json::array& rows) {
  boost::json::array out;
  for (const auto& row : rows) {
    boost::json::object object;
    for (std::size_t i = 0; i < columns.size() && i < row.as_array().size(); ++i) {
      object[member(columns[i], "name")] = row.as_array()[i];
    }
    out.push_back(std::move(object));
  }
  return out;
}

/// The results of a query: the answer itself, then those it lists as `more`.
template <class Visit>
void for_each_result(const boost::json::value& answer, Visit visit) {
  visit(answer, true);
  if (!answer.as_object().contains("more")) return;
  for (const auto& result : items_of(answer, "more")) visit(result, false);
}

std::string table_text(const boost::json::value& result, std::size_t cell_width) {
  std::vector<std::string> header;
  for (const auto& column : items_of(result, "columns")) header.push_back(printable(member(column, "name")));
  Table table(std::move(header), cell_width);
  for (const auto& row : items_of(result, "rows")) {
    std::vector<std::string> cells;
    for (const auto& value : row.as_array()) cells.push_back(cell(value));
    table.add(std::move(cells));
  }
  return table.text();
}

// One result is a list of rows; several are a list of such lists.
void print_json(const boost::json::value& answer) {
  boost::json::array all;
  for_each_result(answer, [&](const boost::json::value& result, bool) {
    all.push_back(objects_of(items_of(result, "columns"), items_of(result, "rows")));
  });
  print(pretty(all.size() == 1 ? all[0] : boost::json::value(std::move(all))));
}

// The rows as a file; to standard output unless it has a name.
Outcome<void> save_rows(const Client& client, const QueryOptions& options, boost::json::object body) {
  body["format"] = options.format;
  const auto file = client.post("/query/export", boost::json::serialize(body));
  if (!file) return std::unexpected(file.error());
  if (options.output.empty()) {
    std::fwrite(file->data(), 1, file->size(), stdout);
    return {};
  }
  const auto written = replace_file(options.output, as_bytes(*file));
  if (!written) return std::unexpected(Failure{Exit::failed, options.output + ": " + describe(written.error())});
  return {};
}

}  // namespace

Outcome<void> query(const Client& client, const QueryOptions& options, bool json) {
  std::string text = options.text;
  if (text == "-") {
    auto input = read_file("/dev/stdin", kQueryBytesMax);
    if (!input) return std::unexpected(Failure{Exit::usage, "cannot read the query: " + describe(input.error())});
    text = *std::move(input);
  }
  boost::json::object body{{"query", text}, {"max_rows", options.max_rows}, {"timeout_s", options.timeout_s}};
  if (!options.timespan.empty()) body["timespan"] = options.timespan;
  if (!options.format.empty()) return save_rows(client, options, std::move(body));
  const auto answer = parse(client.post("/query", boost::json::serialize(body)));
  if (!answer) {
    if (const auto& span = answer.error().span) {
      std::fputs(underline(text, span->line, span->column, span->length).c_str(), stderr);
    }
    return std::unexpected(answer.error());
  }
  if (json) {
    print_json(*answer);
  } else {
    for_each_result(*answer, [&](const boost::json::value& result, bool first) {
      if (!first) print("\n");
      print(table_text(result, options.cell_width));
    });
  }
  for_each_result(*answer, [](const boost::json::value& result, bool) {
    const auto* stats = result.as_object().if_contains("stats");
    if (stats == nullptr || member(*stats, "truncated") != "true") return;
    // Not only limits leave rows out: lost files do too, and are named.
    const std::string partial = printable(member(*stats, "partial"));
    std::fprintf(stderr, "picket: %zu rows are shown, not all: %s (limits: --max-rows, or narrow the query)\n",
                 items_of(result, "rows").size(), partial.c_str());
  });
  return {};
}

Outcome<void> status(const Client& client, bool json) {
  const auto answer = parse(client.get("/status"));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(*answer));
    return {};
  }
  for (const auto& [key, value] : answer->as_object()) {
    if (const auto* counters = value.if_object()) {
      print(fmt::format("{}\n", printable(key)));
      for (const auto& [name, number] : *counters) print(fmt::format("  {:<40} {}\n", printable(name), cell(number)));
    } else {
      print(fmt::format("{:<16} {}\n", printable(key), printable(cell(value))));
    }
  }
  return {};
}

}  // namespace picket::cli
