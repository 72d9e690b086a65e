/** Inputs of the kernel that more than one test wants, and the ways to put them to it. */
#pragma once

#include <string>

#include "implementation.h"
#include "reference.h"

namespace cases {

using reference::Triple;

/** RFC 8032 section 7.1: all valid. */
std::vector<Triple> rfc_8032();

/** The 14 encodings that decode to points of order 1, 2, 4 or 8, six of them not canonical. */
std::vector<std::array<std::uint8_t, 32>> low_order_encodings();

/** A byte changed: of the message, R, S or the key; `which` chooses. */
Triple spoiled(const Triple& triple, unsigned which);

/** The first key bytes from `seed` on that are no point. */
std::array<std::uint8_t, 32> undecodable_key(std::uint64_t seed);

/** libcrypto's verdict where it is linked in, else the reference's; both of them agree, but for R = identity. */
bool oracle(const Triple& triple);

/** Puts a triple alone, as an unknown key and as a known one by several windows, to every implementation. */
void expect(const Triple& triple, bool verdict, const char* what);

vigie::Check check_of(const Triple& triple, const vigie::PreparedKey* key);

}  // namespace cases
