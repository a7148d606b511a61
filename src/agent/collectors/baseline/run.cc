#include "baseline/run.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

/// File systems whose files lie on this device.
constexpr std::string_view kLocalTypes =
    " ext2 ext3 ext4 xfs btrfs f2fs jffs2 ubifs yaffs2 vfat exfat tmpfs zfs squashfs erofs jfs nilfs2 ";

std::string letters(std::string_view text) {
  std::string out = lower(text);
  std::erase_if(out, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')); });
  return out;
}

NameSet ids_of(std::string_view text) {
  NameSet out;
  for_each_line(text, "#", [&](std::string_view line) {
    for (int i = 0; i < 2; ++i) line.remove_prefix(std::min(line.find(':') + 1, line.size()));
    if (const auto id = number_of(line.substr(0, line.find(':')))) out.add_id(static_cast<std::uint64_t>(*id));
    return true;
  });
  out.sort();
  return out;
}

class Evaluation {
 public:
  Evaluation(const Strings& strings, Facts& facts) : strings_(strings), facts_(facts) {}

  Verdict run(Bytes tree, std::size_t depth) {
    if (depth >= kTreeDepthMax) return broken("it is too deep");
    const auto node = read_node(tree, strings_);
    if (!node) return broken(node.error().where);
    if (node->kind == Node::Kind::procedure) {
      const Procedure* const procedure = find_procedure(node->procedure);
      Verdict out;
      if (procedure == nullptr) {
        observe(out.observed, "this agent does not know ", node->procedure);
        return out;
      }
      Check check{tree, node->parameters, facts_, out.observed};
      out.state = procedure->run(check);
      return out;
    }
    if (node->kind == Node::Kind::negation) {
      Verdict out = run(node->children[0], depth + 1);
      if (out.state == State::pass || out.state == State::fail) out.state = pass_if(out.state == State::fail);
      return out;
    }
    return combine(*node, depth);
  }

 private:
  /// all: one failure is enough, else one error; any: one pass is enough, else one error. What does not apply does not
  /// count, unless nothing else is there. Only what decided is observed.
  Verdict combine(const Node& node, std::size_t depth) {
    const bool all = node.kind == Node::Kind::all;
    const State decides = all ? State::fail : State::pass, otherwise = all ? State::pass : State::fail;
    Verdict out{State::skip, {}};
    for (const Bytes child : node.children) {
      Verdict one = run(child, depth + 1);
      if (one.state == decides) return one;
      observe(out.observed, one.observed);
      if (one.state == State::error || out.state == State::skip) out.state = one.state;
      if (one.state == otherwise && out.state != State::error) out.state = otherwise;
    }
    return out;
  }
  static Verdict broken(std::string_view why) {
    Verdict out;
    observe(out.observed, "broken rule: ", why);
    return out;
  }

  const Strings& strings_;
  Facts& facts_;
};

}  // namespace

bool Choice::includes(const Rule& rule) const {
  if (!only.empty()) return rule.id == only || rule.reference == only;
  if (rule.level > level_max || (rule.profiles & profile) == 0) return false;
  const std::string group = letters(rule.group);
  const auto same_group = [&](const std::string& each) { return letters(each) == group; };
  const auto same_check = [&](const std::string& each) {
    return equal_ignoring_case(each, rule.id) || (!rule.reference.empty() && each == rule.reference);
  };
  return std::ranges::none_of(groups_disabled, same_group) && std::ranges::none_of(checks_disabled, same_check);
}

Verdict evaluate(Bytes tree, const Strings& strings, Facts& facts) { return Evaluation(strings, facts).run(tree, 0); }

Verdict check_rule(const Rule& rule, const Strings& strings, Facts& facts) {
  if (!rule.applies.empty()) {
    Verdict applies = evaluate(rule.applies, strings, facts);
    if (applies.state == State::error) return applies;
    if (applies.state != State::pass) return {State::skip, std::move(applies.observed)};
  }
  return evaluate(rule.check, strings, facts);
}

