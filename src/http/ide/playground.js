// Starts GraphQL Playground against this server's endpoint.

import { examples } from './examples.js';

const endpoint = new URL('../graphql', import.meta.url).href;
const firstTab = {
  name: 'Welcome',
  endpoint,
  query: examples,
  variableEditorOpen: true,
  queryVariablesActive: false, // the lower editor shows the headers
};

// Playground keeps its tabs in the browser, and tabs given here would replace them: give them to newcomers only.
const known = localStorage.getItem('graphql-playground') !== null;

GraphQLPlayground.init(document.getElementById('root'), {
  endpoint,
  subscriptionEndpoint: endpoint.replace(/^http/, 'ws'),
  tabs: known ? undefined : [firstTab],
  settings: { 'request.credentials': 'same-origin', 'schema.polling.enable': false },
  shareEnabled: false,
});
