//! Names of countries in the files of other systems.
//! Rule: case, accents, punctuation and the word "the" make no difference.

use std::{collections::HashMap, sync::LazyLock};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::countries::COUNTRIES;

/// Names in use besides those of CLDR and ISO 3166.
const ALIASES: &[(&str, &str)] = &[
    ("Emirates", "AE"),
    ("UAE", "AE"),
    ("Antigua", "AG"),
    ("Österreich", "AT"),
    ("Bosnia", "BA"),
    ("Belgique", "BE"),
    ("België", "BE"),
    ("Bonaire", "BQ"),
    ("Brasil", "BR"),
    ("Congo Kinshasa", "CD"),
    ("DR Congo", "CD"),
    ("Democratic Republic of the Congo", "CD"),
    ("Congo Brazzaville", "CG"),
    ("Republic of the Congo", "CG"),
    ("Schweiz", "CH"),
    ("Suisse", "CH"),
    ("Ivory Coast", "CI"),
    ("Czech Republic", "CZ"),
    ("Deutschland", "DE"),
    ("Danmark", "DK"),
    ("España", "ES"),
    ("Suomi", "FI"),
    ("Britain", "GB"),
    ("England", "GB"),
    ("Great Britain", "GB"),
    ("Northern Ireland", "GB"),
    ("Scotland", "GB"),
    ("UK", "GB"),
    ("Wales", "GB"),
    ("EL", "GR"),
    ("Hellas", "GR"),
    ("Hong Kong SAR", "HK"),
    ("Hong Kong SAR China", "HK"),
    ("EIRE", "IE"),
    ("Republic of Ireland", "IE"),
    ("Italia", "IT"),
    ("Nippon", "JP"),
    ("Korea", "KR"),
    ("Republic of Korea", "KR"),
    ("Saint Martin", "MF"),
    ("FYR Macedonia", "MK"),
    ("Macedonia", "MK"),
    ("Burma", "MM"),
    ("Macau", "MO"),
    ("Holland", "NL"),
    ("Norge", "NO"),
    ("Polska", "PL"),
    ("Palestinian Territories", "PS"),
    ("State of Palestine", "PS"),
    ("Sverige", "SE"),
    ("Saint Helena", "SH"),
    ("Swaziland", "SZ"),
    ("East Timor", "TL"),
    ("Turkey", "TR"),
    ("Trinidad", "TT"),
    ("America", "US"),
    ("Vatican", "VA"),
    ("Virgin Islands", "VI"),
    ("RSA", "ZA"),
];

/// Alpha-2 codes by key: codes, and names in the form of [`key`].
static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let iso = rust_iso3166::ALL.iter();
    let iso = iso.flat_map(|iso| [iso.name, iso.alpha2, iso.alpha3].map(|name| (name, iso.alpha2)));
    let ours = COUNTRIES.iter().flat_map(|country| [country.name, country.code].map(|name| (name, country.code)));
    iso.chain(ours).chain(ALIASES.iter().copied()).map(|(name, code)| (key(name), code)).collect()
});

/// Returns the alpha-2 code of the country with this code or name.
pub(super) fn find(text: &str) -> Option<&'static str> {
    CODES.get(&key(text)).copied()
}

/// Returns the letters of a name in lower case, without accents and without the word "the".
fn key(name: &str) -> String {
    let plain: String = name.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    let plain = plain.to_lowercase().replace('&', " and ");
    plain.split(|c: char| !c.is_ascii_lowercase()).filter(|word| *word != "the").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_found_by_code_and_by_english_name() {
        for (text, code) in [
            ("DE", "DE"),
            ("deu", "DE"),
            ("germany", "DE"),
            ("United Kingdom", "GB"),
            ("UK", "GB"),
            ("U.K.", "GB"),
            ("The Netherlands", "NL"),
            ("Netherlands (the)", "NL"),
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("United States", "US"),
            ("United States of America", "US"),
            ("Cote d\u{2019}Ivoire", "CI"),
            ("C\u{f4}te d'Ivoire", "CI"),
            ("Korea, Republic of", "KR"),
            ("South Korea", "KR"),
            ("EIRE", "IE"),
            ("RSA", "ZA"),
            ("Czech Republic", "CZ"),
            ("Bosnia and Herzegovina", "BA"),
            ("Saint Lucia", "LC"),
            ("St. Lucia", "LC"),
            ("T\u{fc}rkiye", "TR"),
            ("Kosovo", "XK"),
        ] {
            assert_eq!(find(text), Some(code), "{text}");
        }
        for text in ["", "Narnia", "ZZ", "European Community", "Unspecified", "##", "Channel Islands"] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn no_name_means_two_countries() {
        let mut all: HashMap<String, &str> = HashMap::new();
        let iso = rust_iso3166::ALL.iter().flat_map(|iso| [(iso.name, iso.alpha2), (iso.alpha3, iso.alpha2)]);
        let ours = COUNTRIES.iter().flat_map(|country| [(country.name, country.code), (country.code, country.code)]);
        for (name, code) in iso.chain(ours).chain(ALIASES.iter().copied()) {
            let other = all.insert(key(name), code);
            assert!(other.is_none_or(|other| other == code), "{name}: {code} and {other:?}");
        }
    }
}
