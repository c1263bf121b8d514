//! GraphQL types and query of countries, for address forms. No database is needed.

use souk_macros::object;

use crate::{
    graphql::engine::scalars::CountryCode,
    postal::{self, PostalCodeRule},
};

/// A country or territory.
pub struct Country(&'static postal::Country);

/// A country or territory, and what an address in it consists of.
#[object]
impl Country {
    /// Code of the country.
    fn code(&self) -> CountryCode {
        CountryCode(self.0.into())
    }

    /// English name. For other languages, use the code, such as with `Intl.DisplayNames` in JavaScript.
    fn name(&self) -> &'static str {
        self.0.name
    }

    /// Postal codes of the country. Null if it has none.
    fn postal_code(&self) -> Option<PostalCodeFormat> {
        self.0.postal_code.map(PostalCodeFormat)
    }

    /// Whether every address has a subdivision.
    fn is_subdivision_required(&self) -> bool {
        self.0.requires_subdivision()
    }

    /// Subdivisions that addresses of the country use (states, provinces or the like), sorted by name. Empty if they use
    /// none.
    #[graphql(complexity = "10 * child_complexity")]
    fn subdivisions(&self) -> Vec<Subdivision> {
        self.0.subdivisions().iter().copied().map(Subdivision).collect()
    }
}

/// The postal codes of a country.
pub struct PostalCodeFormat(PostalCodeRule);

/// The form of the postal codes of a country.
#[object]
impl PostalCodeFormat {
    /// Whether every address has a postal code.
    fn is_required(&self) -> bool {
        self.0.is_required
    }

    /// A valid postal code, to show in a form.
    fn example(&self) -> &'static str {
        self.0.example
    }
}

/// A subdivision of a country.
pub struct Subdivision(postal::Subdivision);

/// A subdivision of a country: a state, province, prefecture or the like.
#[object]
impl Subdivision {
    /// ISO 3166-2 code, such as `US-CA`.
    fn code(&self) -> &'static str {
        self.0.code
    }

    /// Name in the Latin alphabet.
    fn name(&self) -> &'static str {
        self.0.name
    }
}

/// Query root for countries.
#[derive(Default)]
pub struct CountryQuery;

#[object]
impl CountryQuery {
    /// Returns all countries that an address can be in, sorted by their English names.
    #[graphql(complexity = "50 * child_complexity")]
    async fn countries(&self) -> Vec<Country> {
        let mut all: Vec<Country> = postal::Country::all().iter().map(Country).collect();
        all.sort_by_key(|country| country.0.name);
        all
    }
}
