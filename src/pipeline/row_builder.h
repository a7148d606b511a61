// Decoded events as rows of their family's table, and what could not be decoded as rows of DeadLetter.
#pragma once

#include <array>
#include <map>
#include <string>

#include "journal/record.h"
#include "message/decoder.h"
#include "message/event_table.h"
#include "row_batch.h"
#include "workspace/schema.h"

namespace picket::pipeline {

class RowBuilder {
 public:
  RowBuilder(const workspace::Schema& schema, std::string installation_id);

  /// `record` and the message that holds `event` and `item` live as long as the batch's content.
  void add_item(const journal::RecordView& record, const message::SecurityMessage& message, const message::Event& event,
                const message::Item& item, workspace::RowId id, Timestamp time, RowBatch& batch);
  /// `event` of the row id: the event that was rejected, 0 for a whole message.
  void add_dead_letter(const journal::RecordView& record, const Error& error, std::uint32_t event,
                       RowBatch& batch) const;

 private:
  std::string_view resource_of(std::string_view hub);

  std::string installation_id_;
  std::array<workspace::TableIndex, message::kTables> family_tables_{};
  workspace::TableIndex dead_letter_table_ = 0;
  std::map<std::string, std::string, std::less<>> resources_;  // hub -> AssociatedResourceId
};

}  // namespace picket::pipeline
