mod graphql_documents;
mod graphql_http;
