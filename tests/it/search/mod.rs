//! Search: results and their order, filters and facets, browsing, languages, rules, corrections and suggestions.

mod browsing;
mod codes;
mod corrections_and_facets;
mod documents;
mod languages;
mod results;
mod rules;
mod suggestions;
mod whole_words;
