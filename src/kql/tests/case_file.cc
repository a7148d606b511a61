#include "case_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace picket::kql::testing {

namespace {

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

enum class Part { head, query, rows };

void add_line(Case& out, Part& part, const std::string& line) {
  const auto text = trim(line);
  if (part == Part::head && text.starts_with("//")) {
    const auto comment = trim(text.substr(2));
    if (comment.starts_with("source: ")) {
      out.source = trim(comment.substr(8));
    } else if (out.name.empty()) {
      out.name = comment;
    }
    return;
  }
  if (part == Part::head && text.empty()) return;
  if (text.starts_with("=> ")) {
    out.columns = trim(text.substr(3));
    part = Part::rows;
  } else if (text.starts_with("!! ")) {
    const auto rest = text.substr(3);
    const auto at = rest.find(" at ");
    out.error_code = trim(rest.substr(0, at));
    out.error_text = at == std::string_view::npos ? std::string() : std::string(trim(rest.substr(at + 4)));
    part = Part::rows;
  } else if (part == Part::rows) {
    if (text == "ordered") {
      out.ordered = true;
    } else if (!text.empty()) {
      out.rows.emplace_back(text);
    }
  } else {
    part = Part::query;
    out.query += (out.query.empty() ? "" : "\n") + line;
  }
}

constexpr std::string_view kScalar = " ==> ";

/// `strcat("a", 1) ==> string "a1"` as a query of one row.
Case scalar_case(const std::string& line) {
  Case out;
  const auto mark = line.rfind(kScalar);
  const std::string_view expression = trim(std::string_view(line).substr(0, mark));
  const std::string_view expected = trim(std::string_view(line).substr(mark + kScalar.size()));
  out.name = expression;
  out.query = "print x = " + std::string(expression);
  const auto space = expected.find(' ');
  const auto rest = trim(expected.substr(std::min(space, expected.size())));
  if (expected.starts_with("!!")) {
    out.error_code = rest;
    out.any_place = true;
  } else {
    out.columns = "x:" + std::string(expected.substr(0, space));
    out.rows = {std::string(rest)};
  }
  return out;
}

void read_file(const std::filesystem::path& path, std::vector<Case>& out) {
  std::ifstream in(path);
  Case next;
  Part part = Part::head;
  int number = 0;
  std::string source;
  const auto finish = [&] {
    if (next.source.empty()) next.source = source;
    if (!next.query.empty()) out.push_back(next);
    next = Case{};
    part = Part::head;
  };
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line == "---") {
      finish();
      continue;
    }
    if (line.starts_with("## source: ")) {
      source = trim(std::string_view(line).substr(11));
      continue;
    }
    if (part != Part::rows && next.query.empty() && line.contains(kScalar)) {
      auto scalar = scalar_case(line);
      scalar.file = path.filename().string();
      scalar.line = number;
      scalar.source = source;
      out.push_back(std::move(scalar));
      continue;
    }
    if (next.query.empty() && next.line == 0) {
      next.file = path.filename().string();
      next.line = number;
    }
    add_line(next, part, line);
  }
  finish();
}

}  // namespace

std::vector<Case> read_cases(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".kqlt") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<Case> out;
  for (const auto& file : files) read_file(file, out);
  return out;
}

Schema read_tables(const std::string& path) {
  Schema out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto open = line.find('(');
    if (open == std::string::npos || !line.ends_with(')')) continue;
    Table table{.name = line.substr(0, open)};
    std::string_view rest = std::string_view(line).substr(open + 1, line.size() - open - 2);
    while (!rest.empty()) {
      const auto column = trim(rest.substr(0, rest.find(',')));
      const auto colon = column.find(':');
      for (const auto type : {Type::boolean, Type::int32, Type::int64, Type::real, Type::string, Type::datetime,
                              Type::timespan, Type::guid, Type::dynamic, Type::decimal}) {
        if (to_string(type) == column.substr(colon + 1)) {
          table.columns.push_back({std::string(column.substr(0, colon)), type});
        }
      }
      rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
    }
    out.tables.push_back(std::move(table));
  }
  return out;
}

std::vector<std::string> read_queries(const std::string& folder) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".kql") continue;
    std::ifstream in(entry.path());
    std::string query;
    for (std::string line; std::getline(in, line);) {
      if (line != "---") {
        query += line + "\n";
        continue;
      }
      out.push_back(std::move(query));
      query.clear();
    }
    out.push_back(std::move(query));
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace picket::kql::testing
