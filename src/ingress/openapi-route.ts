/** `GET /v1/openapi.json`: the contract as OpenAPI 3.1, rendered once. */
import { VERSION } from '../version.ts';
import { openapiDocument } from './openapi.ts';
import type { Route } from './route.ts';

export function openapiRoute(): Route {
  const body = JSON.stringify(openapiDocument(VERSION));
  return {
    method: 'GET',
    path: '/v1/openapi.json',
    name: 'openapi',
    handle: (exchange) => exchange.reply({ status: 200, contentType: 'application/json', body }),
  };
}
