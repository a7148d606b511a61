#include "duckdb/relations.h"

#include <algorithm>
#include <limits>
#include <map>
#include <ranges>

#include <fmt/format.h>

#include "duckdb/hot_vector.h"
#include "duckdb/part_select.h"

namespace picket::workspace {
namespace {

const PinnedStream* find_stream(const Snapshot& snapshot, std::string_view name) {
  for (const PinnedStream& stream : snapshot.streams) {
    if (stream.stream == name) return &stream;
  }
  return nullptr;
}

bool meets(const TableExtent& extent, const QueryRequest& request) {
  return extent.rows != 0 && (!request.time_from || extent.time_max >= *request.time_from) &&
         (!request.time_to || extent.time_min <= *request.time_to);
}

/// Notes why the file cannot be read; the error itself when that is no fault of the file.
Outcome<> note_damage(const QuerySource& source, const EngineError& error, DamageBook& damage) {
  const std::uint64_t bytes = source.extent->archived ? source.extent->bytes : source.segment->bytes;
  TRY(auto problem, size_problem(source.path, bytes));
  if (!problem && error.error.code == Errc::malformed) problem = "is damaged: its checksum is wrong";
  if (!problem && tells_of_damage(error.text)) problem = "is damaged: " + error.text.substr(0, error.text.find('\n'));
  if (!problem) return std::unexpected(error);
  damage.note(source.path, *source.segment, *std::move(problem));
  return {};
}

/// "alias.table" or "read_parquet(…)"; empty: the file cannot be read, which is noted.
Outcome<std::string> open_source(QuerySource& source, const std::string& table, QueryFiles& files) {
  if (files.damage.find(source.path)) return std::string();
  if (source.extent->archived) {
    if (const auto good = files.archive.verify(source.path, *source.extent); !good) {
      TRY_VOID(note_damage(source, good.error(), files.damage));
      return std::string();
    }
    return fmt::format("read_parquet({})", quote_text(source.path));
  }
  auto alias = files.leases.take(source.path);
  if (!alias) {
    TRY_VOID(note_damage(source, alias.error(), files.damage));
    return std::string();
  }
  source.alias = *std::move(alias);
  if (!files.checked.contains(source.path, source.extent->table)) {
    TRY(const auto problem, check_counts(files.connection, source.alias, *source.segment, *source.extent));
    if (problem) {
      files.damage.note(source.path, *source.segment, *problem);
      return std::string();
    }
    files.checked.insert(source.path, source.extent->table);
  }
  return source.alias + "." + table;
}

/// Says that the file's rows of this table are missing.
void leave_out(const QuerySource& source, QueryFiles& files) {
  auto file = files.damage.find(source.path);
  if (!file) return;  // it has been put back this moment
  std::erase_if(file->tables, [&](const DamagedRows& rows) { return rows.table != source.extent->table; });
  const auto same = std::ranges::find(files.missing, file->file, &DamagedFile::file);
  if (same == files.missing.end()) {
    files.missing.push_back(*std::move(file));
  } else {
    same->tables.insert(same->tables.end(), file->tables.begin(), file->tables.end());
  }
}

std::set<std::string> names_of(const TableLayout& layout) {
  std::set<std::string> out;
  for (const Column& column : layout.columns) out.insert(column.name);
  return out;
}

Outcome<std::string> sealed_part(const TableRead& read, const QuerySource& source, const std::string& from,
                                 QueryFiles& files) {
  const Part part{source.path, source.extent->table, from};
  TRY(const auto there, files.facts.columns(files.connection, part));
  std::map<std::string, std::optional<std::int64_t>> bits;
  for (const ComputedColumn* column : read.computed) {
    // What cannot be read now is not known; the query itself will meet the damage.
    bits[column->mask_column] =
        files.facts.bits(files.connection, part, column->mask_column).value_or(std::optional<std::int64_t>());
  }
  return select_part(read, from, *there, [&](const ComputedColumn& column) {
    const auto& known = bits.at(column.mask_column);
    return known && (*known & column.mask) == 0;
  });
}

/// Empty: there are no hot rows.
std::string hot_part(const TableRead& read, const PinnedStream& stream, TableIndex index, std::uint64_t token) {
  std::vector<std::pair<const HotArena*, HotPart>> parts;
  for (std::size_t i = 0; i < stream.generations.size(); ++i) {
    for (const HotPart& part : stream.hot[i][index]) {
      if (part.rows != 0) parts.emplace_back(&stream.generations[i]->arena(), part);
    }
  }
  if (parts.empty()) return {};
  const auto clear = [&](const ComputedColumn& column) {
    const auto at = std::ranges::find(read.layout.columns, column.mask_column, &Column::name);
    if (at == read.layout.columns.end() || at->type != ColumnType::int64) return false;
    const auto number = static_cast<std::size_t>(at - read.layout.columns.begin());
    return std::ranges::all_of(parts, [&](const auto& part) {
      const auto bits = bits_in(*part.first, part.second, number);
      return bits && (*bits & column.mask) == 0;
    });
  };
  return select_part(read, fmt::format("{}({}, {})", kHotScan, token, index), names_of(read.layout), clear);
}

/// "T" AS (each segment UNION ALL hot rows). The segments come first: behind a table function DuckDB gives up pushing
/// the bound of "newest n" down into them (measured on 3 million rows: 350 ms instead of 20).
Outcome<std::string> table_expression(const QueryRequest& request, const TableRead& read, TableIndex index,
                                      const Snapshot& snapshot, std::uint64_t token, std::string_view where_first,
                                      QueryFiles& files) {
  const TableLayout& layout = read.layout;
  const std::string table = quote_identifier(layout.name);
  std::string sql;
  const auto add = [&](const std::string& part) {
    sql += sql.empty() ? fmt::format("{} AS NOT MATERIALIZED ({}{}", table, part, where_first) : " UNION ALL " + part;
  };
  if (const PinnedStream* stream = find_stream(snapshot, layout.stream)) {
    // Newest first: "newest n" then has its n early, and skips older row groups by their times.
    for (const SegmentPtr& segment : std::views::reverse(stream->segments)) {
      const TableExtent* extent = segment->info().find(layout.name);
      if (extent == nullptr || !meets(*extent, request)) continue;
      QuerySource source{
          extent->archived ? segment->archive_path(layout.name) : segment->path(), {}, &segment->info(), extent};
      TRY(const std::string from, open_source(source, table, files));
      if (from.empty()) {
        leave_out(source, files);
        continue;
      }
      TRY(const std::string part, sealed_part(read, source, from, files));
      add(part);
      files.sources.push_back(std::move(source));
    }
    if (const std::string hot = hot_part(read, *stream, index, token); !hot.empty()) add(hot);
  }
  // No rows at all: of the right types.
  if (sql.empty())
    add(select_part(read, fmt::format("{}({}, {})", kHotScan, token, index), names_of(layout),
                    [](const ComputedColumn&) { return true; }));
  return sql + ")";
}

std::string value_expression(const ViewColumn& column) {
  const std::string name = quote_identifier(column.column.name);
  switch (column.value) {
    case ViewValue::column:
      return quote_identifier(column.source) + " AS " + name;
    case ViewValue::constant:
      return quote_text(column.source) + " AS " + name;
    case ViewValue::byte_length:
      return fmt::format("strlen({})::DOUBLE AS {}", quote_identifier(column.source), name);
  }
  return {};
}

/// The view, of the columns that are mentioned; adds to `tables` what it mentions of its tables.
std::string view_expression(const ViewSchema& view, const SqlUse& use, SqlUse& tables) {
  std::string values;
  const auto add = [&](const std::string& value, std::string_view source) {
    values += (values.empty() ? "" : ", ") + value;
    tables.words.insert(in_small_letters(source));
  };
  for (const ViewColumn& column : view.columns) {
    if (use.mentions(column.column.name)) add(value_expression(column), column.source);
  }
  for (const Column& column : system_columns()) {
    if (use.mentions(column.name)) add(quote_identifier(column.name), column.name);
  }
  if (values.empty()) add(quote_identifier(kPositionColumn), kPositionColumn);  // rows that are only counted
  std::string sql = quote_identifier(view.name) + " AS NOT MATERIALIZED (";
  for (const std::string& table : view.tables) {
    sql += fmt::format("{}SELECT {} FROM {}", &table == &view.tables.front() ? "" : " UNION ALL ", values,
                       quote_identifier(table));
  }
  return sql + ")";
}

}  // namespace

Outcome<WrappedQuery> wrap_query(const QueryRequest& request, const SqlUse& use, const Schema& schema,
                                 const Layouts& layouts, const Snapshot& snapshot, std::uint64_t token,
                                 QueryFiles& files) {
  std::set<std::string> tables;
  std::string views;
  SqlUse of_tables = use;
  for (const std::string& name : use.relations) {
    if (const ViewSchema* view = schema.find_view(name)) {
      tables.insert(view->tables.begin(), view->tables.end());
      views += ", " + view_expression(*view, use, of_tables);
    } else {
      tables.insert(name);
    }
  }
  const std::string parameter = fmt::format("${}", request.binds.size() + 1);
  WrappedQuery out;
  // Not where the text seems to use that number itself.
  out.adds_parameter = !request.binds.empty() && !tables.empty() && !request.sql.contains(parameter);
  const std::string where_first = out.adds_parameter ? fmt::format(" WHERE {} IS NULL", parameter) : std::string();
  for (const std::string& name : tables) {
    const TableIndex index = *schema.find_table(name);
    TRY(const std::string expression, table_expression(request, table_read(layouts[index], of_tables, request.computed),
                                                       index, snapshot, token, where_first, files));
    out.sql += (out.sql.empty() ? "WITH " : ", ") + expression;
  }
  // The line break ends a comment at the end of the query.
  const std::size_t limit = std::min<std::size_t>(request.rows_max, std::numeric_limits<std::int64_t>::max() - 1) + 1;
  out.sql += fmt::format("{} SELECT * FROM ({}\n) LIMIT {}", views, request.sql, limit);
  return out;
}

}  // namespace picket::workspace
