//! Countries, their subdivisions and their postal codes: what a carrier needs to deliver to an address.
//! Rule: a country is stored as its ISO 3166-1 alpha-2 code and a subdivision as its full ISO 3166-2 code. The codes
//! are those of the crate `rust_iso3166`; which countries use subdivisions and postal codes in addresses, and how, is
//! in tables here, taken from the address data of libaddressinput (Google, CC BY 4.0).

mod countries;
mod country;
mod names;
mod postal_code;
mod subdivision;

pub use self::{
    country::{Country, CountryCode, INVALID_CODE},
    postal_code::{PostalCodeRule, check_postal_code},
    subdivision::{Subdivision, check_subdivision, find_subdivision, subdivision_name},
};
