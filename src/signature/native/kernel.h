/**
 * The signature kernel: the one contract over its implementations.
 *
 * Every implementation gives, on every input, the verdict of the equation of the acceptance rule
 * `vigie-ed25519-1` (SECURITY.md): the signature is R || S with S < L; A is decoded as OpenSSL does (the low 255
 * bits taken modulo p, x = 0 accepted with either sign bit, small order accepted); k = SHA-512(R || A || M) mod L
 * over the received bytes (RFC 8032 section 5.1.7); it holds if and only if the canonical encoding of
 * [S]B - [k]A equals the 32 received bytes of R, and R is not the encoding of the identity. Each signature is
 * judged on its own: nothing is combined, so a neighbour changes nothing.
 *
 * Not constant time: keys, signatures and messages are public.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace vigie {

enum class Implementation { kPortable, kIfma };

/** The window widths (bits) that prepare_key takes: wider is faster and larger (2.2 MB at 11, 0.37 MB at 8). */
constexpr int kMinWindowBits = 4;
constexpr int kMaxWindowBits = 12;

/** A key with its table of multiples; immutable once made, so any number of threads may read it. */
class PreparedKey;

struct PreparedKeyDeleter {
  void operator()(PreparedKey* key) const noexcept;
};
using PreparedKeyPtr = std::unique_ptr<PreparedKey, PreparedKeyDeleter>;

/** Bytes that a prepared key of this window occupies, all told. */
std::size_t prepared_key_bytes(int window_bits) noexcept;

/**
 * Decodes the 32 bytes and builds the table: milliseconds, so off any event loop. Null when memory is short. A
 * key that does not decode is prepared too: every signature by it is refused.
 */
PreparedKeyPtr prepare_key(const std::uint8_t public_key[32], int window_bits) noexcept;

/** One signature to check. The bytes are read during the call; they must not change meanwhile. */
struct Check {
  /** Known key with its table; null to check by `public_key` alone. */
  const PreparedKey* key;
  /** The 32 raw bytes of A; read whether or not `key` is given, and equal to the bytes it was prepared from. */
  const std::uint8_t* public_key;
  /** The 64 bytes R || S. */
  const std::uint8_t* signature;
  const std::uint8_t* message;
  std::size_t message_length;
};

/** Whether this CPU and this operating system run the implementation (CPUID and XGETBV). */
bool supported(Implementation implementation) noexcept;

/**
 * Makes the tables of the base point: once, before anything else; later calls are free. Thread-safe. False when
 * memory is short.
 */
bool initialise() noexcept;

/**
 * Judges `count` checks, any number, known and unknown keys mixed: verdicts[i] becomes 1 when the signature
 * holds, 0 when it does not. Allocates nothing; stack use is bounded. Preconditions: initialise() was true and
 * supported(implementation) is.
 */
void verify_batch(Implementation implementation, const Check* checks, std::size_t count,
                  std::uint8_t* verdicts) noexcept;

}  // namespace vigie
