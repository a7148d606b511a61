#include "workbook/document.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/server/template_text.h"
#include "json_parts.h"

namespace picket::workbook {

std::optional<json::value> parse_json(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // as editors of the original's platform save it
  boost::system::error_code failed;
  json::value out =
      json::parse(text, failed, {}, {.max_depth = 64, .allow_comments = true, .allow_trailing_commas = true});
  return failed ? std::nullopt : std::optional(std::move(out));
}

namespace {

constexpr std::size_t kTemplatesMax = 8;  ///< In templates.

bool contains(const auto& list, std::string_view text) { return std::ranges::find(list, text) != list.end(); }

constexpr std::array<std::string_view, 16> kVisualizations{
    "",         "table",     "tiles",       "card",         "map",
    "textvis",  "barchart",  "columnchart", "unstackedbar", "categoricalbar",
    "piechart", "linechart", "areachart",   "timechart",    "scatterchart",
    "stat"};

/// Of these, rows that give values to parameters can be chosen (portal/src/pages/workbook).
constexpr std::array<std::string_view, 5> kChosenFrom{"", "table", "tiles", "card", "stat"};

/// Numbers of the formatters of a grid's columns that the portal draws (portal/src/pages/workbook/cell.tsx).
constexpr std::array<std::int64_t, 15> kFormatters{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 18, 21};

/// Names of item types and query types that Picket does not run, as people know them.
std::string item_name(std::int64_t type) { return type == 10 ? "metrics" : "item type " + std::to_string(type); }

std::string source_name(std::int64_t type) {
  switch (type) {
    case 1:
      return "Azure Resource Graph";
    case 2:
      return "Azure Health";
    case 7:
      return "merge";
    case 8:
      return "JSON";
    case 9:
      return "Azure Data Explorer";
    case 10:
      return "custom endpoint";
    case 12:
      return "Azure Resource Manager";
    case 14:
      return "Azure RBAC";
    default:
      return "query type " + std::to_string(type);
  }
}

std::optional<Duration> duration_of(const json::object& object) {
  const auto milliseconds = number(object, "durationMs");
  constexpr std::int64_t kMax = 10LL * 366 * 86'400'000;
  if (!milliseconds || *milliseconds <= 0 || *milliseconds > kMax) return std::nullopt;
  return Duration::milliseconds(*milliseconds);
}

class Reader {
 public:
  explicit Reader(Document& out) : out_(out) {}

  /// False: more than the bounds allow.
  bool items(const json::array& items, const std::string& prefix, int depth) {
    if (depth > kDepthMax) return false;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (++count_ > kItemsMax) return false;
      if (!items[i].is_object()) continue;
      if (!item(items[i].get_object(), prefix + std::to_string(i), depth)) return false;
    }
    return true;
  }

 private:
  bool item(const json::object& item, const std::string& path, int depth) {
    const json::object& content = object(item, "content");
    switch (number(item, "type").value_or(-1)) {
      case 1:
        return true;
      case 3:
        query(content, path);
        return true;
      case 9:
        for (const json::value& one : array(content, "parameters")) {
          if (one.is_object()) parameter(one.get_object(), path);
        }
        return true;
      case 11:
        links(content, path);
        return true;
      case 12:
        if (!text(content, "loadFromTemplateId").empty())
          note(path, "template", "This group is loaded from a template of Azure, which is not part of the file.");
        return items(array(content, "items"), path + ".", depth + 1);
      default:
        note(path, item_name(number(item, "type").value_or(-1)), "Picket does not show this kind of item.");
        return true;
    }
  }

  void note(const std::string& path, std::string construct, std::string message) {
    out_.notes.push_back({path, std::move(construct), std::move(message)});
  }

  Source source_of(std::int64_t type, const std::string& path) {
    if (type == 0) return Source::kql;
    if (type == 1) return Source::resources;
    note(path, source_name(type), "Picket answers KQL over its own tables; this query is of another kind.");
    return Source::other;
  }

