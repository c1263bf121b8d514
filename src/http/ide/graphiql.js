// Starts GraphiQL with this server's endpoint.

import { examples } from './examples.js';

const endpoint = new URL('../graphql', import.meta.url).href;
const send = GraphiQL.createFetcher({
  url: endpoint,
  subscriptionUrl: endpoint.replace(/^http/, 'ws'),
});

// The Headers editor starts with an empty bearer token; until it is filled in, requests are anonymous.
function fetcher(params, options = {}) {
  const headers = { ...options.headers };
  if (String(headers.Authorization ?? '').trim() === 'Bearer') delete headers.Authorization;
  if (params.operationName === 'IntrospectionQuery') return introspect(params, headers);
  return send(params, { ...options, headers });
}

// An expired token must not hide the documentation, so it is sent only if the server shows its schema to staff alone.
async function introspect(params, headers) {
  const { Authorization, ...anonymous } = headers;
  const response = await post(params, anonymous);
  return response.errors && Authorization ? post(params, headers) : response;
}

async function post(params, headers) {
  const body = JSON.stringify(params);
  const response = await fetch(endpoint, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body });
  return response.json();
}

ReactDOM.createRoot(document.getElementById('root')).render(
  React.createElement(
    GraphiQL,
    {
      fetcher,
      defaultQuery: examples,
      defaultHeaders: '{\n  "Authorization": "Bearer "\n}',
      defaultEditorToolsVisibility: 'headers',
      // The token survives a reload.
      shouldPersistHeaders: true,
    },
    React.createElement(GraphiQL.Logo, null, 'Souk'),
  ),
);
