/**
 * The functions; their contract stands in addon-requests.ts.
 *
 * The parser's own request begins with its headers: an array of names and values, each a length and a pointer, that ends
 * with a name at no address. That is private to uWebSockets.js, so it is asked only of builds that were looked into.
 */
#include "addon-heads.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "addon-arguments.h"
#include "addon-parser.h"
#include "ingress/native/body-landing.h"
#include "ingress/native/head-table.h"

namespace vigie::addon {
namespace {

struct HeldTable {
  static constexpr std::uint32_t kHandle = 0x48454144;
  HeadTable table;
};

/** How what was found is told, all of it in one number: that of FOUND_HEAD in addon-requests.ts. */
constexpr std::size_t kHasRequestId = HeadTable::kPlaces;
constexpr std::size_t kHasAuthorization = 2 * kHasRequestId;
constexpr std::size_t kHasLanded = 2 * kHasAuthorization;
constexpr double kLengthUnit = 2 * kHasLanded;
/** Beyond, it would not be a whole number any more. */
constexpr double kMostLength = 9007199254740992.0 / kLengthUnit;

/** The headers of a request that is still being handled. */
bool read_headers(napi_env env, napi_value request, const Header*& headers) {
  void* own = nullptr;
  if (!read_parsers_own(env, request, "request", own)) return false;
  headers = static_cast<const Header*>(own);
  return true;
}

/** Whether the parser puts heads that came in pieces together as landed_body knows it; it asks once, too. */
bool heads_are_put_together_as_known() {
  static const bool known = std::getenv("UWS_HTTP_MAX_HEADERS_SIZE") == nullptr;
  return known;
}

}  // namespace

napi_value create_head_table(napi_env env, napi_callback_info) {
  if (!parser_is_in_reach()) return nullptr;
  auto* const handle = new (std::nothrow) Handle<HeldTable>;
  if (handle == nullptr) {
    refuse(env, "no memory for a table of heads");
    return nullptr;
  }
  return give_handle(env, handle);
}

napi_value find_head(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  HeldTable* held = nullptr;
  const Header* headers = nullptr;
  Bytes room;
  std::uint32_t at = 0, most = 0;
  if (!read_arguments(env, info, arguments, 5) || !read_handle(env, arguments[0], "table", held) ||
      !read_headers(env, arguments[1], headers) || !read_room(env, arguments[2], "room", room) ||
      !read_count(env, arguments[3], "at", at) || !read_count(env, arguments[4], "most", most)) {
    return nullptr;
  }
  HeadText head;
  HeadVariables found;
  std::size_t place = HeadTable::kNone;
  if (head.read(headers, found)) place = held->table.find(head);
  if (place == HeadTable::kNone || found.content_length >= kMostLength) return number(env, -1);
  const std::size_t left = at <= room.length ? room.length - at : 0;
  bool has_landed = false;
  if (found.content_length <= most && found.content_length <= static_cast<double>(left) &&
      heads_are_put_together_as_known()) {
    const Landed body = landed_body(headers, static_cast<std::size_t>(found.content_length));
    has_landed = body.data != nullptr && body.length > 0;
    if (has_landed) std::memcpy(room.data + at, body.data, body.length);
  }
  const std::size_t marks = place | (found.has_request_id ? kHasRequestId : 0) |
                            (found.has_authorization ? kHasAuthorization : 0) | (has_landed ? kHasLanded : 0);
  return number(env, static_cast<double>(marks) + kLengthUnit * found.content_length);
}

napi_value learn_head(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  HeldTable* held = nullptr;
  const Header* headers = nullptr;
  if (!read_arguments(env, info, arguments, 2) || !read_handle(env, arguments[0], "table", held) ||
      !read_headers(env, arguments[1], headers)) {
    return nullptr;
  }
  HeadText head;
  HeadVariables found;
  return number(env, head.read(headers, found) ? static_cast<double>(held->table.learn(head)) : -1);
}

napi_value head_fault(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  const Header* headers = nullptr;
  if (!read_arguments(env, info, arguments, 1) || !read_headers(env, arguments[0], headers)) return nullptr;
  return number(env, static_cast<double>(fault_of(headers)));
}

}  // namespace vigie::addon