  void query(const json::object& content, const std::string& path) {
    Query out{.path = path, .title = text(content, "title"), .text = text(content, "query")};
    out.source = source_of(number(content, "queryType").value_or(0), path);
    if (out.source == Source::resources)
      note(path, source_name(1), "There is no Azure here: the rows are the hubs of this installation.");
    out.time_parameter = text(content, "timeContextFromParameter");
    out.duration = duration_of(object(content, "timeContext"));
    exports(content);
    if (const std::string shape = text(content, "visualization"); !contains(kVisualizations, shape))
      note(path, "visualization " + shape, "Picket has no such picture; the rows are shown as a table.");
    if (const std::string shape = text(content, "visualization"); exports_any(content) && !contains(kChosenFrom, shape))
      note(path, "choice in a " + shape,
           "Nothing can be chosen in this picture; what follows from it stays as at first.");
    grid_of(object(content, "gridSettings"), path);
    out_.queries.push_back(std::move(out));
  }

  void grid_of(const json::object& grid, const std::string& path) {
    if (grid.contains("hierarchySettings"))
      note(path, "tree", "Picket does not fold rows into a tree; they are shown one below another.");
    std::set<std::int64_t> unknown;
    for (const json::value& one : array(grid, "formatters")) {
      const auto kind = one.is_object() ? number(one.get_object(), "formatter").value_or(0) : 0;
      if (std::ranges::find(kFormatters, kind) == kFormatters.end()) unknown.insert(kind);
    }
    for (const std::int64_t kind : unknown)
      note(path, "formatter " + std::to_string(kind),
           "Picket does not know how this column is drawn; it is shown as text.");
  }

  void exports(const json::object& content) {
    const bool several = flag(content, "exportMultipleValues");
    exported(content, "exportParameterName", "exportDefaultValue", several);
    for (const char* list : {"exportParameters", "exportedParameters"}) {
      for (const json::value& one : array(content, list)) {
        if (one.is_object()) exported(one.get_object(), "parameterName", "defaultValue", several);
      }
    }
  }

  static bool exports_any(const json::object& content) {
    return !text(content, "exportParameterName").empty() || !array(content, "exportParameters").empty() ||
           !array(content, "exportedParameters").empty();
  }

  void exported(const json::object& from, std::string_view name, std::string_view otherwise, bool several) {
    const std::string called = text(from, name);
    if (called.empty()) return;
    Export& out = out_.exports[called];
    out.several = out.several || several;
    if (from.contains("quote")) out.quote = text(from, "quote");
    if (from.contains("delimiter")) out.delimiter = text(from, "delimiter");
    if (!several && member(from, otherwise) != nullptr) out.values.push_back(text(from, otherwise));
  }

  void links(const json::object& content, const std::string& path) {
    for (const json::value& one : array(content, "links")) {
      if (!one.is_object()) continue;
      const json::object& link = one.get_object();
      const std::string target = text(link, "linkTarget");
      if (target == "parameter") {
        out_.exports[text(link, "cellValue")].values.push_back(text(link, "subTarget"));
      } else if (target != "Url" && target != "StepScroll" && target != "step") {
        note(path, "link " + target, "The link \"" + text(link, "linkLabel") + "\" leads to a place that is not here.");
      }
    }
  }

