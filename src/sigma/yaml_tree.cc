#include "yaml_tree.h"

#include <algorithm>
#include <istream>
#include <map>
#include <streambuf>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace picket::sigma {
namespace {

/// Reads a text in place.
class TextBuffer final : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // a get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

std::uint32_t line_of(const YAML::Mark& mark) { return mark.line < 0 ? 0 : static_cast<std::uint32_t>(mark.line) + 1; }

bool plain_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

/// Builds the tree of one document after the other.
class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode::Pointer take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp makes empty documents without end of a ',' or ']' that belongs to nothing.
    if (mark.pos == started_) {
      throw YamlFault{line_of(mark), "this is not YAML: a character belongs to nothing", "Mind brackets and commas."};
    }
    started_ = mark.pos;
    root_.reset();
    open_.clear();
    anchors_.clear();
    nodes_ = 0;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(make(YamlNode::Kind::null, mark), anchor); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw YamlFault{line_of(mark), "an alias stands inside what it stands for", "Write the value out."};
    }
    count(found->second.second, mark);
    place(found->second.first, mark, found->second.second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (value.size() > kScalarBytesMax) {
      throw YamlFault{line_of(mark), "a text has more than " + std::to_string(kScalarBytesMax) + " bytes",
                      "Shorten it."};
    }
    const bool plain = tag == "?";
    if (!plain && tag != "!" && tag != "tag:yaml.org,2002:str") {
      throw YamlFault{line_of(mark), "the YAML tag '" + tag + "' is not supported", "Leave it out."};
    }
    auto node = make(plain && plain_null(value) ? YamlNode::Kind::null : YamlNode::Kind::scalar, mark);
    node->plain = plain;
    node->text = value;
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::list, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    std::size_t nodes_before = 0;
    bool key_next = true;  ///< Of a map: what comes is a key.
  };

  void count(std::size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > kYamlNodesMax) {
      throw YamlFault{line_of(mark),
                      "the document has more than " + std::to_string(kYamlNodesMax) + " values, aliases written out",
                      "Divide it into several."};
    }
  }
  std::shared_ptr<YamlNode> make(YamlNode::Kind kind, const YAML::Mark& mark) {
    count(1, mark);
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->line = line_of(mark);
    return node;
  }
  void add(std::shared_ptr<YamlNode> node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = {node, 1};
    YAML::Mark mark;
    mark.line = static_cast<int>(node->line) - 1;
    place(std::move(node), mark, 1);
  }
  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() == kYamlDepthMax) {
      throw YamlFault{line_of(mark), "lists and maps are more than " + std::to_string(kYamlDepthMax) + " deep",
                      "Nest less."};
    }
    if (!open_.empty() && open_.back().node->is_map() && open_.back().key_next) {
      throw YamlFault{line_of(mark), "a list or map is used as a key", "Keys are texts."};
    }
    const std::size_t before = nodes_;
    open_.push_back({make(kind, mark), anchor, before, true});
  }
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    const std::size_t weight = nodes_ - done.nodes_before;
    if (done.anchor != 0) anchors_[done.anchor] = {done.node, weight};
    YAML::Mark mark;
    mark.line = static_cast<int>(done.node->line) - 1;
    place(std::move(done.node), mark, weight);
  }
  void place(YamlNode::Pointer node, const YAML::Mark& mark, std::size_t weight) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (!parent.node->is_map()) {
      deep_enough(*node, open_.size(), mark, weight);
      parent.node->items.push_back(std::move(node));
      return;
    }
    if (parent.key_next) {
      add_key(parent, *node, mark);
    } else {
      deep_enough(*node, open_.size(), mark, weight);
      parent.node->items.push_back(std::move(node));
      parent.key_next = true;
    }
  }
  void add_key(Open& parent, const YamlNode& node, const YAML::Mark& mark) {
    if (!node.is_scalar()) throw YamlFault{line_of(mark), "a key is not a text", "Keys are texts."};
    if (node.plain && node.text == "<<") {
      throw YamlFault{line_of(mark), "the merge key '<<' is not supported", "Write the keys out."};
    }
    const auto same = [&](const auto& key) { return key.first == node.text; };
    if (parent.node->keys.size() >= kKeysMax) {
      throw YamlFault{line_of(mark), "a map has more than " + std::to_string(kKeysMax) + " keys", "Divide it."};
    }
    if (std::ranges::any_of(parent.node->keys, same)) {
      throw YamlFault{line_of(mark), "the key '" + node.text + "' stands twice in one map", "Keep one of them."};
    }
    parent.node->keys.emplace_back(node.text, line_of(mark));
    parent.key_next = false;
  }
  /// An alias may bring depth with it.
  static void deep_enough(const YamlNode& node, std::size_t depth, const YAML::Mark& mark, std::size_t weight) {
    if (weight <= 1 || depth + depth_of(node) <= kYamlDepthMax) return;
    throw YamlFault{line_of(mark), "lists and maps are more than " + std::to_string(kYamlDepthMax) + " deep",
                    "Nest less."};
  }
  static std::size_t depth_of(const YamlNode& node) {
    std::size_t deepest = 0;
    for (const auto& item : node.items) deepest = std::max(deepest, depth_of(*item));
    return node.is_list() || node.is_map() ? deepest + 1 : 0;
  }

  static constexpr std::size_t kKeysMax = 1'024;

  YamlNode::Pointer root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, std::pair<YamlNode::Pointer, std::size_t>> anchors_;
  std::size_t nodes_ = 0;
  int started_ = -1;  ///< Where the latest document begins.
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size() && i < items.size(); ++i) {
    if (keys[i].first == key) return items[i].get();
  }
  return nullptr;
}

YamlFile read_yaml(std::string_view text) {
  YamlFile out;
  if (text.size() > kFileBytesMax) {
    out.faults.push_back({0, "the file has more than " + std::to_string(kFileBytesMax) + " bytes", "Divide it."});
    return out;
  }
  TextBuffer buffer(text);
  std::istream in(&buffer);
  try {
    YAML::Parser parser(in);
    TreeBuilder builder;
    std::size_t documents = 0;
    while (parser.HandleNextDocument(builder)) {
      if (++documents > kDocumentsMax) {
        throw YamlFault{0, "the file has more than " + std::to_string(kDocumentsMax) + " documents", "Divide it."};
      }
      auto root = builder.take();
      if (root && !root->is_null()) out.documents.push_back(std::move(root));
    }
  } catch (const YamlFault& fault) {
    out.faults.push_back(fault);
  } catch (const YAML::Exception& exception) {
    out.faults.push_back(
        {line_of(exception.mark), "this is not YAML: " + exception.msg, "Mind indentation and quotation marks."});
  }
  return out;
}

}  // namespace picket::sigma
