/** How a data-plane thread ends without taking the process with it. */
#pragma once

#include <node_api.h>

namespace vigie::addon {

/** guardThread(life): the number of the thread's epoll instance. To be called after uWebSockets.js was loaded. */
napi_value guard_thread(napi_env env, napi_callback_info info);

/** cutOffWatched(epoll): how many descriptors of that thread were looked at; -1 when the kernel does not tell. */
napi_value cut_off_watched(napi_env env, napi_callback_info info);

/** unwatchedConnections(port, epolls, found): how many connections nobody watches; -1 when it cannot be known. */
napi_value unwatched_connections_of(napi_env env, napi_callback_info info);

/** cutOff(fd, inode): whether the descriptor still was that connection. */
napi_value cut_off_one(napi_env env, napi_callback_info info);

/** endProcess(code): at once, without waiting for threads that will never end. */
napi_value end_process(napi_env env, napi_callback_info info);

}  // namespace vigie::addon