  void parameter(const json::object& from, const std::string& item) {
    Parameter out;
    out.name = text(from, "name");
    if (out.name.empty()) return;
    out.path = item + ":" + out.name;
    const std::int64_t type = number(from, "type").value_or(-1);
    switch (type) {
      case 1:
        out.kind = ParameterKind::text;
        break;
      case 2:
      case 10:
        out.kind = ParameterKind::choice;
        break;
      case 4:
        out.kind = ParameterKind::time_range;
        break;
      case 5:
      case 6:
      case 7:
      case 8:
        out.kind = ParameterKind::resource;
        break;
      default:
        note(out.path, "parameter type " + std::to_string(type),
             "Picket has no such field; the parameter stays empty.");
    }
    out.several = flag(from, "multiSelect");
    out.required = flag(from, "isRequired");
    out.quote = text(from, "quote");
    out.delimiter = from.contains("delimiter") ? text(from, "delimiter") : ",";
    if (const json::value* all = member(object(from, "typeSettings"), "selectAllValue");
        all != nullptr && all->is_string())
      out.all_value = text_of(*all);
    out.query = text(from, "query");
    options(from, out);
    defaults(from, out);
    criteria(from, out);
    if (!out.query.empty()) parameter_query(from, out);
    out_.parameters.push_back(std::move(out));
  }

  void parameter_query(const json::object& from, Parameter& out) {
    out.source = out.kind == ParameterKind::resource ? Source::resources
                                                     : source_of(number(from, "queryType").value_or(0), out.path);
    Query query{.path = out.path, .title = out.name, .text = out.query, .source = out.source};
    query.time_parameter = text(from, "timeContextFromParameter");
    query.duration = duration_of(object(from, "timeContext"));
    out_.queries.push_back(std::move(query));
  }

  static void options(const json::object& from, Parameter& out) {
    const auto list = parse_json(text(from, "jsonData"));
    if (!list || !list->is_array()) return;
    for (const json::value& one : list->get_array()) {
      if (out.options.size() >= kOptionsMax) return;
      if (!one.is_object()) {
        out.options.push_back({text_of(one), text_of(one)});
        continue;
      }
      const json::object& option = one.get_object();
      const std::string value = text(option, "value");
      out.options.push_back({value, option.contains("label") ? text(option, "label") : value});
      if (flag(option, "selected") && (out.several || out.defaults.empty())) out.defaults.push_back(value);
    }
  }

  static void defaults(const json::object& from, Parameter& out) {
    const json::value* value = member(from, "value");
    if (value == nullptr) value = member(from, "defaultValue");
    if (value == nullptr) return;
    out.defaults.clear();
    if (value->is_object()) {
      out.duration = duration_of(value->get_object());
    } else if (value->is_array()) {
      for (const json::value& one : value->get_array()) out.defaults.push_back(text_of(one));
    } else {
      out.defaults.push_back(text_of(*value));
    }
  }

  static void criteria(const json::object& from, Parameter& out) {
    for (const json::value& one : array(from, "criteriaData")) {
      if (!one.is_object()) continue;
      const json::object& context = object(one.get_object(), "criteriaContext");
      out.criteria.push_back({.left = text(context, "leftOperand"),
                              .comparison = text(context, "operator"),
                              .right = text(context, "rightVal"),
                              .result = text(context, "resultVal"),
                              .right_is_parameter = text(context, "rightValType") == "param",
                              .result_is_parameter = text(context, "resultValType") == "param"});
    }
  }

  Document& out_;
  std::size_t count_ = 0;
};

std::expected<Document, std::string> read_tree(const json::value& tree) {
  const json::object* notebook = tree.if_object();
  if (notebook == nullptr || !text(*notebook, "version").starts_with("Notebook/") || !notebook->contains("items"))
    return std::unexpected("This is no workbook: it must be an object with version \"Notebook/1.0\" and items.");
  Document out;
  out.json = json::serialize(tree);
  if (!Reader(out).items(array(*notebook, "items"), "", 0))
    return std::unexpected("The workbook has more than 2,000 items, or groups nested deeper than 16.");
  return out;
}

/// Templates around a resource, the outermost first: their variables and parameters.
using Scopes = std::vector<const json::object*>;

std::optional<std::string> named(const Scopes& scopes, TemplateName kind, std::string_view name,
                                 std::string_view called) {
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    const bool parameter = kind == TemplateName::parameter;
    const json::value* found = member(object(**scope, parameter ? "parameters" : "variables"), name);
    if (found != nullptr && parameter) found = found->is_object() ? member(found->get_object(), "defaultValue") : found;
    if (found != nullptr && !called.empty()) found = found->is_object() ? member(found->get_object(), called) : nullptr;
    if (found != nullptr) return text_of(*found);
  }
  return std::nullopt;
}

