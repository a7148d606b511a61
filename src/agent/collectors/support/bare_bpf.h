// BPF programs without BTF and without a skeleton: tables of instructions, made by ../bpf/embed_programs.py, that are
// fitted to this kernel as they are loaded.
#pragma once

#include <cstdint>
#include <span>

#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "base/core/file.h"
#include "base/core/result.h"

/// In the tables: this instruction names that map.
struct picket_program_use {
  unsigned instruction;
  unsigned map;
};

namespace picket::agent {

struct BareProgram {
  std::span<const unsigned long long> instructions;
  std::span<const picket_program_use> uses;
};

/// Where struct pt_regs has what our programs read; it is written at every entry to the kernel, so it has not moved
/// since these architectures are there.
struct KernelRegisters {
  const char* machine;  ///< As uname(2) says: of the kernel, which may be wider than this program.
  std::uint32_t word_bytes, stack, first_argument, fourth_argument, returned;
};
/// Errors: unsupported (architecture).
Result<KernelRegisters> kernel_registers();

/// bpf(BPF_MAP_CREATE). Errors: io.
Result<UniqueFd> make_bpf_map(bpf_map_type type, std::uint32_t key_bytes, std::uint32_t value_bytes,
                              std::uint32_t entries, std::uint32_t flags = 0);

/// bpf(BPF_MAP_UPDATE_ELEM). Errors: io.
Result<> update_bpf_map(const UniqueFd& map, const void* key, const void* value);

/// What kernels know: from 5.8 on the helpers that our programs call; those before have older ones, with the same
/// arguments, which do not tell memory of the user from the kernel's, and a clock that stands still while the device
/// sleeps.
enum class BpfHelpers : bool { modern, before_5_8 };

/// Loads `program`. Constants of 64 bits in it that are `patch_base` + i become patches[i]. Errors: io (refused).
Result<UniqueFd> load_bare_program(const BareProgram& program, bpf_prog_type type, std::span<const UniqueFd> maps,
                                   std::uint64_t patch_base, std::span<const std::uint32_t> patches,
                                   BpfHelpers helpers = BpfHelpers::modern);

/// Opens the event and gives it the program, which then runs on every CPU until the descriptor is closed. Errors: io.
Result<UniqueFd> attach_bare_program(perf_event_attr event, const UniqueFd& program);

}  // namespace picket::agent
