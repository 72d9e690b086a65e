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
  /** Of them, how many have a proof. */
  std::size_t proofs;
  /** Bytes that need not be looked at again. */
  std::size_t consumed;
  BatchPlace place;
};

/** Stands for the place of a proof that an item does not have; as NO_PLACE of addon.ts. */
constexpr std::uint32_t kNoPlace = 0xffffffff;

/** Where the items found are put, by their number; `proof_begins[i]` is kNoPlace where item i has no proof. */
struct BatchItems {
  std::uint32_t* begins;
  std::uint32_t* ends;
  /** Not written to among lines, which have no proofs. */
  std::uint32_t* proof_begins;
  std::uint32_t* proof_ends;
};

/**
 * At most `room` items, and none beyond the one with which `most_bytes` are consumed: their places into `items`. Lines
 * end in LF or CRLF. In an envelope an item is a string, or an object that has it as its member `credential` and a
 * string `holderProof` beside it or not, of printable ASCII without an escape: before anything else the scan ends, and
 * the strict parser knows what it is.
 */
BatchScan scan_batch(const std::uint8_t* bytes, std::size_t length, BatchPlace place, const BatchItems& items,
                     std::size_t room, std::size_t most_bytes) noexcept;

}  // namespace vigie
