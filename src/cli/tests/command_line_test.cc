#include "command_line.h"

#include <sstream>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// picket device {add ID [--limit N], list}, picket alert list.
class Program {
 public:
  Program() {
    app_.name("picket");
    app_.require_subcommand(1);
    auto* device = app_.add_subcommand("device", "devices and their keys");
    device->require_subcommand(1);
    auto* add = device->add_subcommand("add", "add a device");
    add->add_option("ID", id_, "device id")->required();
    add->add_option("--limit", limit_, "rows at most")->check(CLI::Range(1, 500))->capture_default_str();
    device->add_subcommand("list", "list devices")->add_flag("--json", json_, "print JSON");
    app_.add_subcommand("alert", "alerts")->require_subcommand(1)->add_subcommand("list", "list alerts");
    give_manners(app_);
  }

  /// What it prints to a person who wrote this; empty: it was understood.
  std::string said(std::vector<std::string> words) {
    std::ranges::reverse(words);
    std::ostringstream out;
    try {
      app_.parse(words);
    } catch (const CLI::ParseError& error) {
      app_.exit(error, out, out);
    }
    return out.str();
  }

 private:
  CLI::App app_{"Picket"};
  std::string id_;
  int limit_ = 100;
  bool json_ = false;
};

TEST(CommandLine, NamesTheNearestCommandAndAllThereAre) {
  const std::string said = Program().said({"device", "lst"});
  EXPECT_THAT(said, StartsWith("picket device: there is no 'lst'. Did you mean 'list'?"));
  EXPECT_THAT(said, HasSubstr("add                  add a device"));
  EXPECT_THAT(said, HasSubstr("More: picket device --help"));
}

TEST(CommandLine, NamesTheNearestCommandOfTheProgramItself) {
  EXPECT_THAT(Program().said({"devise", "list"}), StartsWith("picket: there is no 'devise'. Did you mean 'device'?"));
  EXPECT_THAT(Program().said({"xyzzy"}), StartsWith("picket: there is no 'xyzzy'. There is\n"));
}

TEST(CommandLine, SaysWhatThereIsWhenNothingWasSaid) {
  EXPECT_THAT(Program().said({"alert"}), StartsWith("picket alert: say what to do, one of\n  list "));
  EXPECT_THAT(Program().said({}), HasSubstr("device"));
}

TEST(CommandLine, NamesTheCommandThatLacksAnArgument) {
  EXPECT_THAT(Program().said({"device", "add"}), StartsWith("picket device add: ID is required\n"));
}

TEST(CommandLine, NamesTheNearestOption) {
  EXPECT_THAT(Program().said({"device", "add", "a", "--limt", "3"}),
              StartsWith("picket device add: there is no option '--limt'. Did you mean '--limit'?"));
  EXPECT_THAT(Program().said({"device", "add", "a", "b"}), StartsWith("picket device add: 'b' is one word too many"));
}

TEST(CommandLine, SaysWhichValueIsOutOfBounds) {
  EXPECT_THAT(Program().said({"device", "add", "a", "--limit", "0"}),
              HasSubstr("--limit: Value 0 not in range 1 to 500"));
}

TEST(CommandLine, HelpNamesBoundsAndDefaultInWords) {
  const std::string help = Program().said({"device", "add", "--help"});
  EXPECT_THAT(help, HasSubstr("rows at most (1 to 500; default 100)"));
  EXPECT_THAT(help, HasSubstr("Usage: picket device add [OPTIONS] ID"));
  EXPECT_THAT(help, HasSubstr("--limit N "));
  EXPECT_THAT(help, Not(HasSubstr("UINT")));
  EXPECT_THAT(help, Not(HasSubstr("REQUIRED")));
}

TEST(CommandLine, HelpListsCommands) {
  EXPECT_THAT(Program().said({"device", "--help"}), HasSubstr("Commands:\n  add "));
}

TEST(CommandLine, HelpGivesFlagsNoValue) {
  EXPECT_THAT(Program().said({"device", "list", "--help"}), HasSubstr("--json  "));
}

TEST(CommandLine, WhatIsPrintedOfAWordCannotSteerTheTerminal) {
  EXPECT_THAT(Program().said({"device", "\x1b[31m"}), Not(HasSubstr("\x1b")));
}

TEST(Nearest, IsNobodyWhereNobodyIsNear) {
  const std::vector<std::string> known{"list", "show", "connection-string"};
  EXPECT_EQ(nearest("lsit", known), "list");
  EXPECT_EQ(nearest("conn", known), "connection-string");
  EXPECT_EQ(nearest("conection-string", known), "connection-string");
  EXPECT_EQ(nearest("remove", known), "");
  EXPECT_EQ(nearest("", known), "");
}

}  // namespace
}  // namespace picket::cli
