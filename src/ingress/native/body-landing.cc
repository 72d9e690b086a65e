#include "body-landing.h"

#include <cstring>

namespace vigie {
namespace {

/**
 * A head that came in pieces is put together elsewhere, with what follows it up to this many bytes (uWebSockets,
 * MAX_FALLBACK_SIZE): there the fence does not say that nothing stands behind.
 */
constexpr std::size_t kMostPutTogether = 4096;

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
  for (const char* at = body; at <= end; ++at) {
    at = static_cast<const char*>(std::memchr(at, '\r', static_cast<std::size_t>(end - at) + 1));
    if (at == nullptr) return false;
    if (at[1] == 'a') return at == end;
  }
  return false;
}

}  // namespace

Landed landed_body(const Header* headers, std::size_t length) noexcept {
  const char* const body = behind_head(headers);
  const char* const head = headers[0].name.data;
  if (length == 0 || static_cast<std::size_t>(body - head) + length == kMostPutTogether) return {};
  return is_fenced_behind(body, length) ? Landed{body, length} : Landed{};
}

}  // namespace vigie
