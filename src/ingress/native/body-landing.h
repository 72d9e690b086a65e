/**
 * Bodies that were read together with their heads: where they stand, and whether all of one is there, as the parser has
 * it in memory while it calls for the request.
 *
 * The parser writes two bytes behind all that it has read, CR and a letter, as a fence for its own scanning. A body goes on
 * no further than to the first such pair, then: where that stands right behind it, all of the body was read, and nothing
 * else. What stands behind the fence was read before, from anybody.
 */
#pragma once

#include <cstddef>

#include "head-table.h"

namespace vigie {

/** A body, where it was read. */
struct Landed {
  const char* data = nullptr;
  std::size_t length = 0;
};

/**
 * The body of so many bytes behind a head that HeadText could read; at no address when not all of it was read with its
 * head, when something else was read behind it, when it has a fence's bytes in it, or when nobody can tell.
 */
Landed landed_body(const Header* headers, std::size_t length) noexcept;

}  // namespace vigie
