#include "body-landing.h"

#include <cstring>

namespace vigie {
namespace {

/**
 * A head that came in pieces is put together elsewhere, with what follows it, up to this many bytes (uWebSockets,
 * MAX_FALLBACK_SIZE): when it is full, the fence does not say that nothing stands behind.
 */
constexpr std::size_t kMostPutTogether = 4096;
/** A frame of the PROXY protocol before the head counts among them, of which only so much is read (version 2). */
constexpr std::size_t kMostBeforeHead = 52;

/** A body with more carriage returns is not searched to its end. JSON on lines has some; each costs a search of its own. */
constexpr int kMostReturns = 64;

/** The two line ends behind the last header. */
constexpr std::size_t kEndOfHead = 4;

/** Where the head ends. The parser has seen to the carriage return that ends every line. */
const char* behind_head(const Header* headers) {
  const Header* last = headers;
  while (last[1].name.data != nullptr) ++last;
  const char* at = last->value.data + last->value.length;
  while (*at != '\r') ++at;
  return at + kEndOfHead;
}

/** Whether the first fence from `body` on stands behind so many bytes: nothing is read beyond it. */
bool is_fenced_behind(const char* body, std::size_t length) {
  const char* const end = body + length;
  const char* at = body;
  for (int returns = 0; at <= end && returns <= kMostReturns; ++returns, ++at) {
    at = static_cast<const char*>(std::memchr(at, '\r', static_cast<std::size_t>(end - at) + 1));
    if (at == nullptr) return false;
    if (at[1] == 'a') return at == end;
  }
  return false;
}

/** Whether a head and body of so many bytes may have filled what the parser puts together. */
bool may_have_filled(std::size_t bytes) {
  return bytes + kMostBeforeHead >= kMostPutTogether && bytes <= kMostPutTogether;
}

}  // namespace

Landed landed_body(const Header* headers, std::size_t length) noexcept {
  const char* const body = behind_head(headers);
  const char* const head = headers[0].name.data;
  if (length == 0 || may_have_filled(static_cast<std::size_t>(body - head) + length)) return {};
  return is_fenced_behind(body, length) ? Landed{body, length} : Landed{};
}

}  // namespace vigie
