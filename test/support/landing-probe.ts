/** A program: answers the same call three times over one socket, and says of how many the body has landed (body-landing.test.ts). */
import { App, us_socket_local_port } from 'uWebSockets.js';
import { connect } from 'node:net';
import { createHeadReader } from '../../src/ingress/head-reader.ts';
import { nativeAddon } from './path-world.ts';

const CALLS = 3;
const reader = createHeadReader(nativeAddon(), () => process.exit(1));
const room = { bytes: new Uint8Array(100), at: () => 0, mostBytes: 100 };
let called = 0;
let landed = 0;
App()
  .post('/*', (res, req) => {
    if (reader.read(req, room).hasLanded) landed++;
    called++;
    res.end();
  })
  .listen('127.0.0.1', 0, (listening) => {
    if (listening === false) process.exit(1);
    const socket = connect({ port: us_socket_local_port(listening), host: '127.0.0.1', noDelay: true });
    const call = () => socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
    socket.on('connect', call).on('data', () => {
      if (called < CALLS) return void call();
      console.log(landed);
      process.exit(0);
    });
  });
