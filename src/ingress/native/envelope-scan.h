/**
 * Plain envelopes: bodies in JSON whose strings need no decoding. They are read where they lie; all others, and all
 * that are wrong, are left to the strict parser (`ingress/envelope.ts`), which knows what to answer.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigie {

/** A string's characters between its quotes, by places in the body. */
struct Place {
  std::uint32_t begin;
  std::uint32_t end;
};

struct SingleEnvelope {
  Place credential;
  Place audience;
  bool has_audience;
};

/**
 * `{"credential": "…", "audience"?: "…", "channel"?: "qr"|"nfc"}`, in any order, each once, of printable ASCII without
 * an escape. False: not plain.
 */
bool scan_single_envelope(const std::uint8_t* body, std::size_t length, SingleEnvelope& envelope) noexcept;

/**
 * `{"credentials": ["…", …]}` with at most `room` strings, likewise. The count of them, their places in `begins` and
 * `ends`; kNotPlain when it is not plain or has more.
 */
constexpr std::size_t kNotPlain = static_cast<std::size_t>(-1);
std::size_t scan_batch_envelope(const std::uint8_t* body, std::size_t length, std::uint32_t* begins,
                                std::uint32_t* ends, std::size_t room) noexcept;

/**
 * Lines that end in LF or CRLF; the end of the body ends the last one too, unless it is empty. kNotPlain when there are
 * more than `room`.
 */
std::size_t scan_lines(const std::uint8_t* body, std::size_t length, std::uint32_t* begins, std::uint32_t* ends,
                       std::size_t room) noexcept;

}  // namespace vigie
