/**
 * The items of a batch, found in as much of its body as has arrived. A scan consumes whole items alone and ends before
 * what is not whole, or not plain; the next one goes on from there, so it does not matter how the body was cut.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

/** Where a scan stands: among lines, more of which follow or not, or in the array of a JSON envelope. */
enum class BatchPlace : std::uint32_t {
  kLines = 0,
  /** The end of what there is ends the last line too. */
  kLastLines = 1,
  kBehindBracket = 2,
  kBehindComma = 3,
  kBehindItem = 4,
};
constexpr std::uint32_t kBatchPlaces = 5;

struct BatchScan {
  std::size_t count;
  /** Bytes that need not be looked at again. */
  std::size_t consumed;
  BatchPlace place;
};

/**
 * At most `room` items, and none beyond the one with which `most_bytes` are consumed: their places into `begins` and
 * `ends`. Lines end in LF or CRLF. In an envelope an item is a string, or an object that has it as its one member
 * `credential`, of printable ASCII without an escape: before anything else the scan ends, and the strict parser knows
 * what it is.
 */
BatchScan scan_batch(const std::uint8_t* bytes, std::size_t length, BatchPlace place, std::uint32_t* begins,
                     std::uint32_t* ends, std::size_t room, std::size_t most_bytes) noexcept;

}  // namespace vigie
