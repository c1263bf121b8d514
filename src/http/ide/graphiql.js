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
  // The schema is public: an expired token must not hide the documentation.
  if (params.operationName === 'IntrospectionQuery') delete headers.Authorization;
  return send(params, { ...options, headers });
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
