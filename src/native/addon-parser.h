/**
 * uWebSockets.js's own objects behind those that JavaScript has. Each of the latter keeps a pointer in its first internal
 * field: a request's to the parser's request, a response's to its connection. That is private to uWebSockets.js, so it is
 * asked only of builds that were looked into.
 */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** Whether this process lets internal fields be read at all. */
bool parser_is_in_reach();

/** What `value`, called `name`, stands for, in use as long as the parser's handler runs. False, and thrown: nothing does. */
bool read_parsers_own(napi_env env, napi_value value, const char* name, void*& own);

}  // namespace vigie::addon
