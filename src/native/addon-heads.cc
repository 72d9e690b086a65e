/**
 * The functions; their contract stands in addon.ts.
 *
 * A request in JavaScript is an object whose first internal field points to the parser's own request, which begins with
 * its headers: an array of names and values, each a length and a pointer, that ends with a name at no
 * address. That is private
 * to uWebSockets.js, so head-reader.ts asks only for builds of it that were looked into.
 */
#include "addon-heads.h"

#include <new>

#include "addon-arguments.h"
#include "ingress/native/head-table.h"

#if defined(__linux__)
#include <dlfcn.h>
#endif

namespace vigie::addon {
namespace {

/** `v8::Object::SlowGetAlignedPointerFromInternalField(int)`; Node-API has no word for it. */
using InternalField = void* (*)(napi_value, int);
/** `v8::Object::InternalFieldCount() const`. */
using InternalFieldCount = int (*)(napi_value);

struct Reach {
  InternalField field = nullptr;
  InternalFieldCount count = nullptr;
};

Reach find_reach() {
  Reach reach;
#if defined(__linux__)
  reach.field = reinterpret_cast<InternalField>(
      dlsym(RTLD_DEFAULT, "_ZN2v86Object38SlowGetAlignedPointerFromInternalFieldEi"));
  reach.count = reinterpret_cast<InternalFieldCount>(dlsym(RTLD_DEFAULT, "_ZNK2v86Object18InternalFieldCountEv"));
#endif
  return reach;
}

const Reach& reach() {
  static const Reach found = find_reach();
  return found;
}

struct HeldTable {
  static constexpr std::uint32_t kHandle = 0x48454144;
  HeadTable table;
};

/** The headers of a request that is still being handled. */
bool read_headers(napi_env env, napi_value request, const Header*& headers) {
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, request, &type) != napi_ok || type != napi_object || reach().count(request) < 1) {
    return refuse_type(env, "request", "a request of uWebSockets.js");
  }
  headers = static_cast<const Header*>(reach().field(request, 0));
  return headers != nullptr || refuse(env, "the request is over");
}

}  // namespace

napi_value create_head_table(napi_env env, napi_callback_info) {
  if (reach().field == nullptr || reach().count == nullptr) return nullptr;
  auto* const handle = new (std::nothrow) Handle<HeldTable>;
  if (handle == nullptr) {
    refuse(env, "no memory for a table of heads");
    return nullptr;
  }
  return give_handle(env, handle);
}

napi_value find_head(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  HeldTable* held = nullptr;
  const Header* headers = nullptr;
  Doubles variables;
  if (!read_arguments(env, info, arguments, 3) || !read_handle(env, arguments[0], "table", held) ||
      !read_headers(env, arguments[1], headers) || !read_doubles(env, arguments[2], "variables", variables)) {
    return nullptr;
  }
  if (variables.length < 3) {
    refuse(env, "variables must have room for three");
    return nullptr;
  }
  HeadText head;
  HeadVariables found;
  std::size_t place = HeadTable::kNone;
  if (head.read(headers, found)) place = held->table.find(head);
  variables.data[0] = found.content_length;
  variables.data[1] = found.has_request_id ? 1 : 0;
  variables.data[2] = found.has_authorization ? 1 : 0;
  return number(env, place == HeadTable::kNone ? -1 : static_cast<double>(place));
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
  if (!read_arguments(env, info, arguments, 1)) return nullptr;
  if (reach().field == nullptr || reach().count == nullptr) {
    refuse(env, "the memory of a request cannot be reached");
    return nullptr;
  }
  if (!read_headers(env, arguments[0], headers)) return nullptr;
  return number(env, static_cast<double>(fault_of(headers)));
}

}  // namespace vigie::addon
