// What a burst needed goes back to the device.
#pragma once

namespace picket::agent {

/// Gives free memory within the heap back to the kernel, and unmaps the program's own code and constants: what is used
/// again is mapped again from the file, 64 KiB at a time, and what only the start, a handshake or a snapshot needed is
/// not. Costs about 0.2 ms. Never fails; any thread.
void return_memory();

}  // namespace picket::agent