/// A name or description as the template says it. Of "[concat(parameters('name'), ' - ', utcNow())]" the name stays.
std::string spoken(const std::string& text, const Scopes& scopes) {
  const auto found = template_text(text, [&](TemplateName kind, std::string_view name, std::string_view called) {
    return named(scopes, kind, name, called);
  });
  if (!found) return {};
  if (found->complete) return found->text;
  const std::size_t end = found->text.find_last_not_of(" \t-_:,(/");
  return end == std::string::npos ? std::string() : found->text.substr(0, end + 1);
}

std::expected<Document, std::string> read_resource(const json::object& properties, const Scopes& scopes) {
  const auto data = template_text(text(properties, "serializedData"),
                                  [&](auto kind, auto name, auto called) { return named(scopes, kind, name, called); });
  const auto tree = data && data->complete ? parse_json(data->text) : std::nullopt;
  if (!tree) return std::unexpected("The serializedData of a workbook is not JSON.");
  auto document = read_tree(*tree);
  if (!document) return document;
  document->name = spoken(text(properties, "displayName"), scopes);
  document->description = spoken(text(properties, "description"), scopes);
  return document;
}

/// Workbooks among the resources of a template; nested templates likewise.
void collect(const json::object& from, const Scopes& around, std::vector<std::expected<Document, std::string>>& out) {
  if (around.size() > kTemplatesMax) return;
  Scopes scopes = around;
  scopes.push_back(&from);
  for (const json::value& one : array(from, "resources")) {
    if (!one.is_object()) continue;
    const json::object& resource = one.get_object();
    const json::object& properties = object(resource, "properties");
    if (!text(properties, "serializedData").empty()) out.push_back(read_resource(properties, scopes));
    collect(properties, scopes, out);
    collect(object(properties, "mainTemplate"), scopes, out);
    collect(object(properties, "template"), scopes, out);
    collect(resource, scopes, out);
  }
}

}  // namespace

const Parameter* Document::parameter(std::string_view called) const {
  const auto found = std::ranges::find(parameters, called, &Parameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

const Query* Document::query(std::string_view path) const {
  const auto found = std::ranges::find(queries, path, &Query::path);
  return found == queries.end() ? nullptr : &*found;
}

bool Document::knows(std::string_view called) const { return parameter(called) != nullptr || exports.contains(called); }

std::expected<Document, std::string> read_document(std::string_view notebook) {
  if (notebook.size() > kFileBytesMax) return std::unexpected("The file is larger than 8 MiB.");
  const auto tree = parse_json(notebook);
  if (!tree) return std::unexpected("The file is not JSON.");
  return read_tree(*tree);
}

std::expected<std::vector<Document>, std::string> read_file(std::string_view text) {
  if (text.size() > kFileBytesMax) return std::unexpected("The file is larger than 8 MiB.");
  const auto tree = parse_json(text);
  if (!tree || !tree->is_object()) return std::unexpected("The file is not JSON.");
  const json::object& file = tree->get_object();
  std::vector<std::expected<Document, std::string>> found;
  if (file.contains("items")) {
    found.push_back(read_tree(*tree));
  } else {
    json::object whole = file;
    if (file.contains("properties")) whole = json::object{{"resources", json::array{file}}};
    collect(whole, {}, found);
  }
  std::vector<Document> out;
  for (auto& one : found) {
    if (!one) return std::unexpected(one.error());
    out.push_back(*std::move(one));
  }
  if (out.empty()) return std::unexpected("The file holds no workbook.");
  return out;
}

}  // namespace picket::workbook
