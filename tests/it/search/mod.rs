//! Search: results and their order, filters and facets, languages, rules, corrections and suggestions.

mod codes;
mod corrections_and_facets;
mod languages;
mod results;
mod rules;
mod suggestions;
