#include "addon-parser.h"

#include "addon-arguments.h"

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

}  // namespace

bool parser_is_in_reach() { return reach().field != nullptr && reach().count != nullptr; }

bool read_parsers_own(napi_env env, napi_value value, const char* name, void*& own) {
  if (!parser_is_in_reach()) return refuse(env, "the parser's memory cannot be reached");
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object || reach().count(value) < 1) {
    return refuse_type(env, name, "one of uWebSockets.js");
  }
  own = reach().field(value, 0);
  return own != nullptr || refuse(env, "the request is over");
}

}  // namespace vigie::addon