BaselineRun::BaselineRun(const Root& root, std::vector<Content> contents, Choice choice, RuleSink sink)
    : root_(root), contents_(std::move(contents)), choice_(std::move(choice)), sink_(std::move(sink)), facts_(root) {}

bool BaselineRun::step() {
  switch (phase_) {
    case Phase::packages:
      if (!facts_.step_packages()) phase_ = Phase::plan;
      break;
    case Phase::plan:
      plan();
      phase_ = Phase::walk;
      if (facts_.walk.empty()) {
        facts_.walk.done = true;
        phase_ = Phase::rules;
      } else {
        plan_walk();
      }
      break;
    case Phase::walk: {
      const auto visitor = [this](const FileWalk::Entry& entry) {
        bool enter = true;
        visit(entry, enter);
        return enter;
      };
      if (walk_->step(kWalkEntries, visitor)) break;
      facts_.walk.done = true;
      facts_.walk.skipped = walk_->skipped();
      walk_.reset();
      phase_ = Phase::rules;
      break;
    }
    case Phase::rules:
      if (!next_rule()) phase_ = Phase::done;
      break;
    case Phase::done:
      break;
  }
  return phase_ != Phase::done;
}

// ---- the walk ----

void BaselineRun::plan() {
  for (const Content& content : contents_) {
    for (std::size_t i = 0; i < content.size(); ++i) {
      const auto rule = content.rule(i);
      if (!rule || !choice_.includes(*rule)) continue;
      plan_tree(rule->applies, content.strings(), 0);
      plan_tree(rule->check, content.strings(), 0);
    }
  }
}

void BaselineRun::plan_tree(Bytes tree, const Strings& strings, std::size_t depth) {
  if (tree.empty() || depth >= kTreeDepthMax) return;
  const auto node = read_node(tree, strings);
  if (!node) return;
  if (node->kind == Node::Kind::procedure) {
    if (node->procedure == "files") (void)facts_.walk.add(tree, node->parameters);
    return;
  }
  for (const Bytes child : node->children) plan_tree(child, strings, depth + 1);
}

void BaselineRun::plan_walk() {
  facts_.walk.set_ids(ids_of(facts_.text("/etc/passwd").text), ids_of(facts_.text("/etc/group").text));
  std::vector<std::string> starts{""};
  if (const auto* mounts = facts_.mounts(); mounts != nullptr && root_.live()) {
    std::vector<dev_t> seen;
    struct stat info{};
    if (root_.stat("/", info) == Found::yes) seen.push_back(info.st_dev);
    for (const Mount& mount : *mounts) {
      if (!kLocalTypes.contains(join({" ", mount.type, " "}))) continue;
      // A file system that is mounted twice is looked at once.
      if (root_.stat(mount.path, info) != Found::yes || std::ranges::find(seen, info.st_dev) != seen.end()) continue;
      seen.push_back(info.st_dev);
      starts.push_back(mount.path);
    }
  }
  walk_ = std::make_unique<FileWalk>(root_.path(), std::move(starts));
}

void BaselineRun::visit(const FileWalk::Entry& entry, bool& enter) {
  struct stat info{};
  if (entry.kind == FileWalk::Kind::link || entry.kind == FileWalk::Kind::other) return;
  if (fstatat(entry.folder, std::string(entry.name).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return;
  facts_.walk.look(entry.path.substr(root_.path().size()), entry.name, info);
  enter = true;
}

// ---- rules ----

bool BaselineRun::next_rule() {
  while (content_ < contents_.size()) {
    const Content& content = contents_[content_];
    if (rule_ >= content.size()) {
      ++content_;
      rule_ = 0;
      continue;
    }
    const auto rule = content.rule(rule_++);
    if (!rule) {
      ++broken_;
      continue;
    }
    if (!choice_.includes(*rule)) continue;
    sink_(*rule, check_rule(*rule, content.strings(), facts_));
    facts_.forget_texts();
    return true;
  }
  return false;
}

}  // namespace picket::agent::baseline
