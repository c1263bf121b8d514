// Starts GraphQL Playground with this server's endpoint.

import { examples } from './examples.js';

const endpoint = new URL('../graphql', import.meta.url).href;
const firstTab = {
  name: 'Welcome',
  endpoint,
  query: examples,
  variableEditorOpen: true,
  queryVariablesActive: false, // the lower editor shows the headers
};

// Playground stores its tabs in the browser, and tabs passed here would replace them: pass them to new visitors only.
const known = localStorage.getItem('graphql-playground') !== null;

GraphQLPlayground.init(document.getElementById('root'), {
  endpoint,
  subscriptionEndpoint: endpoint.replace(/^http/, 'ws'),
  tabs: known ? undefined : [firstTab],
  settings: { 'request.credentials': 'same-origin', 'schema.polling.enable': false },
  shareEnabled: false,
});
