/**
 * Bodies that were read together with their heads: where they stand, and whether all of one is there, as the parser has
 * it in memory while it calls for the request.
 *
 * The parser writes two bytes behind all that it has read, CR and a letter, as a fence for its own scanning. What stands
 * behind the first such pair may have been read before, from anybody, and is not looked at. Where that pair stands right
 * behind a body, all of the body was read, and nothing else, unless its client sent the pair, with which no request begins.
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
 * head, when something else was read behind it, when it has a fence in it or many carriage returns, or when nobody can tell.
 * Of a parser that puts heads together as it does by itself (uWebSockets, UWS_HTTP_MAX_HEADERS_SIZE unset).
 */
Landed landed_body(const Header* headers, std::size_t length) noexcept;

}  // namespace vigie
